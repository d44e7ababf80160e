"""Cases by number: the same seed and number give the same file, in any process and order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fuzzing import bombs, bundles, recordings
from fuzzing.originals import Originals

Maker = Callable[[Originals, np.random.Generator], bytes]

# Kinds of cases: how each is made, and how many there are in a round.
KINDS: dict[str, tuple[Maker, int]] = {
    "recording damaged in any way": (recordings.in_any_way, 6),
    "recording with absurd numbers": (recordings.in_numbers, 6),
    "recording cut off": (recordings.cut_off, 3),
    "recording spliced of two": (recordings.spliced, 4),
    "recording damaged behind checksums": (recordings.behind_checksums, 4),
    "recording with any WAV header": (recordings.with_wav_header, 4),
    "recording of what is no number": (recordings.not_numbers, 2),
    "recording of random bytes": (recordings.anything, 3),
    "recording that is a bomb": (bombs.bomb, 1),
    "bundle damaged in any way": (bundles.in_bytes, 2),
    "bundle with altered fields": (bundles.in_fields, 5),
    "bundle with an altered description": (bundles.in_description, 5),
    "bundle of TFLite": (bundles.of_tflite, 2),
    "bundle that is something else": (bundles.foreign, 1),
}
_ROUND = tuple(kind for kind, (_, times) in KINDS.items() for _ in range(times))


@dataclass(frozen=True)
class Case:
    """A file to try."""

    index: int
    kind: str
    data: bytes

    @property
    def is_bundle(self) -> bool:
        """Whether it is given as a bundle, else as a recording."""
        return self.kind.startswith("bundle")


def case(given: Originals, seed: int, index: int) -> Case:
    """The case of this number."""
    kind = _ROUND[index % len(_ROUND)]
    return Case(index, kind, KINDS[kind][0](given, np.random.default_rng([seed, index])))
