"""What prepared samples depend on, as a key: content, preparation, augmentation, the code that makes them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from pathlib import Path

from vocemo.lab.corpora.clip import Clip
from vocemo.prepare import Preparation

# What makes samples: the package's own parts, and the libraries below them.
_CODE = ("audio", "prepare", "lab/augment", "lab/waveforms.py")
_LIBRARIES = ("numpy", "scipy", "soxr", "soundfile", "av", "noisereduce", "python-stretch")


def key(
    clip: Clip, preparation: Preparation, augmentation: str = "", identity: str = "", number: int = 0
) -> str:
    """A key of 64 hexadecimal digits, equal for samples that are made alike from the same recording.

    A clip counts by its file's content, not by its name or place.

    augmentation: the identity of the chain that makes variants.
    identity: what the clip's draws come from.
    number: of the variant; 0 is the clip as it is, which depends on neither.

    Raises OSError where the file cannot be read.
    """
    state = clip.path.stat()
    parts = {
        "content": _content(clip.path, state.st_size, state.st_mtime_ns),
        "part": [clip.start_s, clip.end_s],
        "preparation": preparation.to_dict(),
        "augmentation": augmentation if number else "",
        "variant": [identity, number] if number else 0,
        "made by": made_by(*_CODE),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@lru_cache(maxsize=2**16)
def _content(path: Path, size: int, modified_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def made_by(*code: str) -> str:
    """A digest of parts of the package, files or folders, and of the libraries' versions: another vocemo
    makes its own entries.
    """
    digest = hashlib.sha256()
    for name in code:
        for file in _sources(resources.files("vocemo").joinpath(name)):
            digest.update(file.read_bytes())
    for library in _LIBRARIES:
        try:
            digest.update(f"{library} {metadata.version(library)}".encode())
        except metadata.PackageNotFoundError:
            digest.update(f"{library} none".encode())
    return digest.hexdigest()


def _sources(place: Traversable) -> Iterator[Traversable]:
    if place.is_file():
        yield place
        return
    for below in sorted(place.iterdir(), key=lambda each: each.name):
        if below.is_dir() or below.name.endswith(".py"):
            yield from _sources(below)
