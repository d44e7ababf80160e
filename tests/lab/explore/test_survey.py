"""What a survey finds in corpora whose faults are known."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from vocemo.errors import CorpusError, UnknownNameError, UsageError
from vocemo.lab import corpora
from vocemo.lab.explore import Survey, findings, numbers, survey
from vocemo.lab.explore.summary import (
    MEASURES,
    against_speaker,
    cells,
    counts,
    emotion_of,
    explained_share,
    grouped,
    sex_of,
    speaker_of,
    spread,
)


def names(clips: object) -> list[str]:
    return sorted(each.clip.path.name for each in clips)


def test_every_fault_is_found_once(surveyed: Survey) -> None:
    assert len(surveyed.clips) == 16 + 4
    assert names(surveyed.silent) == ["silent.wav"]
    assert names(surveyed.clipped) == ["clipped.wav"]
    assert {tuple(sorted(c.path.name for c in d.clips)) for d in surveyed.duplicates} == {
        ("ben1_neutral.wav", "neutral-too.wav"),
        ("anna1_happy.wav", "copy.flac"),
    }
    assert {d.contradictory for d in surveyed.duplicates} == {True, False}
    assert [refused.path.name for refused in surveyed.unreadable] == ["broken.wav"]
    assert [refused.path.name for refused in surveyed.stray] == ["loose.wav"]


def test_duplicates_are_those_of_the_content_digest(surveyed: Survey) -> None:
    by_digest: dict[str, set[str]] = {}
    for each in surveyed.clips:
        if not each.measured.silent:
            by_digest.setdefault(corpora.content_digest(each.clip), set()).add(each.clip.key)
    expected = {frozenset(same) for same in by_digest.values() if len(same) > 1}
    assert {frozenset(clip.key for clip in d.clips) for d in surveyed.duplicates} == expected


def test_counts_are_those_of_the_labels(surveyed: Survey) -> None:
    clips = [each.clip for each in surveyed.clips]
    for emotion in ("neutral", "happy", "sad", "angry"):
        assert counts(surveyed, emotion_of)[emotion] == sum(c.emotion == emotion for c in clips)
    table = cells(surveyed, speaker_of, emotion_of)
    assert table["folder/ben"] == {"neutral": 2, "happy": 2, "sad": 2, "angry": 4}
    assert counts(surveyed, sex_of) == {}


def test_threads_and_order_change_nothing(flawed: Path, surveyed: Survey) -> None:
    assert survey([f"folder:{flawed}"], jobs=1) == surveyed


def test_a_limit_draws_by_the_seed(flawed: Path) -> None:
    spec = f"folder:{flawed}"
    first, again, other = (survey([spec], limit=6, seed=seed).clips for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert 5 <= len(first) <= 6  # the broken one may be among them
    whole = [each.clip for each in survey([spec]).clips]
    drawn = [each.clip for each in first]
    assert drawn == sorted(drawn, key=whole.index)


def test_several_corpora_stand_together(flawed: Path, ravdess: Path) -> None:
    both = survey([f"ravdess-speech:{ravdess}", f"folder:{flawed}", f"ravdess:{ravdess}"], jobs=2)
    assert both.manifest.corpora == ("ravdess", "folder")
    assert len({each.clip.key for each in both.clips}) == len(both.clips)  # what two specs name is heard once
    told = {finding.topic for finding in findings(both)}
    assert {"corpora", "channel", "silent", "clipped", "duplicates", "unreadable"} <= told


def test_progress_counts_every_clip(flawed: Path) -> None:
    seen: list[tuple[int, int]] = []
    survey([f"folder:{flawed}"], limit=5, each=lambda done, total: seen.append((done, total)))
    assert seen == [(n, 5) for n in range(1, 6)]


def test_what_cannot_be_surveyed_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError):
        survey(["ravdes:x"])
    with pytest.raises(UsageError, match="no corpus"):
        survey([])
    with pytest.raises(CorpusError):
        survey([f"folder:{tmp_path}"])
    (tmp_path / "happy").mkdir()
    (tmp_path / "happy" / "a.wav").write_bytes(b"text")
    with pytest.raises(CorpusError, match="no file of 1 can be read"):
        survey([f"folder:{tmp_path}"])


def test_a_table_with_parts_and_an_absent_file(flawed: Path, tmp_path: Path) -> None:
    clip = flawed / "happy" / "ben" / "ben1_happy.wav"
    table = tmp_path / "table.csv"
    table.write_text(
        "path,emotion,speaker,start_s,end_s\n"
        f"{clip},happy,ben,0,0.25\n{clip},angry,ben,0.25,0.5\n{tmp_path / 'gone.wav'},sad,ben,,\n"
    )
    found = survey([f"table:{table}"])
    assert [each.measured.duration_s for each in found.clips] == [0.25, 0.25]
    assert [refused.path.name for refused in found.unreadable] == ["gone.wav"]


def test_a_known_flaw_of_the_release_is_no_fault(tmp_path: Path) -> None:
    import fabricate

    root = fabricate.aesdd(tmp_path, speakers=1, clips_per_emotion=1, seconds=0.3)
    corpus = corpora.CORPORA["aesdd"]
    (flaw,) = corpus.known_flaws
    (root / "sadness" / f"{flaw}.wav").write_bytes(b"")
    found = survey([f"aesdd:{root}"])
    assert (len(found.known_flaws), len(found.unreadable)) == (1, 0)


def test_explained_share_is_that_of_an_analysis_of_variance() -> None:
    rng = np.random.default_rng(0)
    groups = {str(n): list(rng.normal(n / 3, 1, 20 + n)) for n in range(5)}
    statistic = stats.f_oneway(*groups.values()).statistic
    between, within = len(groups) - 1, sum(map(len, groups.values())) - len(groups)
    assert explained_share(groups) == pytest.approx(statistic * between / (statistic * between + within))
    assert explained_share({"a": [1.0, 1.0], "b": [1.0]}) == 0
    assert explained_share({}) == 0


def test_a_spread_is_numpys_percentiles() -> None:
    values = np.random.default_rng(0).normal(size=101)
    found = spread(values)
    ordered = np.sort(values)
    assert [found.low, found.lower_quarter, found.median, found.upper_quarter, found.high] == pytest.approx(
        [ordered[5], ordered[25], ordered[50], ordered[75], ordered[95]]
    )


def test_against_the_speaker_every_voice_has_the_median_zero(surveyed: Survey) -> None:
    found = against_speaker(surveyed, MEASURES["speech_dbfs"])
    for speaker in ("folder/anna", "folder/ben"):
        own = [value for each, value in found if each.clip.speaker == speaker]
        assert np.median(own) == pytest.approx(0)


def test_the_numbers_are_counts_by_hand(surveyed: Survey, flawed: Path) -> None:
    told = json.loads(json.dumps(numbers(surveyed, seed=3), allow_nan=False))
    files = [p for p in flawed.rglob("*") if p.is_file() and p.name not in ("broken.wav", "loose.wav")]
    assert told["clips"] == len(files) == len(told["per_clip"])
    for emotion, count in told["clips_by_emotion"].items():
        assert count == sum(p.relative_to(flawed).parts[0] == emotion for p in files)
    for speaker, count in told["clips_by_speaker"].items():
        assert count == sum(p.parent.name == speaker.partition("/")[2] for p in files)
    assert told["duration_s"] == pytest.approx(sum(row["duration_s"] for row in told["per_clip"]), abs=0.01)
    assert told["silent"] == ["sad/anna/silent.wav"]
    assert [row["path"] for row in told["clipped"]] == ["angry/ben/clipped.wav"]
    assert sorted(len(row["paths"]) for row in told["duplicates"]) == [2, 2]
    by_emotion = grouped(surveyed, emotion_of, MEASURES["speech_dbfs"])
    for emotion, found in told["measures_by_emotion"]["speech_dbfs"].items():
        assert found["median"] == pytest.approx(float(np.median(by_emotion[emotion])), abs=1e-4)
        assert found["count"] == len(by_emotion[emotion])
    assert str(flawed) not in json.dumps({**told, "versions": {}})


def said(found: Survey) -> dict[str, str]:
    return {finding.topic: finding.text for finding in findings(found)}


def only(found: Survey, keep: object) -> Survey:
    return dataclasses.replace(found, clips=tuple(e for e in found.clips if keep(e)))


def test_findings_say_what_was_put_there(ravdess: Path) -> None:
    whole = survey([f"ravdess:{ravdess}"])
    told = said(whole)
    assert "Disgust and surprised are spoken and never sung" in told["channel"]
    assert "sex" not in told
    assert "angry" in told["level"] and "sad" in told["level"]  # fabricated 23 dB apart
    assert "unequal" in told["emotions"]
    men = only(whole, lambda each: each.clip.sex == "male")
    assert said(men)["sex"] == "No clip is spoken by a woman."
    lacking = only(whole, lambda each: (each.clip.sex, each.clip.emotion) != ("male", "sad"))
    assert "no clip of sad by a man" in said(lacking)["sex"]
    one = only(whole, lambda each: each.clip.emotion == "sad")
    assert "nothing to tell apart" in said(one)["emotions"]
    even = only(whole, lambda each: each.clip.channel == "speech")
    assert "channel" not in said(even)
    assert "emotions" not in said(even)


def test_plain_duplicates_are_told_beside_contradictory_ones(surveyed: Survey) -> None:
    told = [finding.text for finding in findings(surveyed) if finding.topic == "duplicates"]
    assert len(told) == 2
    assert any("two emotions" in text for text in told) and any("keep one of each" in text for text in told)


def test_silence_is_no_content_of_two_names(surveyed: Survey) -> None:
    (silent,) = surveyed.silent
    clip = dataclasses.replace(silent.clip, path=silent.clip.path.with_name("silent-too.wav"))
    twice = dataclasses.replace(surveyed, clips=(*surveyed.clips, dataclasses.replace(silent, clip=clip)))
    assert len(twice.silent) == 2
    assert twice.duplicates == surveyed.duplicates


def test_a_sex_that_is_not_known_is_not_denied(ravdess: Path) -> None:
    men = only(survey([f"ravdess:{ravdess}"]), lambda each: each.clip.sex == "male")
    first = dataclasses.replace(men.clips[0], clip=dataclasses.replace(men.clips[0].clip, sex=None))
    partly = dataclasses.replace(men, clips=(first, *men.clips[1:]))
    told = [finding.text for finding in findings(partly)]
    assert "No clip is known to be spoken by a woman." in told
    assert "No clip is spoken by a woman." not in told


def test_rates_and_nameless_speakers_are_told(tmp_path: Path) -> None:
    import fabricate

    for rate, emotion in ((16_000, "happy"), (8_000, "sad")):
        fabricate.folder(
            tmp_path, speakers=(), seconds=0.3, sample_rate=rate, emotions=(emotion,), clips_per_emotion=3
        )
    told = said(survey([f"folder:{tmp_path}"]))
    assert "bandwidth may tell" in told["rate"]
    assert "6 clips of 6 do not name their speaker" in told["speakers"]
