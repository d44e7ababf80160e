"""The pictures of a survey, each with a caption that says what it shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from vocemo.lab.explore import captions, examples
from vocemo.lab.explore.pitch import track_pitch
from vocemo.lab.explore.summary import (
    MEASURES,
    Spread,
    cells,
    counts,
    emotion_of,
    level_against_speaker,
    pitch_against_speaker,
    sex_of,
    speaker_of,
    spread,
    spreads,
)
from vocemo.lab.explore.surveying import Survey
from vocemo.lab.report import corpus_figures, map_figures, sound_figures
from vocemo.lab.report.theme import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Section = Literal["labels", "levels", "examples", "voice", "effects"]


@dataclass(frozen=True)
class Picture:
    """One picture, drawn anew for each theme; `name` is its file's."""

    name: str
    section: Section
    caption: str
    draw: Callable[[Theme], Figure]
    sound: bool = False  # a spectrogram, which has many colours


def pictures(survey: Survey, seed: int = 0) -> Iterator[Picture]:
    """All pictures of a survey, section by section."""
    yield from _labels(survey)
    spoken = survey.spoken
    yield from _levels(spoken)
    yield from _voice(spoken)
    yield from _sounds(survey, seed)


def _labels(survey: Survey) -> Iterator[Picture]:
    by_sex = cells(survey, emotion_of, lambda clip: sex_of(clip) or "not known")
    below = "by the speaker's sex" if counts(survey, sex_of) else ""
    if not below:
        by_sex = {emotion: {"clips": sum(row.values())} for emotion, row in by_sex.items()}
    yield Picture(
        "clips-by-emotion",
        "labels",
        captions.emotions(survey),
        lambda theme: corpus_figures.bars_figure(by_sex, title="Clips by emotion", below=below, theme=theme),
    )
    table = cells(survey, speaker_of, emotion_of)
    if table:
        lone = len({name.partition("/")[0] for name in table}) == 1
        short = {name: name.partition("/")[2] if lone else name for name in table}
        sex = {
            short[each.clip.speaker]: (each.clip.sex or "")[:1]
            for each in survey.clips
            if each.clip.speaker in short
        }
        rows = {short[name]: row for name, row in table.items()}
        yield Picture(
            "clips-by-speaker",
            "labels",
            captions.speakers(survey),
            lambda theme: corpus_figures.table_figure(
                rows,
                title="Clips by speaker and emotion",
                below="f: woman, m: man" if any(sex.values()) else "",
                groups=sex,
                theme=theme,
            ),
        )


def _levels(survey: Survey) -> Iterator[Picture]:
    for name, measure, title, below, form in (
        ("durations", "duration_s", "Duration", "seconds, silence at both ends included", "{:.1f}"),
        (
            "speech-level",
            "speech_dbfs",
            "Level of the speech",
            "dBFS, RMS of the frames that sound",
            "{:.1f}",
        ),
        ("peak", "peak_dbfs", "Peak", "dBFS", "{:.1f}"),
        (
            "noise-floor",
            "noise_floor_dbfs",
            "Noise floor",
            "dBFS, under which a tenth of the frames stay",
            "{:.1f}",
        ),
    ):
        yield from _spread_picture(survey, name, "levels", measure, title, below, form)


def _voice(survey: Survey) -> Iterator[Picture]:
    measure = MEASURES["f0_median_hz"]
    by_sex: dict[str, dict[str, Spread]] = {emotion: {} for emotion in survey.manifest.emotions}
    for sex in ("female", "male"):
        for emotion, found in spreads(_of_sex(survey, sex), emotion_of, measure).items():
            by_sex[emotion][sex] = found
    if not counts(survey, sex_of):
        by_sex = {emotion: {"": found} for emotion, found in spreads(survey, emotion_of, measure).items()}
    by_sex = {emotion: row for emotion, row in by_sex.items() if row}
    if by_sex:
        yield Picture(
            "pitch",
            "voice",
            captions.pitch(survey),
            lambda theme: corpus_figures.spread_figure(
                by_sex,
                title="Pitch",
                below="median F0 of each clip, Hz",
                form="{:.0f}",
                logarithmic=True,
                theme=theme,
            ),
        )
    level = {name: spread(values) for name, values in level_against_speaker(survey).items()}
    height = {name: spread(values) for name, values in pitch_against_speaker(survey).items()}
    if set(level) & set(height):
        yield Picture(
            "pitch-and-energy",
            "voice",
            captions.pitch_and_energy(level, height),
            lambda theme: map_figures.map_figure(
                level,
                height,
                title="Pitch and energy",
                below="against the speaker's own median; arms: the middle half",
                x_label="level, dB",
                y_label="pitch, semitones",
                theme=theme,
            ),
        )
    for name, key, title, below, form, scale in (
        (
            "pitch-range",
            "f0_range_semitones",
            "Range of the pitch",
            "semitones, 5th to 95th percentile",
            "{:.1f}",
            1.0,
        ),
        ("voiced-share", "voiced_share", "Voiced share", "% of the frames that sound", "{:.0f}", 100.0),
    ):
        yield from _spread_picture(survey, name, "voice", key, title, below, form, scale)


def _of_sex(survey: Survey, sex: str) -> Survey:
    return replace(survey, clips=tuple(each for each in survey.clips if each.clip.sex == sex))


def _spread_picture(
    survey: Survey,
    name: str,
    section: Section,
    measure: str,
    title: str,
    below: str,
    form: str,
    scale: float = 1.0,
) -> Iterator[Picture]:
    taken = MEASURES[measure]
    found = spreads(survey, emotion_of, lambda m: None if (value := taken(m)) is None else scale * value)
    if not found:
        return
    rows: Mapping[str, Mapping[str, Spread]] = {emotion: {"": each} for emotion, each in found.items()}
    yield Picture(
        name,
        section,
        captions.measure(survey, measure, found, form),
        lambda theme: corpus_figures.spread_figure(rows, title=title, below=below, form=form, theme=theme),
    )


def _sounds(survey: Survey, seed: int) -> Iterator[Picture]:
    chosen = examples.choose(survey, seed)
    made = {emotion: examples.example(emotion, emotion, clip) for emotion, clip in chosen.items()}
    length_s = max((_length_s(each) for each in made.values()), default=0.0)
    for emotion, each in made.items():
        clip = chosen[emotion]
        yield Picture(
            f"example-{_file_name(emotion)}",
            "examples",
            captions.example(emotion, survey, clip),
            _drawing(each, captions.whose(clip), length_s),
            sound=True,
        )
    if not made:
        return
    shown = "angry" if "angry" in made else next(iter(made))
    varied = examples.effects(made[shown], seed)
    longest_s = max(_length_s(each) for each in varied)
    for each in varied:
        yield Picture(
            f"effect-{each.name}",
            "effects",
            captions.EFFECTS[each.name],
            _drawing(each, f"the example of {shown}", longest_s),
            sound=True,
        )


def _drawing(each: examples.Example, below: str, length_s: float) -> Callable[[Theme], Figure]:
    """What draws a sound, whose pitch is tracked once."""
    track = track_pitch(each.samples, examples.EXAMPLE_RATE_HZ)
    return lambda theme: sound_figures.sound_figure(
        each.samples,
        examples.EXAMPLE_RATE_HZ,
        title=each.title,
        below=below,
        length_s=length_s,
        f0=(track.time_s, track.f0_hz) if np.any(track.voiced) else None,
        theme=theme,
    )


def _length_s(each: examples.Example) -> float:
    return len(each.samples) / examples.EXAMPLE_RATE_HZ


def _file_name(emotion: str) -> str:
    """An emotion's name as a part of a file's: a folder's own name may hold anything."""
    return "".join(letter if letter.isalnum() else "-" for letter in emotion) or "unnamed"
