"""What stands out in a corpus: what a model could learn from it in place of emotion, and what is wrong in it.

Each rule looks at one thing and says what it found in a sentence or nothing at all. A share of the
variance counts from 14 % on, which is what Cohen calls a large effect (Cohen 1988, "Statistical power
analysis for the behavioral sciences", 8.2.2: f = 0.40).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vocemo.lab.explore.summary import (
    MEASURES,
    cells,
    counts,
    emotion_of,
    explained_share,
    grouped,
    pitch_against_speaker,
    sex_of,
    speaker_of,
)
from vocemo.lab.explore.surveying import Survey
from vocemo.lab.report.wording import capital, listed, many

LARGE_EFFECT = 0.14  # of the variance
UNEQUAL = 1.5  # times as many clips
APART_DB = 6.0  # twice the amplitude
LONGER = 1.25  # times the duration
FEW_SPEAKERS = 4
FEWEST_IN_A_GROUP = 5  # clips, before a difference between groups is told


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence or two; a `caution` wants something done before training, a `note` wants knowing."""

    weight: Literal["caution", "note"]
    topic: str
    text: str


def findings(survey: Survey) -> tuple[Finding, ...]:
    """All that stands out, cautions first; what is said of measures is said of speech."""
    spoken = survey.spoken
    told = [finding for rule in RULES_OF_LABELS for finding in rule(survey)]
    told += [finding for rule in RULES_OF_MEASURES for finding in rule(spoken)]
    told += _content(survey)
    return tuple(sorted(told, key=lambda finding: finding.weight != "caution"))


def _imbalance(survey: Survey) -> Iterator[Finding]:
    found = counts(survey, emotion_of)
    least, most = min(found, key=lambda name: found[name]), max(found, key=lambda name: found[name])
    if len(found) == 1:
        yield Finding("caution", "emotions", f"Every clip is {least}: there is nothing to tell apart.")
    elif found[most] >= UNEQUAL * found[least]:
        yield Finding(
            "caution",
            "emotions",
            f"The emotions are unequal: {found[most]:,} clips are {most}, {found[least]:,} {least}. Weigh or "
            f"balance them, and judge by UAR: always answering {most} is right in "
            f"{found[most] / sum(found.values()):.0%}.",
        )


def _sex(survey: Survey) -> Iterator[Finding]:
    found, total = counts(survey, sex_of), len(survey.clips)
    named = {"female": "woman", "male": "man"}
    if not found:
        yield Finding("note", "sex", "The speakers' sex is not known, so a difference by it cannot be seen.")
        return
    unknown = total - sum(found.values())
    if unknown:
        yield Finding("note", "sex", f"The speaker's sex is not known of {unknown:,} clips of {total:,}.")
    for sex, noun in named.items():
        if sex not in found:
            known_to_be = "known to be " if unknown else ""
            yield Finding("caution", "sex", f"No clip is {known_to_be}spoken by a {noun}.")
            return
    lacking = [
        f"{emotion} by a {named[sex]}"
        for emotion, row in cells(survey, emotion_of, sex_of).items()
        for sex in named
        if not row[sex]
    ]
    if lacking:
        yield Finding("caution", "sex", f"There is no clip of {listed(lacking)}: sex would tell the emotion.")
    share = found["female"] / sum(found.values())
    if not 0.4 <= share <= 0.6:
        yield Finding("note", "sex", f"Women speak {share:.0%} of the clips whose speaker's sex is known.")


def _speakers(survey: Survey) -> Iterator[Finding]:
    table = cells(survey, speaker_of, emotion_of)
    unnamed = sum(speaker_of(each.clip) is None for each in survey.clips)
    if unnamed:
        yield Finding(
            "caution",
            "speakers",
            f"{unnamed:,} clips of {len(survey.clips):,} do not name their speaker, so no split can keep "
            "speakers apart: what is measured on them will look better than it is.",
        )
    elif len(table) < FEW_SPEAKERS:
        yield Finding(
            "caution",
            "speakers",
            f"There {'is only one speaker' if len(table) == 1 else f'are only {len(table)} speakers'}: a "
            "model learns these voices, and a result on unseen speakers is uncertain.",
        )
    emotions = list(counts(survey, emotion_of))
    lone = [e for e in emotions if len(table) > 1 and sum(bool(row.get(e)) for row in table.values()) == 1]
    if lone:
        yield Finding("caution", "speakers", f"Only one speaker is heard as {listed(lone)}.")
    partial = [name for name, row in table.items() if not all(row.values())]
    if partial and len(table) > 1 and survey.found == len(survey.clips):
        yield Finding(
            "note",
            "speakers",
            f"{len(partial)} of {len(table)} speakers do not have every emotion: {listed(partial)}.",
        )


def _difference(
    survey: Survey, measure: str, *, apart: Callable[[float, float], bool]
) -> tuple[str, float, str, float, float] | None:
    """The emotions with the least and the greatest median, where both tests find them apart."""
    groups = grouped(survey, emotion_of, MEASURES[measure])
    groups = {name: values for name, values in groups.items() if len(values) >= FEWEST_IN_A_GROUP}
    if len(groups) < 2:
        return None
    medians = {name: float(np.median(values)) for name, values in groups.items()}
    least, most = min(medians, key=lambda n: medians[n]), max(medians, key=lambda n: medians[n])
    share = explained_share(groups)
    if share < LARGE_EFFECT or not apart(medians[least], medians[most]):
        return None
    return least, medians[least], most, medians[most], share


def _levels(survey: Survey) -> Iterator[Finding]:
    found = _difference(survey, "speech_dbfs", apart=lambda low, high: high - low >= APART_DB)
    if found is not None:
        least, low, most, high, share = found
        yield Finding(
            "note",
            "level",
            f"Level follows emotion: {most} stands at {high:.0f} dBFS in the median, {least} at {low:.0f}; "
            f"the emotion explains {share:.0%} of the variance. Loudness belongs to emotion, but changes "
            "as much with a microphone's distance: level the clips (preparation.level) unless yours keep it.",
        )
    voices = grouped(survey, speaker_of, MEASURES["speech_dbfs"])
    share = explained_share(voices)
    if len(voices) > 1 and len(survey.clips) > 2 * len(voices) and share >= LARGE_EFFECT:
        yield Finding("note", "level", f"Who speaks explains {share:.0%} of the variance of the level.")


def _noise(survey: Survey) -> Iterator[Finding]:
    found = _difference(survey, "noise_floor_dbfs", apart=lambda low, high: high - low >= APART_DB)
    if found is not None:
        least, low, most, high, share = found
        yield Finding(
            "caution",
            "noise",
            f"The noise floor follows emotion: {high:.0f} dBFS in the median of {most}, {low:.0f} in that of "
            f"{least} ({share:.0%} of the variance). A model may learn the background in place of the voice.",
        )


def _durations(survey: Survey) -> Iterator[Finding]:
    found = _difference(survey, "duration_s", apart=lambda low, high: high >= LONGER * low)
    if found is not None:
        least, low, most, high, share = found
        yield Finding(
            "note",
            "duration",
            f"Length follows emotion: {most} lasts {high:.1f} s in the median, {least} {low:.1f} s "
            f"({share:.0%} of the variance). Padding to one length would show it.",
        )


def _rates(survey: Survey) -> Iterator[Finding]:
    rates: dict[int, set[str]] = defaultdict(set)
    found = Counter(each.measured.sample_rate for each in survey.clips)
    for each in survey.clips:
        rates[each.measured.sample_rate].add(each.clip.emotion)
    if len(found) > 1:
        told = listed([f"{count:,} at {rate:,} Hz" for rate, count in found.most_common()])
        tied = any(emotions != set(counts(survey, emotion_of)) for emotions in rates.values())
        more = " Not every emotion has each: bandwidth may tell the emotion." if tied else ""
        yield Finding("caution" if tied else "note", "rate", f"Sample rates differ: {told}.{more}")


def _channels(survey: Survey) -> Iterator[Finding]:
    table = cells(survey, emotion_of, lambda clip: clip.channel)
    done = {"speech": "spoken and never sung", "song": "sung and never spoken"}
    for channel in done:
        lone = [name for name, row in table.items() if len(row) == 2 and sum(row.values()) == row[channel]]
        if lone:
            yield Finding(
                "caution",
                "channel",
                f"{capital(listed(lone))} {'is' if len(lone) == 1 else 'are'} {done[channel]}: whether a "
                "clip is sung tells these emotions from the others.",
            )


def _corpora(survey: Survey) -> Iterator[Finding]:
    table = cells(survey, emotion_of, lambda clip: clip.corpus)
    lone = [emotion for emotion, row in table.items() if len(row) > 1 and sum(map(bool, row.values())) == 1]
    if lone:
        yield Finding(
            "caution",
            "corpora",
            f"Only one of the corpora has {listed(lone)}: its sound tells these emotions.",
        )


def _sentences(survey: Survey) -> Iterator[Finding]:
    emotions: dict[tuple[str, str], set[str]] = defaultdict(set)
    clips: Counter[tuple[str, str]] = Counter()
    for each in survey.clips:
        if each.clip.sentence is not None:
            emotions[each.clip.corpus, each.clip.sentence].add(each.clip.emotion)
            clips[each.clip.corpus, each.clip.sentence] += 1
    repeated = [sentence for sentence, count in clips.items() if count > 1]
    lone = [sentence for sentence in repeated if len(emotions[sentence]) == 1]
    if repeated and len(lone) > len(repeated) / 2:
        yield Finding(
            "caution",
            "sentences",
            f"{len(lone)} of {len(repeated)} sentences are said in one emotion alone: the words tell it.",
        )


def _pitch(survey: Survey) -> Iterator[Finding]:
    groups = {n: v for n, v in pitch_against_speaker(survey).items() if len(v) >= FEWEST_IN_A_GROUP}
    share = explained_share(groups)
    if len(groups) < 2 or share < LARGE_EFFECT:
        return
    medians = {name: float(np.median(values)) for name, values in groups.items()}
    least, most = min(medians, key=lambda n: medians[n]), max(medians, key=lambda n: medians[n])
    yield Finding(
        "note",
        "pitch",
        f"Pitch follows emotion, as it should: {most} lies {medians[most] - medians[least]:.1f} semitones "
        f"above {least} in the same voices, and the emotion explains {share:.0%} of the variance.",
    )


def _content(survey: Survey) -> Iterator[Finding]:
    wrong = [double for double in survey.duplicates if double.contradictory]
    doubles = [double for double in survey.duplicates if not double.contradictory]
    if wrong:
        yield Finding(
            "caution",
            "duplicates",
            f"{many(len(wrong), 'recording')} with two emotions or two speakers, under several names.",
        )
    if doubles:
        known = all(double.known for double in doubles)
        yield Finding(
            "note" if known else "caution",
            "duplicates",
            f"{many(len(doubles), 'recording')} stand{'s' if len(doubles) == 1 else ''} under several names"
            + (", in the publisher's own release." if known else ": keep one of each."),
        )
    for topic, these, text in (
        ("silent", survey.silent, "silent throughout"),
        ("clipped", survey.clipped, "clipped at full scale"),
        ("damaged", survey.damaged, "damaged or odd, and decoded as far as they go"),
        ("unreadable", survey.unreadable, "not readable and left out"),
    ):
        if these:
            clips = many(len(these), "file" if topic == "unreadable" else "clip")
            yield Finding("caution", topic, f"{clips} {'is' if len(these) == 1 else 'are'} {text}.")


RULES_OF_LABELS: tuple[Callable[[Survey], Iterator[Finding]], ...] = (
    *(_imbalance, _sex, _speakers, _channels, _corpora, _sentences, _rates),
)
RULES_OF_MEASURES: tuple[Callable[[Survey], Iterator[Finding]], ...] = (_noise, _levels, _durations, _pitch)
