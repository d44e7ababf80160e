from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vocemo.errors import UsageError
from vocemo.lab.features import Rms
from vocemo.lab.features.frames import (
    PIECE_FLOATS,
    by_clips,
    by_frames,
    frame_lengths,
    frame_mask,
    frame_means,
    frame_signal,
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
    torch.testing.assert_close(frame_means(signal, frame, hop, 1 + samples // hop), expected)


def test_work_in_pieces_leaves_no_frame_out() -> None:
    numbers = torch.arange(2 * 700.0).reshape(2, 700)
    frames = numbers[:, :, None].expand(-1, -1, 2048)
    seen: list[int] = []

    def first_two(piece: torch.Tensor) -> torch.Tensor:
        seen.append(piece.shape[1])
        return piece[:, :, :2]

    torch.testing.assert_close(by_frames(frames, first_two), frames[:, :, :2])
    assert len(seen) > 1
    assert sum(seen) == 700
    assert max(seen) * 2048 <= PIECE_FLOATS


@pytest.mark.parametrize("with_lengths", [False, True])
@pytest.mark.parametrize("batch", [1, 2, 9, 100])
def test_work_in_pieces_leaves_no_clip_out(batch: int, with_lengths: bool) -> None:
    samples = torch.arange(float(batch))[:, None].expand(-1, 16_000)
    lengths = torch.arange(batch) if with_lengths else None
    seen: list[int] = []

    def first_two(samples: torch.Tensor, lengths: torch.Tensor | None) -> torch.Tensor:
        seen.append(len(samples))
        assert lengths is None or torch.equal(lengths.float(), samples[:, 0])
        return samples[:, :2]

    torch.testing.assert_close(by_clips(first_two, samples, lengths, overlap=4.0), samples[:, :2])
    assert sum(seen) == batch
    assert max(seen) * 4 * 16_000 <= PIECE_FLOATS


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
        Rms(frame, hop)


def test_one_dimension_is_refused() -> None:
    with pytest.raises(UsageError, match=r"valid: \(batch, samples\)"):
        without_padding(torch.zeros(8), None)
