"""The check and the digest beneath it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

import fabricate
from vocemo.errors import CorpusError
from vocemo.lab.corpora import CORPORA, Clip, check, content_digest, read


def clip(path: Path, start_s: float | None = None, end_s: float | None = None) -> Clip:
    return Clip(path, "folder", "happy", "folder/anna", start_s=start_s, end_s=end_s)


@pytest.fixture
def samples() -> np.ndarray:
    return fabricate.voice("happy", 1, True, np.random.default_rng(0), seconds=0.5)


def test_a_digest_sees_through_the_container(tmp_path: Path, samples: np.ndarray) -> None:
    exact = np.round(samples * 2**15).astype(np.int16)
    digests = set()
    for name, subtype in (
        ("a.wav", "PCM_16"),
        ("a.flac", "PCM_16"),
        ("b.wav", "PCM_24"),
        ("b.aiff", "PCM_16"),
        ("float.wav", "FLOAT"),
        ("double.wav", "DOUBLE"),
    ):
        stored = exact if subtype.startswith("PCM") else exact / 2**15
        soundfile.write(tmp_path / name, stored, 16_000, subtype=subtype)
        digests.add(content_digest(clip(tmp_path / name)))
    soundfile.write(tmp_path / "stereo.wav", np.stack([exact, exact], axis=1), 16_000)
    digests.add(content_digest(clip(tmp_path / "stereo.wav")))
    assert len(digests) == 1


def test_a_digest_sees_one_sample_and_the_rate(tmp_path: Path, samples: np.ndarray) -> None:
    exact = np.round(samples * 2**15).astype(np.int16)
    other = exact.copy()
    other[100] += 1
    soundfile.write(tmp_path / "a.wav", exact, 16_000)
    soundfile.write(tmp_path / "b.wav", other, 16_000)
    soundfile.write(tmp_path / "c.wav", exact, 16_001)
    soundfile.write(tmp_path / "d.wav", (exact / 2**15).astype(np.float32), 16_000, subtype="FLOAT")
    soundfile.write(tmp_path / "e.wav", (other / 2**15).astype(np.float32), 16_000, subtype="FLOAT")
    digests = [content_digest(clip(tmp_path / f"{name}.wav")) for name in "abcde"]
    assert len(set(digests)) == 3
    assert digests[0] == digests[3]
    assert digests[1] == digests[4]


def test_a_part_has_the_digest_of_its_samples(tmp_path: Path, samples: np.ndarray) -> None:
    soundfile.write(tmp_path / "whole.wav", samples, 16_000)
    soundfile.write(tmp_path / "part.wav", samples[1600:4800], 16_000)
    assert content_digest(clip(tmp_path / "whole.wav", 0.1, 0.3)) == content_digest(
        clip(tmp_path / "part.wav")
    )


def test_nan_and_nothing_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "nan.wav", np.full(100, np.nan), 16_000, subtype="FLOAT")
    with pytest.raises(CorpusError, match="not numbers"):
        content_digest(clip(tmp_path / "nan.wav"))
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 16_000)
    with pytest.raises(CorpusError, match="no audio"):
        content_digest(clip(tmp_path / "empty.wav"))
    with pytest.raises(CorpusError):
        content_digest(clip(tmp_path / "absent.wav"))


@pytest.fixture
def whole_savee(tmp_path: Path) -> Path:
    return fabricate.savee(tmp_path / "savee", clips_per_emotion=30, seconds=0.05)


def test_a_complete_copy_passes(whole_savee: Path) -> None:
    (whole_savee / "AudioData" / "Info.txt").write_text("")
    seen: list[tuple[int, int]] = []
    report = check(f"savee:{whole_savee}", progress=lambda done, total: seen.append((done, total)))
    assert report.complete
    assert report.clips == 480
    assert not (report.missing or report.unreadable or report.duplicates or report.stray or report.silent)
    assert all(count.found == count.expected for count in report.counts)
    assert seen[-1] == (480, 480)
    assert json.loads(json.dumps(report.to_dict()))["complete"] is True


def test_every_kind_of_flaw_is_found(whole_savee: Path) -> None:
    audio = whole_savee / "AudioData"
    (audio / "DC" / "a01.wav").unlink()
    (audio / "DC" / "a02.wav").write_bytes(b"this is no audio at all, but text")
    cut = (audio / "DC" / "a03.wav").read_bytes()
    soundfile.write(audio / "DC" / "a03.flac", soundfile.read(audio / "DC" / "a03.wav")[0], 16_000)
    (audio / "DC" / "a03.wav").unlink()
    flac = (audio / "DC" / "a03.flac").read_bytes()
    (audio / "DC" / "a03.flac").write_bytes(flac[: len(flac) // 2])
    shutil.copy(audio / "JE" / "a01.wav", audio / "JE" / "a02.wav")
    shutil.copytree(audio / "KL", whole_savee / "copy" / "KL")
    (whole_savee / "copy" / "KL" / "a01.wav").write_bytes(cut)
    (audio / "JK" / "song.wav").write_bytes(cut)
    (audio / "JK" / ".DS_Store").write_bytes(b"")
    soundfile.write(audio / "JK" / "a01.wav", np.zeros(800), 16_000)

    report = check(f"savee:{whole_savee}")
    assert not report.complete
    assert report.missing == ("DC_a01",)
    assert {r.path.name for r in report.unreadable} == {"a02.wav", "a03.flac"}
    kinds = [duplicate.kind for duplicate in report.duplicates]
    assert kinds.count("conflict") == 1
    assert kinds.count("copy") == 119
    assert [d.paths for d in report.duplicates if d.kind == "content"] == [
        (audio / "JE" / "a01.wav", audio / "JE" / "a02.wav")
    ]
    assert {r.path.name for r in report.stray} == {"song.wav", ".DS_Store"}
    assert [path.name for path in report.silent] == ["a01.wav"]
    assert report.clips == 477


def test_what_cannot_be_named_is_counted(tmp_path: Path) -> None:
    root = fabricate.crema_d(tmp_path, speakers=2, clips_per_emotion=2, seconds=0.05)
    shutil.copytree(root / "AudioWAV", root / "AudioMP3")
    report = check(f"crema-d:{root}")
    assert not report.complete
    assert report.missing == ()
    assert {(c.what, c.found, c.expected) for c in report.shortfalls} >= {
        ("angry", 4, 1271),
        ("neutral", 4, 1087),
    }
    assert report.duplicates == ()


def test_a_table_lacks_the_files_that_it_announces(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.ones(100) * 0.1, 16_000)
    (tmp_path / "list.csv").write_text("path,emotion,speaker\na.wav,happy,x\nb.wav,sad,x\n")
    report = check(f"table:{tmp_path / 'list.csv'}")
    assert not report.complete
    assert len(report.missing) == 1
    assert "line 3" in report.missing[0]


def test_folders_have_nothing_to_lack(tmp_path: Path) -> None:
    assert check(f"folder:{fabricate.folder(tmp_path, seconds=0.1)}").complete


def test_the_publishers_own_flaws_are_known(tmp_path: Path) -> None:
    corpus = CORPORA["ravdess-speech"]
    first, second = sorted(corpus.known_duplicates[0])
    root = fabricate.ravdess(tmp_path, speakers=[7], channels=("speech",), clips_per_emotion=8, seconds=0.05)
    folder = root / "Audio_Speech_Actors_01-24" / "Actor_07"
    shutil.copy(folder / f"{first}.wav", folder / f"{second}.wav")
    assert [d.kind for d in check(f"ravdess:{root}").duplicates] == ["known"]
    aesdd = fabricate.aesdd(tmp_path / "aesdd", speakers=3, clips_per_emotion=5, seconds=0.05)
    (aesdd / "sadness" / "s05 (3).wav").write_bytes(b"RIFF\x1c\x00\x00\x00WAVE")
    report = check(f"aesdd:{aesdd}")
    assert [r.path.name for r in report.known_flaws] == ["s05 (3).wav"]
    assert report.unreadable == ()
    (aesdd / "sadness" / "s05 (3).wav").unlink()
    assert "s05 (3)" not in check(f"aesdd:{aesdd}").missing


@pytest.mark.parametrize("name", ["emodb", "aesdd"])
def test_the_real_copies_are_complete(corpora_dir: Path, name: str) -> None:
    report = check(f"{name}:{corpora_dir / name}")
    assert report.complete
    assert not (report.duplicates or report.stray or report.silent)


def test_ravdess_holds_its_known_duplicate(corpora_dir: Path) -> None:
    actor = corpora_dir / "ravdess" / "Audio_Speech_Actors_01-24" / "Actor_07"
    report = check(f"ravdess-speech:{actor}")
    assert [d.kind for d in report.duplicates] == ["known"]
    assert len(report.missing) == 1440 - 60


def test_float_quirk_equals_its_16_bit_copy_where_exact(corpora_dir: Path, tmp_path: Path) -> None:
    original = corpora_dir / "quirks" / "a01 (2).wav"
    samples, rate = soundfile.read(original, dtype="float64")
    soundfile.write(tmp_path / "copy.wav", samples, rate, subtype="DOUBLE")
    assert content_digest(clip(original)) == content_digest(clip(tmp_path / "copy.wav"))
    again = read(f"aesdd:{corpora_dir / 'quirks'}").clips
    assert content_digest(again[0]) != content_digest(replace(again[0], end_s=1.0))
