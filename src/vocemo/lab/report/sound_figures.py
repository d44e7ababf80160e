"""One sound as a picture: its waveform over its mel spectrogram over its pitch."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vocemo.errors import UsageError
from vocemo.lab.report.theme import LIGHT, Theme, blank, head, place

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vocemo.lab.features import MelSpectrogram

N_FFT = 1024
HOP_S = 0.01
N_MELS = 128
RANGE_DB = 80.0  # under the loudest point of each sound
TICKS_HZ = (250, 500, 1000, 2000, 4000, 8000)
COLUMNS = 900  # of the waveform: about one a pixel
SPECTRUM = "magma"  # even in lightness, so that it reads the same in grey
PITCH_TICKS_HZ = (100, 200, 400)
PITCH_SPAN_HZ = (60.0, 750.0)
LEFT_IN, RIGHT_IN = 0.56, 0.16


def sound_figure(
    samples: NDArray[np.float32],
    sample_rate: int,
    *,
    title: str,
    below: str = "",
    length_s: float | None = None,
    f0: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
    theme: Theme = LIGHT,
) -> Figure:
    """The waveform, below it the mel spectrogram in dB under the sound's loudest point, and the pitch.

    samples: float32 (N,). length_s: how long the time axis is, so that several sounds share it.
    f0: times in seconds and pitch in Hz, NaN where there is none, for a third row; None: no such row.
    errors: UsageError for no samples, MissingExtraError without Matplotlib.
    """
    if samples.ndim != 1 or not len(samples):
        raise UsageError(f"samples of shape {samples.shape}; valid: one channel, (N,), with a sample or more")
    pitch_in = 0.0 if f0 is None else 0.72
    figure = blank(3.3 + pitch_in, theme)
    head(figure, theme, title, below)
    end_s = max(length_s or 0.0, len(samples) / sample_rate)
    wave = place(figure, theme, LEFT_IN, 1.92 + pitch_in, RIGHT_IN, 0.68)
    starts = np.unique(np.linspace(0, len(samples), min(COLUMNS, len(samples)), endpoint=False).astype(int))
    low, high = np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)
    wave.fill_between(starts / sample_rate, low, high, color=theme.first, linewidth=0.5)
    limit = max(float(np.abs(samples).max()), 1e-6) * 1.05
    wave.set(xlim=(0, end_s), ylim=(-limit, limit), yticks=[])
    wave.set_xticks([])
    wave.spines["bottom"].set_visible(False)
    image = place(figure, theme, LEFT_IN, 0.42 + pitch_in, RIGHT_IN, 1.42)
    image.set_facecolor(theme.hairline)
    mel_db, edges_mel = mel_decibels(samples, sample_rate)
    loudest = float(mel_db.max())
    image.imshow(
        mel_db,
        origin="lower",
        aspect="auto",
        cmap=SPECTRUM,
        vmin=loudest - RANGE_DB,
        vmax=loudest,
        extent=(0, len(samples) / sample_rate, *edges_mel),
        interpolation="antialiased",
    )
    ticks = [hz for hz in TICKS_HZ if hz <= sample_rate / 2]
    image.set_yticks(
        _mel(np.array(ticks, np.float64)), [f"{hz // 1000}k" if hz >= 1000 else f"{hz}" for hz in ticks]
    )
    image.set(xlim=(0, end_s), ylim=edges_mel)
    image.spines["bottom"].set_visible(False)
    image.set_ylabel("Hz", color=theme.quiet, fontsize=9, labelpad=2)
    lowest = image
    if f0 is not None:
        image.set_xticks([])
        lowest = _pitch_row(figure, theme, f0)
        lowest.set_xlim(0, end_s)
    lowest.set_xlabel("seconds", color=theme.quiet, fontsize=9, labelpad=1)
    return figure


def _pitch_row(figure: Figure, theme: Theme, f0: tuple[NDArray[np.float64], NDArray[np.float64]]) -> Axes:
    """The pitch over time, on a logarithmic axis that is the same for every sound."""
    from matplotlib.ticker import NullLocator

    axes = place(figure, theme, LEFT_IN, 0.42, RIGHT_IN, 2.94)
    axes.plot(*f0, color=theme.second, linewidth=2, solid_capstyle="round")
    axes.set_yscale("log")
    axes.set_ylim(*PITCH_SPAN_HZ)
    axes.set_yticks(PITCH_TICKS_HZ, [f"{hz}" for hz in PITCH_TICKS_HZ])
    axes.yaxis.set_minor_locator(NullLocator())
    axes.grid(axis="y", color=theme.hairline, linewidth=0.8)
    axes.set_ylabel("pitch", color=theme.quiet, fontsize=9, labelpad=2)
    return axes


def mel_decibels(
    samples: NDArray[np.float32], sample_rate: int
) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """The mel spectrogram in dB (N_MELS, frames), and the mels at its lower and its upper edge."""
    import torch

    from vocemo.lab.features import ToDecibel

    with torch.inference_mode():
        power = _mel_spectrogram(sample_rate)(torch.from_numpy(np.ascontiguousarray(samples))[None])
        decibels: NDArray[np.float32] = ToDecibel()(power)[0].numpy()
    top = float(_mel(np.array([sample_rate / 2]))[0])
    step = top / (N_MELS + 1)
    return decibels, (step / 2, top - step / 2)


@lru_cache(maxsize=4)
def _mel_spectrogram(sample_rate: int) -> MelSpectrogram:
    from vocemo.lab.features import MelSpectrogram

    return MelSpectrogram(sample_rate, n_fft=N_FFT, hop=round(HOP_S * sample_rate), n_mels=N_MELS)


def _mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Frequencies on the scale of the filters; NaN stays NaN."""
    from vocemo.lab.features.mel import hz_to_mel

    return np.array([hz_to_mel(float(value)) if value == value else np.nan for value in hz])
