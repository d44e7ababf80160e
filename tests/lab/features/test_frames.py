from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vocemo.errors import UsageError
from vocemo.lab.features.frames import (
    PIECE_FLOATS,
    frame_lengths,
    frame_mask,
    frame_means,
    frame_signal,
    in_pieces,
    without_padding,
)

FRAMES = st.integers(1, 40).map(lambda half: 2 * half)


@settings(max_examples=60, deadline=None)
@given(samples=st.integers(1, 300), frame=FRAMES, hop=st.integers(1, 90), exportable=st.booleans())
def test_frames_are_librosas(samples: int, frame: int, hop: int, exportable: bool) -> None:
    signal = np.arange(1, samples + 1, dtype=np.float32)
    padded = np.pad(signal, frame // 2)
    expected = librosa.util.frame(padded, frame_length=frame, hop_length=hop).T
    frames = frame_signal(torch.from_numpy(signal)[None], frame, hop, exportable=exportable)
    np.testing.assert_array_equal(frames[0].numpy(), expected)
    assert frame_lengths(torch.tensor([samples]), hop).tolist() == [len(expected)]


@settings(max_examples=60, deadline=None)
@given(samples=st.integers(1, 300), frame=FRAMES, hop=st.integers(1, 90))
def test_means_are_the_means_of_the_frames(samples: int, frame: int, hop: int) -> None:
    signal = torch.linspace(-1.0, 2.0, samples, dtype=torch.float64)[None]
    expected = frame_signal(signal, frame, hop).mean(dim=2)
    torch.testing.assert_close(frame_means(signal, frame, hop), expected)


@pytest.mark.parametrize("batch, frames", [(9, 40), (2, 700), (1, 1100)])
def test_work_in_pieces_leaves_no_frame_out(batch: int, frames: int) -> None:
    signal = torch.arange(float(batch * frames)).reshape(batch, frames)
    view = signal[:, :, None].expand(-1, -1, 2048)
    assert view.numel() > PIECE_FLOATS
    seen: list[int] = []

    def first_two(piece: torch.Tensor) -> torch.Tensor:
        seen.append(piece.numel())
        return piece[:, :, :2]

    torch.testing.assert_close(in_pieces(view, first_two), view[:, :, :2])
    assert len(seen) > 1
    assert max(seen) <= PIECE_FLOATS


def test_mask_and_padding() -> None:
    assert frame_mask(torch.tensor([0, 2]), 2).tolist() == [[False, False], [True, True]]
    samples = torch.full((2, 3), torch.nan)
    samples[0, :2] = 1.0
    assert without_padding(samples, torch.tensor([2, 0])).tolist() == [[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]


@pytest.mark.parametrize("frame, hop", [(3, 1), (0, 1), (4, 0)])
def test_impossible_frames_are_refused(frame: int, hop: int) -> None:
    with pytest.raises(UsageError, match="valid"):
        frame_signal(torch.zeros(1, 8), frame, hop)
    with pytest.raises(UsageError, match="valid"):
        frame_means(torch.zeros(1, 8), frame, hop)


def test_one_dimension_is_refused() -> None:
    with pytest.raises(UsageError, match=r"valid: \(batch, samples\)"):
        without_padding(torch.zeros(8), None)
