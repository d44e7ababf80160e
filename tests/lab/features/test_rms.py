from __future__ import annotations

import librosa
import pytest
import torch

from vocemo.lab.features import Rms


@pytest.mark.parametrize("frame, hop", [(2048, 512), (400, 160), (512, 600)])
def test_agrees_with_librosa(speech, agree, frame, hop) -> None:
    rms = Rms(frame, hop)
    pairs = [
        (
            rms(torch.from_numpy(clip)[None])[0].numpy(),
            librosa.feature.rms(y=clip, frame_length=frame, hop_length=hop),
        )
        for clip in speech.at(22_050)
    ]
    agree(f"RMS {frame}/{hop}, of full scale", pairs, 1e-6)


def test_silence_is_zero_with_a_finite_slope() -> None:
    silence = torch.zeros(1, 4_000, requires_grad=True)
    level = Rms()(silence)
    assert level.max().item() < 1e-15
    level.sum().backward()
    assert silence.grad is not None and torch.isfinite(silence.grad).all()
