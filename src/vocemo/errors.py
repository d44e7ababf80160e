"""Every error that vocemo raises on purpose.

    VocemoError
    |- UsageError              the request itself is wrong: says what was given and what is valid
    |  |- UnknownNameError       a recipe, corpus, protocol, emotion or option that does not exist
    |  `- MissingExtraError      the verb needs an optional part that is not installed
    |- AudioError              one recording cannot be answered
    |  |- AudioNotFoundError     no such file
    |  |- NotAudioError          the content is no audio that can be decoded
    |  |- EmptyAudioError        a container without a single sample
    |  |- TooShortAudioError     fewer samples than the model needs
    |  `- NonFiniteAudioError    samples that are not numbers (NaN or infinite), or that no sound has
    |- BundleError             a model file that is broken, foreign or too new
    |- MicrophoneError         a sound card that is not there, does not open or has vanished
    |- CorpusError             a corpus that is not where, or what, it was said to be
    |- LeakError               a split that breaks the promise of its protocol
    |- RunError                a run folder that cannot be resumed, read or evaluated
    |  `- DivergedError          a training whose loss is no longer a number
    `- DownloadError           a transfer that failed, or whose content is not what was published

`UsageError` ends the command line with status 2; an `AudioError` of one recording among many
is reported beside the answers of the others and ends it with status 1.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class VocemoError(Exception):
    """Base of every error that vocemo raises on purpose."""


class UsageError(VocemoError, ValueError):
    """The request itself is wrong."""


class UnknownNameError(UsageError):
    """A name that does not exist, answered with those that do.

    >>> str(UnknownNameError("emotion", "hapy", ["happy", "sad"]))
    "unknown emotion 'hapy'; did you mean 'happy'? Valid: happy, sad"
    """

    def __init__(self, kind: str, given: str, valid: Iterable[str]) -> None:
        names = list(valid)
        close = difflib.get_close_matches(given, names, n=1)
        hint = f"did you mean '{close[0]}'? " if close else ""
        super().__init__(f"unknown {kind} '{given}'; {hint}Valid: {', '.join(names)}")
        self.kind, self.given, self.valid = kind, given, names

    def __reduce__(self) -> tuple[type[UnknownNameError], tuple[str, str, list[str]]]:
        # An exception is pickled by what stands in its message; a worker's would not come back.
        return type(self), (self.kind, self.given, self.valid)


class MissingExtraError(UsageError):
    """An optional part is not installed.

    >>> str(MissingExtraError("vocemo train", "lab"))
    "vocemo train needs an optional part: pip install 'vocemo[lab]'"
    """

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an optional part: pip install 'vocemo[{extra}]'")
        self.what, self.extra = what, extra

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str]]:
        return type(self), (self.what, self.extra)


class AudioError(VocemoError):
    """One recording cannot be answered."""


class AudioNotFoundError(AudioError):
    """No such file."""


class NotAudioError(AudioError):
    """The content is no audio that can be decoded."""


class EmptyAudioError(AudioError):
    """A container without a single sample."""


class TooShortAudioError(AudioError):
    """Fewer samples than the model needs."""


class NonFiniteAudioError(AudioError):
    """Samples that are not numbers (NaN or infinite), or so large that no sound has them."""


class BundleError(VocemoError):
    """A model file that is broken, foreign or too new."""


class MicrophoneError(VocemoError):
    """A sound card that is not there, does not open or has vanished."""


class CorpusError(VocemoError):
    """A corpus that is not where, or what, it was said to be."""


class LeakError(VocemoError):
    """A split that breaks the promise of its protocol."""


class RunError(VocemoError):
    """A run folder that cannot be resumed, read or evaluated."""


class DivergedError(RunError):
    """A training whose loss is no longer a number."""


class DownloadError(VocemoError):
    """A transfer that failed, or whose content is not what was published."""
