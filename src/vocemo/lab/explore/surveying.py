"""Every clip of one or several corpora, measured; and what could not be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from vocemo import audio
from vocemo.audio import Audio
from vocemo.errors import AudioError, CorpusError, UsageError
from vocemo.lab.corpora import Clip, Corpus, Manifest, Refused
from vocemo.lab.corpora.reading import scan_spec
from vocemo.lab.explore.clip_statistics import ClipStatistics, measure
from vocemo.lab.explore.pitch import PitchOptions


@dataclass(frozen=True, slots=True)
class Surveyed:
    """One clip and what it measures."""

    clip: Clip
    measured: ClipStatistics


@dataclass(frozen=True, slots=True)
class SameContent:
    """Clips of one content under several names; `known` where the publisher's own release has them."""

    clips: tuple[Clip, ...]
    known: bool

    @property
    def contradictory(self) -> bool:
        """Whether the names give the one recording several emotions or speakers."""
        return len({(clip.emotion, clip.speaker) for clip in self.clips}) > 1


@dataclass(frozen=True)
class Survey:
    """What was found in one or several corpora.

    `places` are the corpora's folders, `found` the clips there, of which a sample may have been
    measured. `unreadable` could not be decoded, `known_flaws` cannot in the publisher's release
    either, `stray` are audio files whose names are none of the corpus's.
    """

    corpora: tuple[Corpus, ...]
    places: tuple[Path, ...]
    found: int
    clips: tuple[Surveyed, ...]
    unreadable: tuple[Refused, ...] = ()
    known_flaws: tuple[Refused, ...] = ()
    stray: tuple[Refused, ...] = ()
    damaged: tuple[Refused, ...] = ()  # decoded as far as they go

    @property
    def manifest(self) -> Manifest:
        """The clips alone."""
        return Manifest(tuple(each.clip for each in self.clips))

    @property
    def spoken(self) -> Survey:
        """The speech alone, where there is speech beside song; otherwise all.

        Song follows its melody: its pitch, level and length say more of that than of emotion.
        """
        speech = tuple(each for each in self.clips if each.clip.channel == "speech")
        return replace(self, clips=speech) if speech else self

    @property
    def duration_s(self) -> float:
        """Of all measured clips together."""
        return sum(each.measured.duration_s for each in self.clips)

    @property
    def silent(self) -> tuple[Surveyed, ...]:
        """Clips in which nothing sounds."""
        return tuple(each for each in self.clips if each.measured.silent)

    @property
    def clipped(self) -> tuple[Surveyed, ...]:
        """Clips with flat tops at full scale, the worst first."""
        found = [each for each in self.clips if each.measured.clipped_samples]
        return tuple(sorted(found, key=lambda each: -each.measured.clipped_samples))

    @property
    def duplicates(self) -> tuple[SameContent, ...]:
        """Groups of clips whose samples are the same; silence is no content."""
        groups: dict[str, list[Clip]] = defaultdict(list)
        for each in self.clips:
            if not each.measured.silent:
                groups[each.measured.digest].append(each.clip)
        known = {names for corpus in self.corpora for names in corpus.known_duplicates}
        return tuple(
            SameContent(tuple(same), frozenset(clip.path.stem for clip in same) in known)
            for same in groups.values()
            if len(same) > 1
        )

    def name(self, path: Path) -> str:
        """A file's name from its corpus's folder on."""
        for place in self.places:
            root = place if place.is_dir() else place.parent
            if path.is_relative_to(root):
                return path.relative_to(root).as_posix()
        return path.as_posix()


def survey(
    specs: Sequence[str],
    *,
    limit: int | None = None,
    seed: int = 0,
    jobs: int = 1,
    pitch: PitchOptions | None = None,
    each: Callable[[int, int], None] | None = None,
) -> Survey:
    """Measure every clip of some corpora.

    specs: NAME:PLACE, one or more. limit: measure no more clips than this, drawn by `seed`.
    jobs: threads. each: called with the clips done and all that there are, after each.
    errors: UsageError or UnknownNameError for a spec; CorpusError where nothing of a corpus is there, or
        none of its files can be read.
    """
    if not specs:
        raise UsageError("no corpus: name one or more, such as ravdess:DATA/ravdess")
    if limit is not None and limit < 1:
        raise UsageError(f"limit {limit}; valid: 1 clip or more")
    scans = [scan_spec(spec) for spec in specs]
    clips = list({clip.key: clip for _, _, scan in scans for clip in scan.clips.values()}.values())
    chosen = clips if limit is None or limit >= len(clips) else _drawn(clips, limit, seed)
    read: list[tuple[Clip, ClipStatistics, tuple[str, ...]]] = []
    unreadable = [refused for _, _, scan in scans for refused in scan.absent]
    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        for done, outcome in enumerate(pool.map(partial(_measured, pitch=pitch), chosen), start=1):
            if isinstance(outcome, Refused):
                unreadable.append(outcome)
            else:
                read.append(outcome)
            if each is not None:
                each(done, len(chosen))
    if not read:
        raise CorpusError(
            f"no file of {len(unreadable)} can be read; {unreadable[0].path}: {unreadable[0].reason}"
        )
    flaws = {name: why for corpus, _, _ in scans for name, why in corpus.known_flaws.items()}
    return Survey(
        corpora=tuple(corpus for corpus, _, _ in scans),
        places=tuple(place for _, place, _ in scans),
        found=len(clips),
        clips=tuple(Surveyed(clip, measured) for clip, measured, _ in read),
        unreadable=tuple(refused for refused in unreadable if refused.path.stem not in flaws),
        known_flaws=tuple(
            Refused(refused.path, f"{refused.reason}; {flaws[refused.path.stem]}")
            for refused in unreadable
            if refused.path.stem in flaws
        ),
        stray=tuple(refused for _, _, scan in scans for refused in scan.refused),
        damaged=tuple(Refused(clip.path, "; ".join(said)) for clip, _, said in read if said),
    )


def decode_clip(clip: Clip) -> Audio:
    """A clip at its own rate; of a part, that part.

    errors: AudioError where it cannot be decoded; CorpusError where it ends before the part begins.
    """
    whole = audio.decode(clip.path)
    start = round((clip.start_s or 0.0) * whole.sample_rate)
    stop = None if clip.end_s is None else round(clip.end_s * whole.sample_rate)
    part = whole.samples[start:stop]
    if not len(part):
        raise CorpusError(f"it ends at {whole.duration_s:.3f} s, before the part {clip.key} begins")
    return replace(whole, samples=part)


def _drawn(clips: Sequence[Clip], limit: int, seed: int) -> list[Clip]:
    """So many of the clips, in their order."""
    rows = np.random.default_rng(seed).permutation(len(clips))[:limit]
    return [clips[row] for row in sorted(rows)]


def _measured(
    clip: Clip, pitch: PitchOptions | None
) -> tuple[Clip, ClipStatistics, tuple[str, ...]] | Refused:
    try:
        heard = decode_clip(clip)
    except (AudioError, CorpusError) as error:
        return Refused(clip.path, str(error).removeprefix(f"{clip.path}: "))
    return clip, measure(heard.samples, heard.sample_rate, pitch), heard.warnings
