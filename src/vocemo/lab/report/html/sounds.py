"""Recordings small enough to stand in a page: MP3, which every browser plays, as data URLs."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from vocemo.audio import decode
from vocemo.errors import VocemoError

RATE_HZ = 24_000  # voices keep all that tells an emotion
LONGEST_S = 10.0
MOST_BYTES = 1_500_000  # of all recordings of a page
FADE_S = 0.02  # so that a cut recording does not end with a click
# A clip's key: the path, perhaps the part of it in seconds, perhaps the number of an augmented copy.
_KEY = re.compile(r"^(?P<path>.+?)(?:#(?P<start>[\d.e+-]+?)-(?P<end>[\d.e+-]+))?(?P<copy>~\d+)?$", re.DOTALL)


@dataclass(frozen=True)
class Sound:
    """A recording as the page holds it."""

    url: str
    duration_s: float
    cut: bool  # whether it goes on in the file


class Recordings:
    """Recordings wherever they can still be found, until the page has as much of them as it may."""

    def __init__(self, root: Path = Path()) -> None:
        """`root` is the folder that relative paths start from."""
        self._root, self._left = root, MOST_BYTES

    def sound(self, key: str) -> Sound | None:
        """A clip by its key; None where it has moved, is broken, an augmented copy, or does not fit."""
        found = _KEY.match(key)
        if found is None or found["copy"]:
            return None
        whole = self._root / key  # a file's own name may look like that of a part
        start, end = (None, None) if whole.is_file() else (found["start"], found["end"])
        try:
            audio = decode(whole if start is None else self._root / found["path"], RATE_HZ)
        except (VocemoError, OSError, ValueError):
            return None
        first = 0 if start is None else round(float(start) * RATE_HZ)
        last = len(audio.samples) if end is None else round(float(end) * RATE_HZ)
        samples = audio.samples[first:last]
        kept = samples[: round(LONGEST_S * RATE_HZ)]
        packed = _mp3(kept, faded=len(kept) < len(samples)) if len(kept) else b""
        if not packed or len(packed) > self._left:
            return None
        self._left -= len(packed)
        url = "data:audio/mpeg;base64," + base64.b64encode(packed).decode("ascii")
        return Sound(url, len(kept) / RATE_HZ, len(kept) < len(samples))


def _mp3(samples: np.ndarray[tuple[int, ...], np.dtype[np.float32]], *, faded: bool) -> bytes:
    """The samples as MP3; nothing where libsndfile is too old to write it."""
    if faded:
        fade = round(FADE_S * RATE_HZ)
        samples = samples.copy()
        samples[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    packed = io.BytesIO()
    try:
        soundfile.write(packed, np.clip(samples, -1, 1), RATE_HZ, "MPEG_LAYER_III", format="MP3")
    except (soundfile.LibsndfileError, ValueError):
        return b""
    return packed.getvalue()
