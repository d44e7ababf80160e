"""The ways in which the parts of a fold can touch, one function each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations

from vocemo.lab.corpora.clip import Clip
from vocemo.lab.splits.copies import families, may_be_one, pairs_apart, sound_alike
from vocemo.lab.splits.fold import Fold, speaker_is_known, speakers
from vocemo.lab.splits.likeness import Alike

# A message names so many of what it is about, and counts the rest.
_NAMED = 6


@dataclass(frozen=True)
class Finding:
    """One way in which parts of a fold touch.

    `items` are speakers or clip keys. A finding that is not a `failure` is worth knowing, no more.
    """

    kind: str
    message: str
    parts: tuple[str, ...]
    items: tuple[str, ...]
    failure: bool


def _pairs(fold: Fold) -> list[tuple[str, tuple[Clip, ...], str, tuple[Clip, ...]]]:
    return [(a, x, b, y) for (a, x), (b, y) in combinations(fold.parts.items(), 2) if x and y]


def same_clip(fold: Fold) -> list[Finding]:
    """Clips that stand in two parts."""
    found = []
    for a, x, b, y in _pairs(fold):
        keys = sorted({c.key for c in x} & {c.key for c in y})
        if keys:
            where = f"in {a} and in {b}"
            if {c.key for c in x} == {c.key for c in y}:
                where = f"{where}, which are one and the same"
            found.append(
                Finding(
                    "same clip", f"{_are(len(keys), 'clip')} {where}: {few(keys)}", (a, b), tuple(keys), True
                )
            )
    return found


def same_recording(fold: Fold) -> list[Finding]:
    """Cuttings of one file in two parts: one voice, one room, perhaps the same seconds."""
    found = []
    for a, x, b, y in _pairs(fold):
        keys = {c.key for c in x} & {c.key for c in y}
        # Copies of one recording are no cuttings of it: `derived` names them.
        files = {c.path for c in x if c.key not in keys and not c.variant}
        files &= {c.path for c in y if c.key not in keys and not c.variant}
        if files:
            names = sorted(map(str, files))
            message = f"cuttings of one recording are in {a} and in {b}: {few(names)}"
            found.append(Finding("same recording", message, (a, b), tuple(names), True))
    return found


def same_speaker(fold: Fold) -> list[Finding]:
    """Known speakers of one part in another; into the test it is a leak."""
    found = []
    for a, x, b, y in _pairs(fold):
        shared = sorted(speakers(x) & speakers(y))
        if not shared:
            continue
        if b == "test":
            total = len(speakers(y))
            are = "is" if len(shared) == 1 else "are"
            message = (
                f"speakers overlap: {len(shared)} of {total} test speakers {are} also in {a}: {few(shared)}"
            )
        else:
            message = f"validation hears {len(shared)} of the training speakers: {few(shared)}"
        found.append(Finding("speakers", message, (a, b), tuple(shared), failure=b == "test"))
    return found


def same_content(fold: Fold, copies: list[tuple[Clip, ...]]) -> list[Finding]:
    """One recording under several names, in several parts."""
    parts = _parts_of(fold)
    found = []
    for group in copies:
        where = sorted({p for c in group for p in parts[c.key]}, key=list(fold.parts).index)
        # The same clip in two parts is a finding of its own; here two names must lie apart.
        apart = any(parts[a.key] != parts[b.key] for a, b in combinations(group, 2))
        if len(where) > 1 and apart:
            each = ", ".join(f"{c.key} ({' and '.join(parts[c.key])})" for c in group[:_NAMED])
            message = f"the same recording is under {len(group)} names: {each}"
            found.append(Finding("same content", message, tuple(where), tuple(c.key for c in group), True))
    return found


def one_speaker_under_two_names(fold: Fold, copies: list[tuple[Clip, ...]]) -> list[Finding]:
    """Speakers who share a recording are one voice, wherever their other clips are."""
    voice: dict[str, str] = {}

    def find(name: str) -> str:
        while voice.get(name, name) != name:
            name = voice[name]
        return name

    for group in copies:
        names = sorted({c.speaker for c in group if speaker_is_known(c)})
        for other in names[1:]:
            voice[find(other)] = find(names[0])
    voices: dict[str, set[str]] = defaultdict(set)
    for name in {n for names in map(speakers, fold.parts.values()) for n in names}:
        voices[find(name)].add(name)
    found = []
    for aliases in sorted(voices.values(), key=sorted):
        if len(aliases) == 1:
            continue
        where = tuple(p for p, clips in fold.parts.items() if speakers(clips) & aliases)
        leak = "test" in where and len(where) > 1
        message = f"{', '.join(sorted(aliases))} share recordings, so they are one voice; "
        message += f"it is in {' and '.join(where)}"
        found.append(Finding("one speaker, two names", message, where, tuple(sorted(aliases)), leak))
    return found


def derived(fold: Fold, sources: Mapping[str, str]) -> list[Finding]:
    """Clips made from the same clip, in several parts."""
    parts = _parts_of(fold)
    made = {c.key: replace(c, variant=0).key for clips in fold.parts.values() for c in clips if c.variant}
    sources = {**made, **sources}
    made_from: dict[str, list[str]] = defaultdict(list)
    for key in parts:
        made_from[_root(key, sources)].append(key)
    found = []
    for root, keys in sorted(made_from.items()):
        where = sorted({p for k in keys for p in parts[k]}, key=list(fold.parts).index)
        if len(keys) > 1 and len(where) > 1:
            each = ", ".join(f"{k} ({' and '.join(parts[k])})" for k in keys[:_NAMED])
            message = f"clips made from {root} are in {' and '.join(where)}: {each}"
            found.append(Finding("derived copies", message, tuple(where), tuple(keys), True))
    return found


def named_copies(fold: Fold) -> list[Finding]:
    """Clips in several parts whose names say that one is an augmented copy of the other.

    Where their sounds agree it is a leak; where they do not, as after a stretch, it is a suspicion.
    """
    parts = _parts_of(fold)
    shown: list[tuple[Clip, Clip]] = []
    suspected: list[tuple[Clip, Clip]] = []
    for family in families(c for clips in fold.parts.values() for c in clips):
        for one, other in pairs_apart(family, parts):
            (shown if sound_alike(one, other) else suspected).append((one, other))
    return [
        *_of_pairs(
            fold, shown, "recordings and augmented copies of them, by name and by sound,", "derived copies"
        ),
        *_of_pairs(
            fold,
            suspected,
            "named like recordings and augmented copies of them, which their sound does not show,",
            "names of copies",
            failure=False,
        ),
    ]


def copies_by_sound(fold: Fold, alikes: list[Alike]) -> list[Finding]:
    """Test clips that sound like clips of other parts, whatever all are called.

    Where the very frequencies and times agree it is a leak, whoever is said to speak. At another tempo or
    pitch it is one where both may be one voice; of two that one corpus calls different speakers, a suspicion.
    """
    same = [(a.other, a.tested) for a in alikes if not a.warped]
    changed = [(a.other, a.tested) for a in alikes if a.warped and may_be_one(a.other, a.tested)]
    suspected = [(a.other, a.tested) for a in alikes if a.warped and not may_be_one(a.other, a.tested)]
    return [
        *_of_pairs(fold, same, "one recording each by their sound, whatever their names,", "derived copies"),
        *_of_pairs(
            fold,
            changed,
            "one recording each by their sound, changed in tempo, pitch or room,",
            "derived copies",
        ),
        *_of_pairs(
            fold,
            suspected,
            "so alike in sound that one may be a copy of the other, changed in tempo, pitch or room,",
            "sounds of copies",
            failure=False,
        ),
    ]


def _of_pairs(
    fold: Fold, pairs: list[tuple[Clip, Clip]], what: str, kind: str, *, failure: bool = True
) -> list[Finding]:
    """One finding for pairs of clips that stand apart, or none."""
    if not pairs:
        return []
    parts = _parts_of(fold)
    keys = list(dict.fromkeys(clip.key for pair in pairs for clip in pair))
    where = sorted({p for k in keys for p in parts[k]}, key=list(fold.parts).index)
    one, other = pairs[0]
    message = f"{_are(len(pairs), 'pair')} {what} in {' and '.join(where)}, such as "
    message += (
        f"{one.key} ({' and '.join(parts[one.key])}) and {other.key} ({' and '.join(parts[other.key])})"
    )
    return [Finding(kind, message, tuple(where), tuple(keys), failure)]


def _root(key: str, sources: Mapping[str, str]) -> str:
    seen = {key}
    while key in sources and sources[key] not in seen:
        key = sources[key]
        seen.add(key)
    return key


def unknown_speakers(fold: Fold) -> list[Finding]:
    """Clips that do not say who speaks, so that nobody can say that they keep apart."""
    nameless = {name: [c for c in clips if not speaker_is_known(c)] for name, clips in fold.parts.items()}
    where = tuple(name for name, clips in nameless.items() if clips)
    if not where or not fold.test:
        return []
    corpora = [{c.corpus for c in nameless[name]} for name in where]
    mixed = "test" in where and any(a & b for a, b in combinations(corpora, 2))
    count = sum(map(len, nameless.values()))
    message = f"{_are(count, 'clip')} of unknown speakers, in {' and '.join(where)}; "
    message += (
        "that they keep apart cannot be shown"
        if mixed
        else "they come from corpora that the test is not from"
    )
    return [
        Finding(
            "unknown speakers",
            message,
            where,
            tuple(c.key for clips in nameless.values() for c in clips),
            mixed,
        )
    ]


def unheard_emotions(fold: Fold) -> list[Finding]:
    """Emotions that are asked for and were never taught."""
    heard = {c.emotion for c in fold.train}
    found = []
    for name in ("validation", "test"):
        unheard = sorted({c.emotion for c in fold.parts[name]} - heard)
        if unheard:
            message = f"{name} asks for emotions that no training clip has: {', '.join(unheard)}"
            found.append(Finding("unheard emotions", message, ("train", name), tuple(unheard), False))
    return found


def _parts_of(fold: Fold) -> dict[str, list[str]]:
    parts: dict[str, list[str]] = defaultdict(list)
    for name, clips in fold.parts.items():
        for key in dict.fromkeys(c.key for c in clips):
            parts[key].append(name)
    return parts


def _are(count: int, noun: str) -> str:
    return f"{count} {noun} is" if count == 1 else f"{count} {noun}s are"


def few(names: list[str]) -> str:
    """The first of some names, and how many more there are."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
