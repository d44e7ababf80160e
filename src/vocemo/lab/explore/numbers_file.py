"""A survey as the numbers of explore.json."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from vocemo.lab import provenance
from vocemo.lab.corpora import Clip, Corpus, Refused
from vocemo.lab.explore.pitch import PitchOptions
from vocemo.lab.explore.rules import findings
from vocemo.lab.explore.summary import (
    MEASURES,
    Label,
    cells,
    counts,
    emotion_of,
    explained_share,
    grouped,
    level_against_speaker,
    pitch_against_speaker,
    sex_of,
    speaker_of,
    spread,
    spreads,
)
from vocemo.lab.explore.surveying import Survey, Surveyed

DIGITS = 4  # behind the point: a tenth of a millisecond, far below what a level or a pitch is known to


def numbers(survey: Survey, *, seed: int = 0, limit: int | None = None) -> dict[str, Any]:
    """Everything that was counted and measured, as JSON-able values; files are named from their corpus on.

    Measures by emotion and by sex are of speech where there is speech beside song (`measured_clips`).
    """
    spoken = survey.spoken
    found: dict[str, Any] = {
        "corpora": [_described(corpus) for corpus in survey.corpora],
        "clips_found": survey.found,
        "clips": len(survey.clips),
        "duration_s": survey.duration_s,
        "speakers": len(counts(survey, speaker_of)),
        "emotions": list(survey.manifest.emotions),
        "seed": seed,
        "limit": limit,
        "pitch_options": dataclasses.asdict(PitchOptions()),
        "findings": [dataclasses.asdict(finding) for finding in findings(survey)],
        "clips_by_emotion": counts(survey, emotion_of),
        "clips_by_sex": counts(survey, sex_of),
        "clips_by_speaker": counts(survey, speaker_of),
        "clips_by_channel": counts(survey, lambda clip: clip.channel),
        "clips_by_corpus": counts(survey, lambda clip: clip.corpus),
        "clips_by_intensity": counts(survey, lambda clip: clip.intensity),
        "clips_by_emotion_and_sex": cells(survey, emotion_of, sex_of),
        "clips_by_speaker_and_emotion": cells(survey, speaker_of, emotion_of),
        "measured_clips": len(spoken.clips),
        "measures": {name: _spread_of(spoken, name) for name in MEASURES},
        "measures_by_emotion": {name: _spreads_of(spoken, emotion_of, name) for name in MEASURES},
        "measures_by_sex": {name: _spreads_of(spoken, sex_of, name) for name in MEASURES},
        "explained_by_emotion": {
            name: explained_share(grouped(spoken, emotion_of, measure)) for name, measure in MEASURES.items()
        },
        "explained_by_speaker": {
            name: explained_share(grouped(spoken, speaker_of, measure)) for name, measure in MEASURES.items()
        },
        "against_speaker": {
            name: {emotion: dataclasses.asdict(spread(values)) for emotion, values in groups.items()}
            for name, groups in (
                ("pitch_semitones", pitch_against_speaker(spoken)),
                ("level_db", level_against_speaker(spoken)),
            )
        },
        "silent": [survey.name(each.clip.path) for each in survey.silent],
        "clipped": [
            {"path": survey.name(each.clip.path), "samples": each.measured.clipped_samples}
            for each in survey.clipped
        ],
        "duplicates": [
            {
                "paths": [survey.name(clip.path) for clip in same.clips],
                "known": same.known,
                "contradictory": same.contradictory,
            }
            for same in survey.duplicates
        ],
        "unreadable": _refusals(survey, survey.unreadable),
        "known_flaws": _refusals(survey, survey.known_flaws),
        "damaged": _refusals(survey, survey.damaged),
        "stray": _refusals(survey, survey.stray),
        "per_clip": [_row(survey, each) for each in survey.clips],
        "versions": provenance.versions(),
        "commit": provenance.commit(),
        "date": provenance.today(),
    }
    rounded: dict[str, Any] = _rounded(found)
    return rounded


def write(found: Mapping[str, Any], path: str | os.PathLike[str]) -> Path:
    """Write as JSON, whole or not at all; gives the path back."""
    target = Path(path)
    partial = target.with_name(target.name + ".partial")
    partial.write_text(
        json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
    )
    return partial.replace(target)


def _described(corpus: Corpus) -> dict[str, Any]:
    return {
        "name": corpus.name,
        "title": corpus.title,
        "summary": corpus.summary,
        "language": corpus.language,
        "licence": corpus.licence,
        "citation": corpus.citation,
        "doi": corpus.doi,
    }


def _spread_of(survey: Survey, name: str) -> dict[str, Any] | None:
    values = [value for each in survey.clips if (value := MEASURES[name](each.measured)) is not None]
    return dataclasses.asdict(spread(values)) if values else None


def _spreads_of(survey: Survey, label: Label, name: str) -> dict[str, Any]:
    return {key: dataclasses.asdict(found) for key, found in spreads(survey, label, MEASURES[name]).items()}


def _refusals(survey: Survey, refused: Iterable[Refused]) -> list[dict[str, str]]:
    return [{"path": survey.name(each.path), "reason": each.reason} for each in refused]


def _row(survey: Survey, each: Surveyed) -> dict[str, Any]:
    return {"path": survey.name(each.clip.path), **_labels(each.clip), **dataclasses.asdict(each.measured)}


def _labels(clip: Clip) -> dict[str, Any]:
    """What a clip's name says, where it says it."""
    told = {
        "corpus": clip.corpus,
        "emotion": clip.emotion,
        "speaker": clip.speaker,
        "sex": clip.sex,
        "channel": clip.channel,
        "intensity": clip.intensity,
        "sentence": clip.sentence,
        "take": clip.take,
        "start_s": clip.start_s,
        "end_s": clip.end_s,
    }
    return {name: value for name, value in told.items() if value is not None}


def _rounded(value: Any) -> Any:
    """Floats at any depth to the digits that mean something."""
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(inner) for inner in value]
    return value
