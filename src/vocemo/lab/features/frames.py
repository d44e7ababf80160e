"""Frames: overlapping stretches of a signal, centred on multiples of the hop.

Frame t is centred on sample t * hop; what lies before the first or after the last sample is zero.
A clip of N samples therefore has 1 + N // hop frames, librosa's `center=True, pad_mode="constant"`.
In a padded batch each clip has its own number of frames, `frame_lengths`; frames past it belong to
the padding and nothing may depend on them.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from vocemo.errors import UsageError

# Floats of framed signal worked on at a time: 2 MiB, so that frames, spectrum and its squares stay
# in a core's share of the cache instead of going out to memory between two steps.
PIECE_FLOATS = 2**19


def frame_lengths(lengths: Tensor, hop: int) -> Tensor:
    """How many frames each clip of a batch has.

    Args:
        lengths: samples of each clip, before padding.
        hop: samples from one frame's centre to the next.

    Shape: (batch,) integers -> (batch,) integers.

    >>> frame_lengths(torch.tensor([16_000, 511]), hop=512)
    tensor([32,  1])
    """
    return 1 + torch.div(lengths, hop, rounding_mode="floor")


def frame_mask(frame_lengths: Tensor, frames: int) -> Tensor:
    """True where a frame belongs to its clip, False where it belongs to the padding.

    Args:
        frame_lengths: valid frames of each clip.
        frames: frames of the padded batch.

    Shape: (batch,) -> (batch, frames) of bool.

    >>> frame_mask(torch.tensor([1, 3]), frames=3)
    tensor([[ True, False, False],
            [ True,  True,  True]])
    """
    return torch.arange(frames, device=frame_lengths.device) < frame_lengths[:, None]


def check_samples(samples: Tensor) -> None:
    """Raises UsageError unless the samples are (batch, samples)."""
    if samples.ndim != 2:
        raise UsageError(f"samples of shape {tuple(samples.shape)}; valid: (batch, samples)")


def without_padding(samples: Tensor, lengths: Tensor | None) -> Tensor:
    """The samples, with zeros in place of whatever stands past each clip's length.

    Shape: (batch, samples) and (batch,) or None -> (batch, samples).
    Raises UsageError for samples of another shape.

    >>> without_padding(torch.ones(2, 3), torch.tensor([1, 3]))
    tensor([[1., 0., 0.],
            [1., 1., 1.]])
    """
    check_samples(samples)
    if lengths is None:
        return samples
    return torch.where(frame_mask(lengths, samples.shape[1]), samples, 0.0)


def check_frame(frame_length: int, hop: int) -> None:
    """Raises UsageError unless the frame is an even number of samples and the hop at least one."""
    if frame_length < 2 or frame_length % 2:
        raise UsageError(f"a frame of {frame_length} samples; valid: an even number, at least 2")
    if hop < 1:
        raise UsageError(f"a hop of {hop} samples; valid: at least 1")


def frame_signal(
    samples: Tensor, frame_length: int, hop: int, *, exportable: bool = False, centred: bool = True
) -> Tensor:
    """Overlapping frames of each signal, centred on multiples of the hop.

    Args:
        samples: the signals.
        frame_length: samples of a frame, even.
        hop: samples from one frame's centre to the next.
        exportable: cut the signal into hops and lay shifted runs of them side by side, which every
            graph format can express, instead of making a view, which costs nothing.
        centred: with zeros around the signal; otherwise the first frame begins at its first sample, and
            the last ends within it.

    Shape: (batch, samples) -> (batch, frames, frame_length), where there are 1 + samples // hop frames,
        or 1 + (samples - frame_length) // hop where they are not centred.
    Raises UsageError for an odd frame or an empty hop.

    >>> frame_signal(torch.arange(1.0, 6.0)[None], frame_length=4, hop=2)[0]
    tensor([[0., 0., 1., 2.],
            [1., 2., 3., 4.],
            [3., 4., 5., 0.]])
    """
    check_frame(frame_length, hop)
    half = frame_length // 2 if centred else 0
    if not exportable:
        return functional.pad(samples, (half, half)).unfold(1, frame_length, hop)
    frames = 1 + (samples.shape[1] + 2 * half - frame_length) // hop
    hops_in_frame = -(-frame_length // hop)
    padded = functional.pad(samples, (half, half + hop * hops_in_frame))
    hops_in_signal = frames + hops_in_frame - 1
    hops = padded[:, : hops_in_signal * hop].reshape(samples.shape[0], hops_in_signal, hop)
    shifted = [hops[:, start : start + frames] for start in range(hops_in_frame)]
    return torch.cat(shifted, dim=2)[:, :, :frame_length]


def frame_means(samples: Tensor, frame_length: int, hop: int, frames: int) -> Tensor:
    """The mean of each centred frame, without making the frames.

    The signal is averaged over blocks that both half a frame and the hop are multiples of; each
    block is then used by all the frames that hold it.

    Args:
        samples: the signals.
        frame_length: samples of a frame, even.
        hop: samples from one frame's centre to the next.
        frames: how many frames to answer, at most 1 + (samples + 1) // hop.

    Shape: (batch, samples) -> (batch, frames).

    >>> frame_means(torch.arange(1.0, 6.0)[None], frame_length=4, hop=2, frames=3)
    tensor([[0.7500, 2.5000, 3.0000]])
    """
    half = frame_length // 2
    block = math.gcd(half, hop)
    blocks = samples.shape[1] // block
    means = samples[:, : blocks * block].reshape(samples.shape[0], blocks, block).mean(dim=2)
    rest = samples[:, blocks * block :].sum(dim=1, keepdim=True) / block
    padded = functional.pad(torch.cat([means, rest], dim=1), (half // block, half // block))
    return functional.avg_pool1d(padded[:, None], frame_length // block, hop // block)[:, 0, :frames]


def _undivided(work: Tensor) -> bool:
    """Whether to work on all at once: on a device that likes it, and in a graph, which has no loops."""
    return not work.is_cpu or torch.compiler.is_compiling()


def by_frames(frames: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """A function of single frames, applied to so many of a long clip at a time as stay in the cache.

    Shape: (batch, frames, frame_length) -> (batch, frames, whatever `function` makes of a frame).
    """
    most = max(1, PIECE_FLOATS // frames.shape[2])
    if _undivided(frames) or frames.shape[1] <= most:
        return function(frames)
    return torch.cat([function(part) for part in torch.split(frames, most, dim=1)], dim=1)


def by_clips(
    function: Callable[[Tensor, Tensor | None], Tensor],
    samples: Tensor,
    lengths: Tensor | None,
    overlap: float,
) -> Tensor:
    """A function of single clips, applied to so many at a time as stay in the processor's cache.

    Args:
        function: takes samples and lengths.
        samples: the signals.
        lengths: samples of each clip, before padding, or None.
        overlap: how many frames hold the same sample: a frame's length over the hop.

    Shape: (batch, samples), (batch,) or None -> (batch, whatever `function` makes of a clip).
    """
    check_samples(samples)
    if _undivided(samples):
        return function(samples, lengths)
    most = max(1, int(PIECE_FLOATS / (overlap * samples.shape[1] + 1)))
    if len(samples) <= most:
        return function(samples, lengths)
    clips = torch.split(samples, most)
    clip_lengths = [None] * len(clips) if lengths is None else torch.split(lengths, most)
    return torch.cat([function(*part) for part in zip(clips, clip_lengths, strict=True)])
