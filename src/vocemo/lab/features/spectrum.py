"""The power spectrogram, by FFT while training and by matrix products inside an exported graph."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from vocemo.errors import UnknownNameError, UsageError
from vocemo.lab.features.dft import MatrixDft
from vocemo.lab.features.frames import by_clips, by_frames, check_frame, frame_signal, without_padding

Dft = Literal["fft", "matmul"]


class Spectrum(nn.Module):
    """The power spectrogram of each clip, |STFT|^2 under a Hann window.

    Args:
        n_fft: samples of a frame and of the transform, even.
        hop: samples from one frame's centre to the next.
        win_length: samples of the window, centred in the frame; None: the whole frame.
        dft: "fft" is fast in training; "matmul" is the same within rounding and made of matrix
            products alone, for export (see `use_export_kernels`).
        periodic: the window's period is its length; otherwise it is symmetric, its last sample its first.
        centred: see `frame_signal`; whoever says no has put something of their own around the signal.

    Shape: (batch, samples), lengths (batch,) or None -> (batch, n_fft // 2 + 1, 1 + samples // hop), or
        1 + (samples - n_fft) // hop frames where they are not centred.
    Raises UsageError for a window longer than its frame, UnknownNameError for another transform.

    Source: librosa's `stft(center=True, pad_mode="constant")`, squared.

    >>> Spectrum(n_fft=512, hop=160)(torch.zeros(2, 16_000)).shape
    torch.Size([2, 257, 101])
    """

    window: Tensor

    def __init__(
        self,
        n_fft: int = 2048,
        hop: int = 512,
        win_length: int | None = None,
        dft: Dft = "fft",
        *,
        periodic: bool = True,
        centred: bool = True,
    ) -> None:
        super().__init__()
        check_frame(n_fft, hop)
        length = n_fft if win_length is None else win_length
        if not 1 <= length <= n_fft:
            raise UsageError(f"a window of {length} samples; valid: 1 to n_fft, {n_fft}")
        self.n_fft, self.hop, self.centred = n_fft, hop, centred
        left = (n_fft - length) // 2
        hann = torch.hann_window(length, periodic=periodic, dtype=torch.float64).float()
        window = functional.pad(hann, (left, n_fft - length - left))
        self.register_buffer("window", window, persistent=False)
        self._matrices: MatrixDft | None = None
        self.dft = dft

    @property
    def dft(self) -> Dft:
        """How the transform is computed, "fft" or "matmul"."""
        return "fft" if self._matrices is None else "matmul"

    @dft.setter
    def dft(self, dft: Dft) -> None:
        if dft not in get_args(Dft):
            raise UnknownNameError("dft", dft, get_args(Dft))
        self._matrices = MatrixDft(self.n_fft).to(self.window) if dft == "matmul" else None

    def frames(self, samples: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The frames before windowing, (batch, frames, n_fft)."""
        samples = without_padding(samples, lengths)
        exportable = self.dft == "matmul"
        return frame_signal(samples, self.n_fft, self.hop, exportable=exportable, centred=self.centred)

    def power(self, frames: Tensor) -> Tensor:
        """The power of each bin of each frame, (batch, frames, bins)."""
        windowed = frames * self.window
        if self._matrices is not None:
            power: Tensor = self._matrices(windowed)
            return power
        parts = torch.view_as_real(torch.fft.rfft(windowed))
        # In place where no gradient asks for the spectrum: fresh memory costs more than squaring.
        squares = parts.square() if parts.requires_grad else parts.square_()
        return squares[..., 0] + squares[..., 1]

    def by_frame(self, samples: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The power spectrogram, a frame a row: (batch, frames, bins)."""
        return by_frames(self.frames(samples, lengths), self.power)

    def forward(self, samples: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The power spectrogram, (batch, bins, frames)."""
        return by_clips(self.by_frame, samples, lengths, self.n_fft / self.hop).transpose(1, 2)


def use_export_kernels(module: nn.Module) -> None:
    """Let every `Spectrum` in a module, itself included, use matrix products alone.

    The result changes by rounding only; call it on a copy that is to be exported.

    >>> front_end = nn.Sequential(Spectrum(512, 160))
    >>> use_export_kernels(front_end)
    >>> front_end[0].dft
    'matmul'
    """
    for part in list(module.modules()):
        if isinstance(part, Spectrum):
            part.dft = "matmul"
