from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch

from vocemo.errors import UnknownNameError, UsageError
from vocemo.lab.features import ToDecibel


def power(seed: int = 0, frames: int = 50) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (10.0 ** rng.uniform(-14, 3, (12, frames))).astype(np.float32)


@pytest.mark.parametrize("top_db", [None, 80.0, 20.0, 0.0])
@pytest.mark.parametrize("ref", [1.0, 0.01, "max"])
@pytest.mark.parametrize("amin", [1e-10, 1e-5])
def test_agrees_with_librosa(top_db, ref, amin) -> None:
    values = power()
    expected = librosa.power_to_db(values, ref=np.max if ref == "max" else ref, amin=amin, top_db=top_db)
    ours = ToDecibel(amin=amin, top_db=top_db, ref=ref)(torch.from_numpy(values)[None])[0].numpy()
    largest = np.abs(ours - expected).max()
    print(f"largest difference, level in dB: {largest:.2e}")
    assert largest < 1e-4


def test_the_loudest_value_is_the_clips_own() -> None:
    short, long = torch.from_numpy(power(1, 20)), torch.from_numpy(power(2, 50))
    batch = torch.full((2, 12, 50), 1e9)  # what stands in the padding must not count
    batch[0, :, :20], batch[1] = short, long
    for decibel in (ToDecibel(top_db=30.0), ToDecibel(top_db=30.0, ref="max")):
        together = decibel(batch, torch.tensor([20, 50]))
        torch.testing.assert_close(together[0, :, :20], decibel(short[None])[0])
        torch.testing.assert_close(together[1], decibel(long[None])[0])


def test_silence_is_the_floor_with_a_finite_slope() -> None:
    silence = torch.zeros(1, 3, 4, requires_grad=True)
    level = ToDecibel(top_db=80.0)(silence)
    assert level.unique().tolist() == [-100.0]
    level.sum().backward()
    assert silence.grad is not None and torch.isfinite(silence.grad).all()


def test_wrong_options_are_refused() -> None:
    with pytest.raises(UsageError, match="above 0"):
        ToDecibel(amin=0.0)
    with pytest.raises(UsageError, match="0 dB or more"):
        ToDecibel(top_db=-1.0)
    with pytest.raises(UnknownNameError, match="Valid: max"):
        ToDecibel(ref="mean")  # the error under test
