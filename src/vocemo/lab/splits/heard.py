"""What a training's initial weights have heard, held against the fold's test.

A training that begins with trained weights has learnt from two sets of clips: its own, and those behind the
weights. A test speaker in either makes the figure one of a known voice.
"""

from __future__ import annotations

from dataclasses import dataclass

from vocemo.lab.corpora.clip import Clip
from vocemo.lab.corpora.folder import FOLDER
from vocemo.lab.corpora.registry import CORPORA
from vocemo.lab.corpora.table import TABLE
from vocemo.lab.splits import leaks
from vocemo.lab.splits.content import alike
from vocemo.lab.splits.fold import Fold, speakers
from vocemo.lab.splits.leaks import Finding
from vocemo.lab.splits.likeness import sounding_alike

INITIAL = "the initial weights' training"


@dataclass(frozen=True)
class Heard:
    """What weights have learnt from.

    `clips` where the recordings can be read here; `voices` are speakers by name; of `unlisted` corpora, by
    name, nobody says which clips they were, so that each may be one.
    """

    clips: tuple[Clip, ...] = ()
    voices: frozenset[str] = frozenset()
    unlisted: tuple[str, ...] = ()


def of_initial_weights(fold: Fold, heard: Heard) -> list[Finding]:
    """Ways in which the test, or validation, of a fold is known to the weights that its training begins with.

    What touches the test is a failure. Validation that was heard chooses among epochs and calibrates with
    clips that are not new, which is worth knowing.

    >>> from pathlib import Path
    >>> ann, bob = (Clip(Path(f"{n}.wav"), "table", "sad", f"table/{n}") for n in ("ann", "bob"))
    >>> fold = Fold("as-given", 0, (bob,), (), (ann,), leaky=False)
    >>> [finding.message for finding in of_initial_weights(fold, Heard(voices=frozenset(["table/ann"])))]
    ["speakers overlap: 1 of 1 test speakers is also in the initial weights' training: table/ann"]
    """
    found: list[Finding] = []
    if fold.test:
        found += _clips_in_both(fold, heard.clips)
        named = {speaker for each in found if each.kind == "speakers" for speaker in each.items}
        shared = tuple(sorted((speakers(fold.test) & heard.voices) - named))
        if shared:
            total = len(speakers(fold.test))
            are = "is" if len(shared) == 1 else "are"
            message = f"speakers overlap: {len(shared)} of {total} test speakers {are} also in {INITIAL}: "
            found.append(_failure("speakers", message + leaks.few(list(shared)), shared))
        found += _unlisted(fold, heard)
    of_validation = speakers(fold.validation) & (heard.voices | speakers(heard.clips))
    if of_validation:
        items = tuple(sorted(of_validation))
        message = f"validation hears {len(items)} speakers of {INITIAL}: {leaks.few(list(items))}"
        found.append(Finding("speakers", message, (INITIAL, "validation"), items, failure=False))
    return found


@dataclass(frozen=True)
class _Beside(Fold):
    """The initial weights' clips in the place of training, under a name of their own."""

    @property
    def parts(self) -> dict[str, tuple[Clip, ...]]:
        return {INITIAL: self.train, "test": self.test}


def _clips_in_both(fold: Fold, clips: tuple[Clip, ...]) -> list[Finding]:
    if not clips:
        return []
    beside = _Beside(fold.protocol, fold.index, clips, (), fold.test, leaky=fold.leaky)
    copies = alike([clip for clip in (*clips, *fold.test) if not clip.variant])
    same = {(a.key, b.key) for group in copies for a in group for b in group}
    tested = {clip.key for clip in fold.test}
    others = tuple(clip for clip in clips if clip.key not in tested)
    alikes = [
        each
        for each in sounding_alike(tuple(c for c in fold.test if not c.variant), others)
        if (each.tested.key, each.other.key) not in same
    ]
    return [
        *leaks.same_clip(beside),
        *leaks.same_recording(beside),
        *leaks.same_speaker(beside),
        *leaks.same_content(beside, copies),
        *leaks.one_speaker_under_two_names(
            beside, [*copies, *((a.tested, a.other) for a in alikes if not a.warped)]
        ),
        *leaks.named_copies(beside),
        *leaks.copies_by_sound(beside, alikes),
    ]


def _unlisted(fold: Fold, heard: Heard) -> list[Finding]:
    """Test clips of corpora that the weights learnt from, where nobody says which clips of them."""
    keys = {CORPORA[name].speaker_key if name in CORPORA else name for name in heard.unlisted}
    known = [clip for clip in fold.test if {clip.corpus, clip.speaker.partition("/")[0]} & keys]
    if known:
        names = sorted({clip.corpus for clip in known})
        message = (
            f"{len(known)} of {len(fold.test)} test clips are of {leaks.few(names)}, which {INITIAL} had "
            "clips of; which ones is not recorded, so that they may be these"
        )
        return [_failure("corpora", message, tuple(names))]
    if keys & {FOLDER.name, TABLE.name}:
        message = f"{INITIAL} had somebody's own recordings, and whose voices these are is not recorded"
        return [Finding("corpora", message, (INITIAL, "test"), tuple(sorted(keys)), failure=False)]
    return []


def _failure(kind: str, message: str, items: tuple[str, ...]) -> Finding:
    return Finding(kind, message, (INITIAL, "test"), items, failure=True)
