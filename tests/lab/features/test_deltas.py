from __future__ import annotations

import librosa
import numpy as np
import pytest
import scipy.signal
import torch

from vocemo.errors import UsageError
from vocemo.lab.features import Deltas
from vocemo.lab.features.deltas import slope_kernel


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("width", [3, 9, 15])
def test_agrees_with_librosa(speech, agree, width, order) -> None:
    deltas = Deltas(width, order)
    pairs = []
    for clip in speech.at(16_000)[:10]:
        mfcc = librosa.feature.mfcc(y=clip, sr=16_000, n_mfcc=13, hop_length=256, n_fft=1024)
        expected = librosa.feature.delta(mfcc, width=width, order=order)
        pairs.append((deltas(torch.from_numpy(mfcc)[None])[0].numpy(), expected))
    agree(f"deltas of MFCC, width {width}, order {order}, in dB a frame", pairs, 1e-3)


@pytest.mark.parametrize("width, order", [(3, 1), (3, 2), (9, 1), (9, 2), (9, 3)])
def test_kernel_is_savitzky_golays(width: int, order: int) -> None:
    expected = scipy.signal.savgol_coeffs(width, order, deriv=order, use="dot")
    np.testing.assert_allclose(slope_kernel(width, order), expected, atol=1e-7)


def test_a_line_has_its_slope_everywhere() -> None:
    line = 3.0 * torch.arange(20.0)[None, None]
    torch.testing.assert_close(Deltas()(line), torch.full_like(line, 3.0))


@pytest.mark.parametrize("frames", [1, 5, 8])
def test_a_short_clip_goes_on_as_it_ended(frames: int) -> None:
    clip = torch.randn(1, 2, frames, generator=torch.Generator().manual_seed(0))
    longer = torch.cat([clip, clip[:, :, -1:].expand(-1, -1, 9 - frames)], dim=2)
    expected = torch.from_numpy(librosa.feature.delta(longer[0].numpy()))[:, :frames]
    torch.testing.assert_close(Deltas()(clip)[0], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("width, order", [(4, 1), (1, 1), (9, 0), (9, 9)])
def test_impossible_fits_are_refused(width: int, order: int) -> None:
    with pytest.raises(UsageError, match="valid"):
        Deltas(width, order)
