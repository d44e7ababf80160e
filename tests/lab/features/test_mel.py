from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch

from vocemo.errors import UsageError
from vocemo.lab.features import MelSpectrogram, ToDecibel, mel_filters
from vocemo.lab.features.mel import hz_to_mel, mel_to_hz

SETTINGS = {
    "default 22 kHz": {"sr": 22_050},
    "16 kHz, 80 bands": {"sr": 16_000, "n_fft": 512, "hop": 160, "n_mels": 80, "fmin": 20.0, "fmax": 7600.0},
    "htk": {"sr": 16_000, "n_fft": 1024, "hop": 256, "n_mels": 64, "htk": True},
    "equal heights": {"sr": 16_000, "n_fft": 400, "hop": 160, "n_mels": 40, "norm": None},
    "13 bands": {"sr": 16_000, "n_fft": 400, "hop": 160, "n_mels": 13},
}


def ours(sr, n_fft=2048, hop=512, n_mels=128, fmin=0.0, fmax=None, htk=False, norm="slaney", **options):
    return MelSpectrogram(
        sr, n_fft, hop, n_mels, fmin, fmax, htk=htk, slaney_norm=norm == "slaney", **options
    )


def theirs(
    clip, sr, n_fft=2048, hop=512, n_mels=128, fmin=0.0, fmax=None, htk=False, norm="slaney", power=2.0
):
    return librosa.feature.melspectrogram(
        y=clip,
        sr=sr,
        n_fft=n_fft,
        hop_length=hop,
        n_mels=n_mels,
        fmin=fmin,
        fmax=fmax,
        htk=htk,
        norm=norm,
        power=power,
    )


@pytest.mark.parametrize("dft", ["fft", "matmul"])
@pytest.mark.parametrize("setting", SETTINGS)
def test_agrees_with_librosa(speech, agree, setting, dft) -> None:
    options = SETTINGS[setting]
    mel, decibel = ours(**options, dft=dft), ToDecibel(top_db=80.0)
    powers, levels = [], []
    for clip in speech.at(options["sr"]):
        power, expected = mel(torch.from_numpy(clip)[None]), theirs(clip, **options)
        # Cells further down than 80 dB hold the rounding of float32, and no feature keeps them.
        floor = np.maximum(expected, 1e-8 * expected.max())
        powers.append((power[0].numpy() / floor, expected / floor))
        levels.append((decibel(power)[0].numpy(), librosa.power_to_db(expected)))
    agree(f"mel power ({setting}, {dft}), of each cell's own", powers, 1e-3)
    agree(f"mel level in dB ({setting}, {dft})", levels, 10 * np.log10(1 + 1e-3))


@pytest.mark.parametrize("power", [1.0, 1.5])
def test_other_powers_agree(speech, agree, power) -> None:
    options = SETTINGS["16 kHz, 80 bands"]
    mel = ours(**options, power=power)
    pairs = []
    for clip in speech.at(16_000)[:8]:
        expected = theirs(clip, **options, power=power)
        pairs.append(
            (mel(torch.from_numpy(clip)[None])[0].numpy() / expected.max(), expected / expected.max())
        )
    agree(f"mel of magnitudes to the {power}, of the clip's largest", pairs, 1e-5)


@pytest.mark.parametrize("htk", [False, True])
@pytest.mark.parametrize("norm", ["slaney", None])
@pytest.mark.parametrize(
    "sr, n_fft, n_mels, fmin, fmax", [(22_050, 2048, 128, 0.0, None), (16_000, 400, 40, 60.0, 7000.0)]
)
def test_filters_are_librosas(sr, n_fft, n_mels, fmin, fmax, norm, htk) -> None:
    filters = mel_filters(sr, n_fft, n_mels, fmin, fmax, htk=htk, slaney_norm=norm == "slaney").T.numpy()
    expected = librosa.filters.mel(
        sr=sr, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax, norm=norm, htk=htk
    )
    np.testing.assert_allclose(filters, expected, rtol=1e-5, atol=1e-6 * expected.max())


@pytest.mark.parametrize("htk", [False, True])
def test_scale_and_its_inverse(htk: bool) -> None:
    hz = np.array([0.0, 60.0, 999.0, 1000.0, 1001.0, 7999.0])
    mel = [hz_to_mel(f, htk=htk) for f in hz]
    np.testing.assert_allclose(mel, librosa.hz_to_mel(hz, htk=htk), rtol=1e-12)
    np.testing.assert_allclose(mel_to_hz(torch.tensor(mel, dtype=torch.float64), htk=htk), hz, atol=1e-9)


def test_grouped_filters_are_the_whole_product() -> None:
    mel = MelSpectrogram(16_000, 512, 160, n_mels=37)
    samples = torch.randn(3, 4_000, generator=torch.Generator().manual_seed(5))
    dense = mel.spectrum(samples).transpose(1, 2) @ mel.bank.filters
    torch.testing.assert_close(mel(samples), dense.transpose(1, 2), rtol=1e-5, atol=1e-6)


def test_magnitude_slopes_are_finite_in_silence() -> None:
    samples = torch.zeros(1, 2_000, requires_grad=True)
    MelSpectrogram(16_000, 512, 160, 40, power=1.0)(samples).sum().backward()
    assert samples.grad is not None and torch.isfinite(samples.grad).all()


@pytest.mark.parametrize(
    "options",
    [
        {"n_mels": 0},
        {"power": 0.0},
        {"fmin_hz": -1.0},
        {"fmax_hz": 9000.0},
        {"fmin_hz": 500.0, "fmax_hz": 400.0},
    ],
)
def test_impossible_filters_are_refused(options) -> None:
    with pytest.raises(UsageError, match="valid"):
        MelSpectrogram(16_000, **options)
