from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vocemo.errors import UsageError
from vocemo.lab.features import ZeroCrossingRate


@pytest.mark.parametrize("frame, hop", [(2048, 512), (400, 160), (512, 600)])
def test_agrees_with_librosa(speech, agree, frame, hop) -> None:
    zcr = ZeroCrossingRate(frame, hop)
    pairs = [
        (
            zcr(torch.from_numpy(clip)[None])[0].numpy(),
            librosa.feature.zero_crossing_rate(clip, frame_length=frame, hop_length=hop),
        )
        for clip in speech.at(22_050)
    ]
    agree(f"zero-crossing rate {frame}/{hop}, crossings a sample", pairs, 1e-6)


@settings(max_examples=80, deadline=None)
@given(
    values=st.lists(
        st.sampled_from([-1.0, -0.1, -1e-11, -0.0, 0.0, 1e-11, 0.1, 1.0]), min_size=1, max_size=60
    ),
    frame=st.sampled_from([2, 4, 6, 10]),
    hop=st.integers(1, 12),
    threshold=st.sampled_from([0.0, 1e-10, 0.5]),
    zero_pos=st.booleans(),
)
def test_zeros_and_thresholds_are_librosas(values, frame, hop, threshold, zero_pos) -> None:
    signal = np.array(values, dtype=np.float32)
    if zero_pos and threshold == 0.0:
        signal += 0.0  # librosa tells -0.0 from 0.0 by its sign bit when nothing is taken for zero
    expected = librosa.feature.zero_crossing_rate(
        signal, frame_length=frame, hop_length=hop, threshold=threshold, zero_pos=zero_pos
    )
    ours = ZeroCrossingRate(frame, hop, threshold=threshold, zero_pos=zero_pos)(
        torch.from_numpy(signal)[None]
    )
    np.testing.assert_allclose(ours[0].numpy(), expected, atol=1e-6)


def test_a_tone_crosses_twice_a_period() -> None:
    tone = torch.sin(2 * torch.pi * 100.0 * torch.arange(16_000) / 16_000 + 0.1)
    rate = ZeroCrossingRate(1600, 400)(tone[None])[0, 0, 5:-5]
    torch.testing.assert_close(rate, torch.full_like(rate, 2 * 100.0 / 16_000), rtol=0.05, atol=0)


def test_a_negative_threshold_is_refused() -> None:
    with pytest.raises(UsageError, match="0 or more"):
        ZeroCrossingRate(threshold=-1.0)
