"""Clips as they were recorded, at the model's rate, in bounded memory."""

from __future__ import annotations

import threading

from vocemo import audio
from vocemo.errors import AudioError, CorpusError
from vocemo.lab.augment.transform import Samples
from vocemo.lab.corpora.clip import Clip


class Sounds:
    """Decodes clips, each once as long as memory lasts. Safe to share between threads."""

    def __init__(self, memory_bytes: int = 2**30) -> None:
        self._left = memory_bytes
        self._kept: dict[tuple[str, int], Samples] = {}
        self._lock = threading.Lock()

    def samples(self, clip: Clip, sample_rate: int) -> Samples:
        """A clip as `vocemo predict` decodes it, (N,) at a rate in Hz. Never write to them.

        A part of a recording is cut before its rate changes. Raises CorpusError where it cannot be read.
        """
        key = (clip.key, sample_rate)
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        made = _decoded(clip, sample_rate)
        made.flags.writeable = False
        with self._lock:
            if key not in self._kept and made.nbytes <= self._left:
                self._left -= made.nbytes
                self._kept[key] = made
        return made


def _decoded(clip: Clip, sample_rate: int) -> Samples:
    try:
        if clip.start_s is None and clip.end_s is None:
            return audio.decode(clip.path, sample_rate).samples
        whole = audio.decode(clip.path)
    except AudioError as error:
        raise CorpusError(f"{clip.path} cannot be used: {error}") from error
    start = round((clip.start_s or 0.0) * whole.sample_rate)
    stop = None if clip.end_s is None else round(clip.end_s * whole.sample_rate)
    part = whole.samples[start:stop]
    if not len(part):
        raise CorpusError(f"{clip.path} ends before the part {clip.key} begins")
    return audio.resample(part.copy(), whole.sample_rate, sample_rate)
