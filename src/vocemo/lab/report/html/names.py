"""Recordings by names that say where in their corpus they are, and not where on this machine."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePath

from vocemo.lab.evaluate import Subject

_DEEPEST = 3  # parts of a path that are shown, however little the paths of a corpus have in common


class ShortNames:
    """Paths without the folder that all paths of their corpus lie in."""

    def __init__(self, subjects: Iterable[Subject]) -> None:
        folders: dict[str, set[str]] = defaultdict(set)
        for subject in subjects:
            if subject.path:
                folders[subject.corpus].add(str(PurePath(subject.path).parent))
        self._roots = sorted({_common(found) for found in folders.values()}, key=len, reverse=True)

    def __call__(self, path: str) -> str:
        """The path's end.

        >>> ShortNames([Subject("/data/c/a/1.wav"), Subject("/data/c/b/1.wav")])("/data/c/a/1.wav")
        'a/1.wav'
        """
        whole = PurePath(path)
        for root in self._roots:
            if whole.is_relative_to(root):
                whole = whole.relative_to(root)
                break
        return "/".join(part for part in whole.parts[-_DEEPEST:] if part != whole.anchor)

    def within(self, text: str, paths: Iterable[str]) -> str:
        """A text with these paths in it shortened."""
        for path in sorted(set(paths), key=len, reverse=True):
            text = text.replace(path, self(path))
        return text


def _common(folders: set[str]) -> str:
    try:
        return os.path.commonpath(folders)
    except ValueError:  # some are absolute and some are not
        return "."
