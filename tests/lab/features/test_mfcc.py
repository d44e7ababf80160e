from __future__ import annotations

import librosa
import numpy as np
import pytest
import scipy.fft
import torch

from vocemo.errors import UsageError
from vocemo.lab.features import Mfcc
from vocemo.lab.features.mfcc import cosine_basis


@pytest.mark.parametrize("dft", ["fft", "matmul"])
@pytest.mark.parametrize(
    "n_mfcc, options",
    [
        (20, {}),
        (13, {"n_fft": 400, "hop": 160, "n_mels": 40}),
        (40, {"n_fft": 1024, "hop": 512, "n_mels": 40, "htk": True}),
        (128, {}),
    ],
)
def test_agrees_with_librosa(speech, agree, n_mfcc, options, dft) -> None:
    mfcc = Mfcc(22_050, n_mfcc, **options, dft=dft)
    pairs = []
    theirs = {{"hop": "hop_length"}.get(name, name): value for name, value in options.items()}
    for clip in speech.at(22_050):
        expected = librosa.feature.mfcc(y=clip, sr=22_050, n_mfcc=n_mfcc, **theirs)
        pairs.append((mfcc(torch.from_numpy(clip)[None])[0].numpy(), expected))
    agree(f"{n_mfcc} MFCC in dB ({dft})", pairs, 1e-3)


def test_basis_is_scipys_and_orthonormal() -> None:
    basis = cosine_basis(40, 40).double()
    np.testing.assert_allclose(basis, scipy.fft.dct(np.eye(40), norm="ortho"), atol=1e-7)
    torch.testing.assert_close(basis.T @ basis, torch.eye(40, dtype=torch.float64), rtol=0, atol=1e-6)


def test_range_is_optional() -> None:
    samples = torch.zeros(1, 4_000)
    samples[0, 2_000] = 1.0
    wide, narrow = Mfcc(16_000, top_db=None)(samples), Mfcc(16_000, top_db=10.0)(samples)
    assert wide[0, 0].min() < narrow[0, 0].min()


def test_more_coefficients_than_bands_are_refused() -> None:
    with pytest.raises(UsageError, match="valid: 1 to 40"):
        Mfcc(16_000, n_mfcc=41, n_mels=40)
