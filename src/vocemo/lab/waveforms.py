"""Prepared clips and their kept augmented variants, in bounded memory.

A variant depends on its clip and its number alone, not on the fold, the seed or the order of asking:
all folds and seeds of a cross-validation share one pool, and a resumed run hears the same sounds.
"""

from __future__ import annotations

import dataclasses
import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from vocemo import audio
from vocemo.errors import AudioError, CorpusError
from vocemo.lab import cache_key
from vocemo.lab.augment import Chain
from vocemo.lab.corpora import CORPORA
from vocemo.lab.corpora.clip import Clip
from vocemo.lab.disk_cache import Arrays, DiskCache
from vocemo.prepare import Preparation, Prepared, prepare
from vocemo.runtime import windows
from vocemo.runtime.averaging import SILENT_BELOW_LOUDEST_DB

Samples = NDArray[np.float32]

_SURELY_S = 0.1  # a header's length and the decoded one differ by less


@dataclass(frozen=True)
class _Key:
    path: Path
    start_s: float | None
    end_s: float | None
    variant: int | None  # 0: the clip itself; None: its windows
    kind: str = ""  # of what else is made of it


class Waveforms:
    """Prepared samples of clips, each made once as long as memory lasts.

    Clips are prepared exactly as an answering model prepares them, but for the zeros that fill a fixed
    length: a batch adds those. Past `memory_bytes` further clips are made anew each time they are asked
    for, or read from `disk`, which holds the same numbers from one training to the next. Safe to share
    between threads.
    """

    def __init__(
        self,
        preparation: Preparation,
        pooled: Chain | None = None,
        memory_bytes: int = 6 * 2**30,
        disk: DiskCache | None = None,
    ) -> None:
        self.preparation = preparation
        self._pooled = pooled
        # Asked for once: it may have to read every noise of a folder.
        self.pooled_identity = pooled.identity if pooled is not None and disk is not None else ""
        self._disk = disk
        self._memory_left = memory_bytes
        self._kept: dict[_Key, Arrays] = {}
        self._lock = threading.Lock()

    def clip(self, clip: Clip) -> Samples:
        """The clip's prepared samples, (N,). Raises CorpusError, naming the clip, where it cannot be read."""
        if clip.variant:
            # What stands for a clip is as long as one where that is fixed.
            made = self.variant(dataclasses.replace(clip, variant=0), clip.variant)
            return made[: self.preparation.length]
        return self._samples(clip, 0, lambda: self._prepare(clip))

    def variant(self, clip: Clip, number: int) -> Samples:
        """The clip's kept variant of this number, (N,); number 0 is the clip itself.

        A clip that is an augmented copy is varied no further.
        """
        if self._pooled is None:
            return self.clip(dataclasses.replace(clip, variant=0))
        if number == 0 or clip.variant:
            return self.clip(clip)
        pooled = self._pooled

        def make() -> Samples:
            return pooled(self.clip(clip), self.preparation.sample_rate, _draws(clip, number))

        return self._samples(clip, number, make)

    def heard(self, clip: Clip) -> tuple[Samples, ...]:
        """The clip as an answering model hears it: itself, or its windows where it is longer than one.

        These are made as `runtime.predictor` makes them: cut, each prepared, the silent ones left out. Of a
        clip that is silent throughout, which an answering model does not answer, the first window stands in.
        """
        if clip.variant:
            return (self.clip(clip),)
        longest_s = max(self.preparation.length_s or 0.0, self.preparation.max_length_s)
        if clip.duration_s is not None and clip.duration_s < longest_s - _SURELY_S:
            return (self.clip(clip),)
        key = _key(clip, None)
        return cast(tuple[Samples, ...], self._keep(key, lambda: self._windows(clip, longest_s)))

    def made_of(self, clip: Clip, kind: str, make: Callable[[np.random.Generator], Arrays]) -> Arrays:
        """What `make` makes of a clip, made once like the clip itself.

        kind: says all that it depends on beside the clip and its preparation. make: takes all its draws from
        the generator that it is given, which is the clip's own.
        """

        def stored() -> Arrays:
            return self._stored(clip, 1, kind, lambda: make(_draws(clip, 1)))

        return self._keep(dataclasses.replace(_key(clip, 1), kind=kind), stored)

    def _keep(self, key: _Key, make: Callable[[], Arrays]) -> Arrays:
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        made = make()
        needed = sum(each.nbytes for each in made)
        with self._lock:
            if key not in self._kept and needed <= self._memory_left:
                self._memory_left -= needed
                self._kept[key] = made
        return made

    def _samples(self, clip: Clip, number: int, make: Callable[[], Samples]) -> Samples:
        def stored() -> Arrays:
            return self._stored(clip, number, self.pooled_identity, lambda: (make(),))

        return cast(Samples, self._keep(_key(clip, number), stored)[0])

    def _stored(self, clip: Clip, number: int, kind: str, make: Callable[[], Arrays]) -> Arrays:
        """From the disk, or made and put there."""
        if self._disk is None:
            return make()
        try:
            key = cache_key.key(clip, self.preparation, kind, _identity(clip), number)
        except OSError:  # making it says what is wrong, and of which clip
            return make()
        stored = self._disk.get(key)
        if stored is None:
            stored = make()
            self._disk.put(key, *stored)
        return stored

    def _prepare(self, clip: Clip) -> Samples:
        try:
            prepared = prepare(self._decode(clip), self.preparation.sample_rate, self.preparation)
        except AudioError as error:
            raise CorpusError(f"{clip.path} cannot be used: {error}") from error
        return _unpadded(prepared)

    def _windows(self, clip: Clip, longest_s: float) -> tuple[Samples, ...]:
        samples, rate = self._decode(clip), self.preparation.sample_rate
        if len(samples) <= round(longest_s * rate):
            return (self.clip(clip),)
        preparation = dataclasses.replace(self.preparation, offset_s=0.0)
        window = round((self.preparation.length_s or self.preparation.max_length_s) * rate)
        heard: list[tuple[float, Samples]] = []
        for _, part in windows.cut([samples], window):
            if (prepared := windows.audible(part, rate, preparation)) is not None:
                heard.append((windows.level_db(part), _unpadded(prepared)))
        if not heard:
            return (samples[:window].copy(),)
        floor_db = max(level_db for level_db, _ in heard) - SILENT_BELOW_LOUDEST_DB
        return tuple(part for level_db, part in heard if level_db >= floor_db)

    def _decode(self, clip: Clip) -> Samples:
        """The clip at the model's rate, as an answering model decodes; a part is cut before all else."""
        try:
            whole = audio.decode(clip.path)
        except AudioError as error:
            raise CorpusError(f"{clip.path} cannot be used: {error}") from error
        start = 0 if clip.start_s is None else round(clip.start_s * whole.sample_rate)
        stop = None if clip.end_s is None else round(clip.end_s * whole.sample_rate)
        part = whole.samples[start:stop]
        if not len(part):
            raise CorpusError(
                f"{clip.path} ends at {whole.duration_s:.3f} s, before the part {clip.key} begins"
            )
        return audio.resample(part, whole.sample_rate, self.preparation.sample_rate)


def _key(clip: Clip, variant: int | None) -> _Key:
    return _Key(clip.path, clip.start_s, clip.end_s, variant)


def _draws(clip: Clip, number: int) -> np.random.Generator:
    """Where a clip's variant of this number takes its draws."""
    digest = hashlib.sha256(_identity(clip).encode()).digest()
    return np.random.default_rng([int.from_bytes(digest[:8], "little"), number])


def _identity(clip: Clip) -> str:
    """What a clip's draws come from."""
    # By name and not by path: the same corpus in another place gives the same variants.
    whose = ""
    if clip.corpus in CORPORA and CORPORA[clip.corpus].names_repeat:
        whose = f"{clip.emotion}|{clip.speaker}|"
    return f"{clip.corpus}|{whose}{clip.path.name}|{clip.start_s}"


def _unpadded(prepared: Prepared) -> Samples:
    padded = prepared.length < len(prepared.samples)
    return prepared.samples[: prepared.length].copy() if padded else prepared.samples
