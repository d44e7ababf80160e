"""Prepared clips and their kept augmented variants, in bounded memory.

A variant depends on its clip and its number alone, not on the fold, the seed or the order of asking:
all folds and seeds of a cross-validation share one pool, and a resumed run hears the same sounds.
"""

from __future__ import annotations

import dataclasses
import hashlib
import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vocemo import audio
from vocemo.errors import AudioError, CorpusError
from vocemo.lab.augment import Chain
from vocemo.lab.corpora.clip import Clip
from vocemo.prepare import Preparation, prepare
from vocemo.runtime import windows
from vocemo.runtime.predictor import SILENT_BELOW_LOUDEST_DB

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class _Key:
    clip: str
    variant: int  # 0: the clip itself


class Waveforms:
    """Prepared samples of clips, each made once as long as memory lasts.

    Clips are prepared exactly as an answering model prepares them. Past `memory_bytes` further clips are
    made anew each time they are asked for. Safe to share between threads.
    """

    def __init__(
        self, preparation: Preparation, pooled: Chain | None = None, memory_bytes: int = 6 * 2**30
    ) -> None:
        self.preparation = preparation
        self._pooled = pooled
        self._memory_left = memory_bytes
        self._kept: dict[_Key, Samples] = {}
        self._lock = threading.Lock()

    def clip(self, clip: Clip) -> Samples:
        """The clip's prepared samples, (N,). Raises CorpusError, naming the clip, where it cannot be read."""
        return self._keep(_Key(clip.key, 0), clip)

    def variant(self, clip: Clip, number: int) -> Samples:
        """The clip's kept variant of this number, (N,); number 0 is the clip itself."""
        return self._keep(_Key(clip.key, number), clip)

    def heard(self, clip: Clip) -> tuple[Samples, ...]:
        """The clip as an answering model hears it: itself, or its windows where it is longer than one.

        These are made as `runtime.predictor` makes them: cut, each prepared, the silent ones left out.
        """
        longest_s = self.preparation.length_s or self.preparation.max_length_s
        if clip.duration_s is None or clip.duration_s <= max(longest_s, self.preparation.max_length_s):
            return (self.clip(clip),)
        recording = self._decode(clip)
        window = round(longest_s * recording.sample_rate)
        raw = [part for _, part in windows.cut([recording.samples], window)]
        floor_db = max(map(windows.level_db, raw)) - SILENT_BELOW_LOUDEST_DB
        loud = [part for part in raw if windows.level_db(part) >= floor_db]
        prepared = [prepare(part, recording.sample_rate, self.preparation) for part in loud]
        return tuple(each.samples for each in prepared if not each.silent) or (self.clip(clip),)

    def _keep(self, key: _Key, clip: Clip) -> Samples:
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        made = self._prepare(clip) if key.variant == 0 else self._augment(clip, key.variant)
        with self._lock:
            if made.nbytes <= self._memory_left:
                self._memory_left -= made.nbytes
                self._kept[key] = made
        return made

    def _prepare(self, clip: Clip) -> Samples:
        recording = self._decode(clip)
        try:
            return prepare(recording.samples, recording.sample_rate, self.preparation).samples
        except AudioError as error:
            raise CorpusError(f"{clip.path} cannot be used: {error}") from error

    def _decode(self, clip: Clip) -> audio.Audio:
        """The clip at its own rate; a part is cut before anything else is done to it."""
        try:
            whole = audio.decode(clip.path)
        except AudioError as error:
            raise CorpusError(f"{clip.path} cannot be used: {error}") from error
        start = 0 if clip.start_s is None else round(clip.start_s * whole.sample_rate)
        stop = None if clip.end_s is None else round(clip.end_s * whole.sample_rate)
        return dataclasses.replace(whole, samples=whole.samples[start:stop])

    def _augment(self, clip: Clip, number: int) -> Samples:
        if self._pooled is None:
            return self.clip(clip)
        # By name and not by path: the same corpus in another place gives the same variants.
        identity = f"{clip.corpus}|{clip.path.name}|{clip.start_s}"
        digest = hashlib.sha256(identity.encode()).digest()
        rng = np.random.default_rng([int.from_bytes(digest[:8], "little"), number])
        return self._pooled(self.clip(clip), self.preparation.sample_rate, rng)
