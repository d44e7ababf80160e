"""The discrete Fourier transform of real frames as matrix products.

Graph formats do not all know `stft` or `rfft`; all of them multiply matrices. A dense transform of
2048 points needs 2048 x 2050 constants; here N = N1 x N2 is factorised once, as Cooley and Tukey do
(with n = N2 n1 + n2 and k = k1 + N1 k2):

    X[k1 + N1 k2] = sum_n2  W_N2^(n2 k2)  [ W_N^(n2 k1)  sum_n1  W_N1^(n1 k1)  x[N2 n1 + n2] ]

W_M = exp(-2 pi i / M). The inner sum is one product of real matrices, the bracket a multiplication
by the twiddle factors, the outer sum four products. The input is real, so k1 need only run up to
N1 / 2: the bins of the other residues are mirror images, X[N - k] = conj X[k].

Cooley & Tukey (1965), "An algorithm for the machine calculation of complex Fourier series".
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from vocemo.errors import UsageError


def factorise(n_fft: int) -> tuple[int, int]:
    """The factors N1 and N2 of a frame length that need the fewest multiplications.

    >>> factorise(2048), factorise(400)
    ((64, 32), (25, 16))
    """

    def multiplications(first: int) -> int:
        rest = n_fft // first
        residues = first // 2 + 1
        return residues * (2 * first * rest + 4 * rest * rest)

    first = min((n for n in range(1, n_fft + 1) if n_fft % n == 0), key=multiplications)
    return first, n_fft // first


class MatrixDft(nn.Module):
    """The DFT of real frames as products of small matrices.

    Args:
        n_fft: samples of a frame.

    Shape: (batch, frames, n_fft) -> (batch, frames, n_fft // 2 + 1) of power.
    Raises UsageError for frames of another length.

    >>> dft = MatrixDft(8)
    >>> torch.round(dft(torch.ones(1, 1, 8)))
    tensor([[[64.,  0.,  0.,  0.,  0.]]])
    """

    cosine_first: Tensor
    sine_first: Tensor
    cosine_twiddle: Tensor
    sine_twiddle: Tensor
    cosine_second: Tensor
    sine_second: Tensor
    place: Tensor
    orientation: Tensor

    def __init__(self, n_fft: int) -> None:
        super().__init__()
        self.n_fft = n_fft
        self.factors = first, second = factorise(n_fft)
        self.residues = first // 2 + 1
        k1, n1 = torch.arange(self.residues), torch.arange(first)
        k2, n2 = torch.arange(second), torch.arange(second)
        self._keep("first", k1[:, None] * n1, first)
        self._keep("twiddle", k1[:, None] * n2, n_fft)
        self._keep("second", n2[:, None] * k2, second)
        place, orientation = self._natural_order()
        self.register_buffer("place", place, persistent=False)
        self.register_buffer("orientation", orientation, persistent=False)

    def _keep(self, name: str, turns: Tensor, period: int) -> None:
        # Whole turns are taken off as integers, so that the angles are exact before the cosine.
        angle = (turns % period).double() * (-2 * math.pi / period)
        self.register_buffer(f"cosine_{name}", angle.cos().float(), persistent=False)
        self.register_buffer(f"sine_{name}", angle.sin().float(), persistent=False)

    def _natural_order(self) -> tuple[Tensor, Tensor]:
        """Where bin k stands among the computed (k1, k2), and -1 where it is a mirror image."""
        first, second = self.factors
        k = torch.arange(self.n_fft // 2 + 1)
        k1, k2 = k % first, k // first
        mirrored = k1 >= self.residues
        k1 = torch.where(mirrored, first - k1, k1)
        k2 = torch.where(mirrored, second - 1 - k2, k2)
        return k1 * second + k2, torch.where(mirrored, -1.0, 1.0)

    def _products(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Real and imaginary parts of the computed bins, (batch, frames, residues * N2)."""
        if frames.shape[-1] != self.n_fft:
            raise UsageError(f"frames of {frames.shape[-1]} samples; valid: {self.n_fft}")
        first, second = self.factors
        batch, count = frames.shape[0], frames.shape[1]
        grid = frames.reshape(batch, count, first, second)
        inner_re, inner_im = self.cosine_first @ grid, self.sine_first @ grid
        turned_re = inner_re * self.cosine_twiddle - inner_im * self.sine_twiddle
        turned_im = inner_re * self.sine_twiddle + inner_im * self.cosine_twiddle
        re = turned_re @ self.cosine_second - turned_im @ self.sine_second
        im = turned_re @ self.sine_second + turned_im @ self.cosine_second
        size = self.residues * second
        return re.reshape(batch, count, size), im.reshape(batch, count, size)

    def parts(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Real and imaginary parts of bins 0 to n_fft / 2, each (batch, frames, n_fft // 2 + 1)."""
        re, im = self._products(frames)
        return re.index_select(2, self.place), im.index_select(2, self.place) * self.orientation

    def forward(self, frames: Tensor) -> Tensor:
        """The power, re^2 + im^2, of bins 0 to n_fft / 2."""
        re, im = self._products(frames)
        return (re.square() + im.square()).index_select(2, self.place)
