"""The checksum at the end of a .tflite bundle: LiteRT, given a damaged graph, brings the process down.

The file is followed by a mark and the SHA-256 of all before it, which readers of TFLite pass over. It tells
damage, not malice: whoever changes a file can seal it again.
"""

from __future__ import annotations

import hashlib

from vocemo.errors import BundleError

MARK = b"vocemo-sha256:"


def sealed(content: bytes) -> bytes:
    """A file's bytes with their checksum behind them."""
    return content + MARK + hashlib.sha256(content).digest()


def check_seal(content: bytes) -> None:
    """Raise BundleError unless a file ends with the checksum of what is before it.

    >>> check_seal(sealed(b"a graph"))
    >>> check_seal(sealed(b"a graph").replace(b"graph", b"grape"))
    Traceback (most recent call last):
        ...
    vocemo.errors.BundleError: damaged: its checksum is not that of its content
    """
    end = len(content) - len(MARK) - hashlib.sha256().digest_size
    if end < 0 or content[end : end + len(MARK)] != MARK:
        raise BundleError("cut off or written by another vocemo: no checksum is at its end; export it again")
    if content != sealed(content[:end]):
        raise BundleError("damaged: its checksum is not that of its content")
