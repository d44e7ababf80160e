"""Several front ends at once, their pictures one above the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from vocemo.errors import UsageError
from vocemo.lab.front_ends.registry import FRONT_ENDS, build

NAME = "joined"


@FRONT_ENDS.register(NAME)
class Joined(nn.Module):
    """Front ends of one channel and one frame rate, for networks that each see one of them (`committee`).

    `members` are tables as `[front_end]` itself: a `name`, and that front end's options.
    """

    channels = 1

    def __init__(
        self,
        *,
        sample_rate_hz: int,
        members: Sequence[Mapping[str, Any]] = ({"name": "efficientat-mel"}, {"name": "byol-s-mel"}),
    ) -> None:
        super().__init__()
        if isinstance(members, str | Mapping) or not isinstance(members, Sequence) or not members:
            raise UsageError(f"front_end.members is {members!r}; valid: a list of tables, each with a name")
        built = [_build(member, sample_rate_hz) for member in members]
        self.members = nn.ModuleList(built)
        self.parts = _one_above_the_other([member.bands for member in built])
        self.bands = self.parts[-1].stop
        self.pictures = tuple(
            slice(part.start + picture.start, part.start + picture.stop)
            for part, member in zip(self.parts, built, strict=True)
            for picture in getattr(member, "pictures", (slice(0, member.bands),))
        )
        # Whether a second has as many frames more in each, wherever the first of them stands.
        lengths = (sample_rate_hz, 2 * sample_rate_hz, 3 * sample_rate_hz)
        counts = [[member.frames(n) for n in lengths] for member in built]
        if any(one[1] - one[0] != counts[0][1] - counts[0][0] or one[0] == one[1] for one in counts):
            raise UsageError(
                "the front ends that are joined must give as many frames a second, and as many as a clip is "
                f"long; of {lengths[0]} and {lengths[1]} samples they give {[one[:2] for one in counts]}"
            )

    @property
    def _each(self) -> list[Any]:
        return list(self.members)

    def forward(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Samples (batch, N), lengths (batch,) -> features (batch, 1, all bands, T), frames (batch,).

        Of front ends that differ by a frame at the end, the fewer are kept.
        """
        given = [member(samples, lengths) for member in self.members]
        width = min(features.shape[3] for features, _ in given)
        frames = torch.stack([frames for _, frames in given]).amin(dim=0)
        whole = torch.cat([features[..., :width] for features, _ in given], dim=2)
        own = torch.arange(width, device=whole.device) < frames[:, None]
        return torch.where(own[:, None, None, :], whole, 0.0), frames

    def frames(self, samples: int | None) -> int | None:
        """Frames of so many samples."""
        return None if samples is None else min(member.frames(samples) for member in self._each)

    def fit(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Let each learn; they go through the batches one after another."""
        for member in self._each:
            member.fit(batches)


def _build(member: Mapping[str, Any], sample_rate_hz: int) -> Any:
    if not isinstance(member, Mapping) or not isinstance(member.get("name"), str):
        raise UsageError(f"a front end to be joined is {member!r}; valid: a table with a name")
    if member["name"] == NAME:
        raise UsageError("joined front ends are not joined again; list their members themselves")
    options = {key: value for key, value in member.items() if key != "name"}
    built = build(member["name"], options, sample_rate_hz=sample_rate_hz)
    if built.channels != 1:
        raise UsageError(
            f"front end {member['name']} gives {built.channels} channels; joined are those of one"
        )
    return built


def _one_above_the_other(bands: Sequence[int]) -> tuple[slice, ...]:
    """The bands of each picture in the whole.

    >>> _one_above_the_other([128, 64])
    (slice(0, 128, None), slice(128, 192, None))
    """
    parts, first = [], 0
    for count in bands:
        parts.append(slice(first, first + count))
        first += count
    return tuple(parts)
