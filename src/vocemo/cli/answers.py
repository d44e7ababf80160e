"""From the inputs of `vocemo predict` to their answers, in order."""

from __future__ import annotations

import contextlib
import dataclasses
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vocemo import audio
from vocemo.bundle import usable_cores
from vocemo.cli.inputs import STANDARD_INPUT
from vocemo.cli.resuming import Held
from vocemo.errors import UsageError, VocemoError
from vocemo.runtime.prediction import Failure, Prediction
from vocemo.runtime.predictor import MOST_JOBS, Predictor
from vocemo.runtime.source import OneChannel, Source

# Of all files together: 17 minutes at 16 kHz, a second and a half of work, and two processes' beginning.
LONG_BYTES = 32 * 2**20


@dataclass(frozen=True)
class Answered:
    """What is to be told of an input: an answer, a Failure, or None for what needs none any more.

    speaker: who of the recording's speakers it is of, empty where they are not taken apart. last: whether
    nothing more comes of this input.
    """

    answer: Prediction | Failure | None
    speaker: str = ""
    last: bool = True


@dataclass(frozen=True)
class _Asked:
    path: str
    sha256: str | None
    speaker: str
    last: bool


def answers(
    predictor: Predictor,
    inputs: Sequence[str | Failure],
    piped: bytes,
    jobs: int | None,
    *,
    timeline: bool,
    held: Held,
    by_channel: bool = False,
) -> Iterator[Answered]:
    """The answer to each input, or to each of its channels; what stands for no recording is its own answer.

    piped: what standard input held. held: what needs no answer any more. by_channel: whether each channel of
    a recording is asked for apart. Raises UsageError where one of those is held as a whole.
    """
    recordings = {given for given in inputs if isinstance(given, str)}
    under_way = deque[Answered | _Asked]()

    def sources() -> Iterator[Source]:
        """What is to be answered, noting all that stands before it."""
        for given in inputs:
            if isinstance(given, Failure):
                under_way.append(Answered(given))
                continue
            recording = piped if given == STANDARD_INPUT else given
            sha256 = held.hash_of(given)
            count = _channels(recording) if by_channel else 1
            if count > 1 and held.has(given, sha256, recordings):
                raise UsageError(
                    f"--output holds {given} without its channels, and --by-channel is given: give what it "
                    "was begun with, or another file"
                )
            all_of_it = range(count) if count > 1 else (None,)
            missing = [each for each in all_of_it if not held.has(given, sha256, recordings, each)]
            if not missing:
                under_way.append(Answered(None))
            for channel in missing:
                who = "" if channel is None else speaker(channel, count)
                under_way.append(_Asked(given, sha256, who, last=channel == missing[-1]))
                yield recording if channel is None else OneChannel(recording, channel)

    jobs = min(usable_cores(), MOST_JOBS) if jobs is None else jobs
    if len(recordings) == 1:
        jobs = 1  # a pool of threads takes longer to start than it saves
    processes = jobs if jobs > 1 and _is_long(recordings) and _divisible() else 1
    for answer in predictor.predict_many(sources(), jobs=jobs, processes=processes, timeline=timeline):
        while not isinstance(before := under_way.popleft(), _Asked):
            yield before
        if isinstance(answer, Prediction):
            path = before.path if before.path == STANDARD_INPUT else answer.path
            answer = dataclasses.replace(answer, path=path, sha256=before.sha256)
        elif before.path == STANDARD_INPUT:
            answer = dataclasses.replace(answer, path=before.path)
        yield Answered(answer, before.speaker, before.last)
    for rest in under_way:
        assert isinstance(rest, Answered)  # each of the others was answered
        yield rest


def _is_long(recordings: Iterable[str]) -> bool:
    """Whether there is so much to answer that several processes are worth their beginning."""
    total = 0
    for path in recordings:
        with contextlib.suppress(OSError):  # whoever opens it says why
            total += Path(path).stat().st_size
        if total >= LONG_BYTES:
            return True
    return False


def _divisible() -> bool:
    from vocemo.runtime.processes import possible

    return possible()


def speaker(channel: int, channels: int) -> str:
    """What a channel, from 0, of so many is called.

    >>> speaker(1, 2), speaker(1, 6)
    ('right', 'channel 1 of 6')
    """
    return ("left", "right")[channel] if channels == 2 else f"channel {channel} of {channels}"


def _channels(recording: audio.Source) -> int:
    """How many channels a recording has; 1 where it is none: whoever decodes it says why."""
    try:
        return audio.probe(recording).channels
    except (VocemoError, OSError):
        return 1
