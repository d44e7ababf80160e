"""Which clips stand for their emotions, and one clip under each augmentation."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vocemo import audio
from vocemo.emotions import in_order
from vocemo.lab.augment import (
    AddNoise,
    AddNoiseParameters,
    PitchShift,
    PitchShiftParameters,
    Speed,
    SpeedParameters,
    TimeShift,
    TimeShiftParameters,
)
from vocemo.lab.corpora import Clip
from vocemo.lab.explore.surveying import Survey, Surveyed, decode_clip

Samples = NDArray[np.float32]

EXAMPLE_RATE_HZ = 16_000

NOISE_SNR_DB = 10.0
STRETCH_RATE = 0.8
SHIFT_S = 0.4
PITCH_SEMITONES = 4.0


@dataclass(frozen=True, eq=False)
class Example:
    """A sound to draw: samples (N,) at EXAMPLE_RATE_HZ, and what it is."""

    name: str
    title: str
    samples: Samples


def choose(survey: Survey, seed: int = 0) -> dict[str, Clip]:
    """A clip of each emotion, by one speaker and in one sentence wherever there are such.

    So what differs between the pictures is the emotion. The speaker is, of those with the most
    emotions, one drawn by `seed`; takes of normal intensity go before others.
    """
    usable = [each for each in survey.clips if not each.measured.silent]
    if not usable:
        return {}
    emotions: dict[str, set[str]] = defaultdict(set)
    for each in usable:
        emotions[each.clip.speaker].add(each.clip.emotion)
    most = max(len(found) for found in emotions.values())
    fit = sorted(speaker for speaker, found in emotions.items() if len(found) == most)
    speaker = fit[int(np.random.default_rng(seed).integers(len(fit)))]
    sentences: dict[str | None, set[str]] = defaultdict(set)
    for each in usable:
        if each.clip.speaker == speaker and each.clip.channel == "speech":
            sentences[each.clip.sentence].add(each.clip.emotion)
    sentence = max(sorted(sentences, key=str), key=lambda s: len(sentences[s])) if sentences else None

    def distance(each: Surveyed) -> tuple[bool, bool, bool, bool, str, str]:
        clip = each.clip
        return (
            clip.speaker != speaker,
            clip.channel != "speech",
            clip.sentence != sentence,
            clip.intensity not in (None, "normal"),
            clip.take or "",
            clip.key,
        )

    chosen: dict[str, Clip] = {}
    for each in sorted(usable, key=distance):
        chosen.setdefault(each.clip.emotion, each.clip)
    return {emotion: chosen[emotion] for emotion in in_order(set(chosen))}


def example(name: str, title: str, clip: Clip) -> Example:
    """A clip at the rate that is drawn."""
    heard = decode_clip(clip)
    return Example(name, title, audio.resample(heard.samples, heard.sample_rate, EXAMPLE_RATE_HZ))


def effects(original: Example, seed: int = 0) -> tuple[Example, ...]:
    """A sound as it is, then with noise, stretched, shifted and higher, by training's own augmentations."""
    heard, rate = original.samples, EXAMPLE_RATE_HZ
    noise = AddNoiseParameters(NOISE_SNR_DB, "white", int(np.random.default_rng(seed).integers(2**63)))
    higher = PitchShiftParameters(PITCH_SEMITONES)
    return (
        Example("original", "As recorded", heard),
        Example("noise", f"White noise, {NOISE_SNR_DB:g} dB SNR", AddNoise().apply(heard, rate, noise)),
        Example(
            "stretch",
            f"Stretched: {STRETCH_RATE:g} times as fast",
            Speed().apply(heard, rate, SpeedParameters(STRETCH_RATE)),
        ),
        Example(
            "shift", f"Shifted by {SHIFT_S:g} s", TimeShift().apply(heard, rate, TimeShiftParameters(SHIFT_S))
        ),
        Example("pitch", f"{PITCH_SEMITONES:g} semitones higher", PitchShift().apply(heard, rate, higher)),
    )
