"""What a picture shows, in a sentence or two made from the numbers in it."""

from __future__ import annotations

from collections.abc import Mapping

from vocemo.audio.flat_tops import FLAT_TOP_SAMPLES
from vocemo.lab.corpora import Clip
from vocemo.lab.explore.examples import NOISE_SNR_DB, PITCH_SEMITONES, SHIFT_S, STRETCH_RATE
from vocemo.lab.explore.summary import (
    MEASURES,
    Spread,
    cells,
    counts,
    emotion_of,
    explained_share,
    grouped,
    sex_of,
    speaker_of,
    spreads,
)
from vocemo.lab.explore.surveying import Survey
from vocemo.lab.report.wording import capital

EFFECTS = {
    "original": "As recorded, for comparison.",
    "noise": f"White noise {NOISE_SNR_DB:g} dB under the voice fills the pauses and covers the soft upper "
    "bands; what is loud stands out of it.",
    "stretch": f"At {STRETCH_RATE:g} of the tempo everything lasts {1 / STRETCH_RATE:.2f} times as long; the "
    "pitch stays where it was.",
    "shift": f"{SHIFT_S:g} s later: silence comes in at the left, and what leaves at the right is lost.",
    "pitch": f"{PITCH_SEMITONES:g} semitones higher at the same tempo: the harmonics move up and apart, the "
    "formants with them.",
}

MEANING = {
    "duration_s": "Length of the clips.",
    "speech_dbfs": "How loud the speech is, pauses left out.",
    "peak_dbfs": f"The greatest sample of each clip; {FLAT_TOP_SAMPLES} in a row at 0 dBFS count as clipped.",
    "noise_floor_dbfs": "What is left in the pauses; -120 stands for digital silence.",
    "f0_range_semitones": "How far the voice moves within a clip; 12 semitones are an octave.",
    "voiced_share": "How much of the sounding part has a pitch; whispers and creaks have none.",
}
UNITS = {
    "duration_s": " s",
    "speech_dbfs": " dBFS",
    "peak_dbfs": " dBFS",
    "noise_floor_dbfs": " dBFS",
    "f0_range_semitones": " semitones",
    "voiced_share": " %",
}


def emotions(survey: Survey) -> str:
    """The numbers of clips by emotion."""
    found = counts(survey, emotion_of)
    least, most = min(found.values()), max(found.values())
    if least == most:
        return f"{least:,} clips of each of {len(found)} emotions."
    fewest = [name for name, count in found.items() if count == least]
    return f"From {least:,} clips ({', '.join(fewest)}) to {most:,} an emotion."


def speakers(survey: Survey) -> str:
    """Clips by speaker."""
    table = cells(survey, speaker_of, emotion_of)
    totals = sorted(sum(row.values()) for row in table.values())
    empty = sum(not count for row in table.values() for count in row.values())
    clips = f"{totals[0]:,}" if totals[0] == totals[-1] else f"{totals[0]:,} to {totals[-1]:,}"
    told = f"{clips} clips a speaker. " if len(totals) > 1 else f"One speaker, {clips} clips. "
    return told + (f"{empty} cells are empty." if empty else "Every speaker has every emotion.")


def measure(survey: Survey, name: str, found: Mapping[str, Spread], form: str) -> str:
    """What a measure is, between which emotions it differs most, and how much of it the emotion explains."""
    least = min(found, key=lambda emotion: found[emotion].median)
    most = max(found, key=lambda emotion: found[emotion].median)
    told = MEANING[name]
    if len(found) > 1:
        share = explained_share(grouped(survey, emotion_of, MEASURES[name]))
        told += (
            f" Medians go from {form.format(found[least].median)} ({least}) to "
            f"{form.format(found[most].median)}{UNITS[name]} ({most}); the emotion explains {share:.0%} of "
            "the variance."
        )
    return told


def pitch(survey: Survey) -> str:
    """The pitch of women and men."""
    found = spreads(survey, sex_of, MEASURES["f0_median_hz"])
    names = {"female": "women", "male": "men"}
    medians = " and ".join(f"{spread.median:.0f} Hz of {names[sex]}" for sex, spread in found.items())
    told = "The fundamental frequency, tracked by autocorrelation (Boersma 1993), on a logarithmic axis."
    return told + (f" The median is {medians}." if medians else "")


def pitch_and_energy(level: Mapping[str, Spread], height: Mapping[str, Spread]) -> str:
    """Where the emotions lie when every voice is set against itself."""
    loudest = max(level, key=lambda name: level[name].median)
    highest = max(height, key=lambda name: height[name].median)
    softest = min(level, key=lambda name: level[name].median)
    return (
        f"Each voice set against its own median: {loudest} is the loudest, {highest} the highest, {softest} "
        "the softest. Emotions that lie on each other here must be told apart by something else."
    )


def whose(clip: Clip) -> str:
    """Who speaks, and what, in the line below a picture's title."""
    told = [f"speaker {clip.speaker}" if not clip.speaker.endswith("/unknown") else "", clip.path.name]
    return "   ".join(part for part in told if part)


def example(emotion: str, survey: Survey, clip: Clip) -> str:
    """What the example of an emotion measures."""
    found = next(each.measured for each in survey.clips if each.clip == clip)
    told = f"{capital(emotion)}: {found.duration_s:.1f} s, speech at "
    told += f"{found.speech_dbfs:.0f} dBFS"
    if found.f0_median_hz is None or found.f0_range_semitones is None:
        return told + ", nothing voiced."
    return told + f", pitch {found.f0_median_hz:.0f} Hz over {found.f0_range_semitones:.0f} semitones."
