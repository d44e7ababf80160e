from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch

from vocemo.errors import UsageError
from vocemo.lab.features import StackedVector
from vocemo.lab.features.stacked import SAMPLE_RATE_HZ, SAMPLES, VALUES


def described(clip: np.ndarray) -> np.ndarray:
    """The vector as published code of this kind makes it."""
    zcr = np.squeeze(librosa.feature.zero_crossing_rate(y=clip, frame_length=2048, hop_length=512))
    rms = np.squeeze(librosa.feature.rms(y=clip, frame_length=2048, hop_length=512))
    mfcc = np.ravel(librosa.feature.mfcc(y=clip, sr=SAMPLE_RATE_HZ, n_mfcc=20).T)
    return np.hstack([zcr, rms, mfcc])


def excerpt(clip: np.ndarray) -> np.ndarray:
    start = round(0.6 * SAMPLE_RATE_HZ)
    part = clip[start : start + SAMPLES]
    return np.pad(part, (0, SAMPLES - len(part)))


@pytest.mark.parametrize("dft", ["fft", "matmul"])
def test_agrees_with_librosa_number_by_number(speech, agree, dft) -> None:
    clips = [excerpt(clip) for clip in speech.at(SAMPLE_RATE_HZ)]
    ours = StackedVector(dft=dft)(torch.from_numpy(np.stack(clips))).numpy()
    expected = np.stack([described(clip) for clip in clips])
    assert ours.shape == (len(clips), VALUES) == (len(clips), 2376)
    for name, part in (("ZCR", slice(0, 108)), ("RMS", slice(108, 216)), ("MFCC in dB", slice(216, 2376))):
        agree(f"stacked vector, {name} ({dft})", [(ours[:, part], expected[:, part])], 1e-3)


@pytest.mark.parametrize("shape", [(1, SAMPLES - 1), (SAMPLES,), (1, 1, SAMPLES)])
def test_other_lengths_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="55125"):
        StackedVector()(torch.zeros(shape))
