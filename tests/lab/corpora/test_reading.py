"""Reading corpora: specs, layouts, copies, unreadable files, and the real recordings."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

import fabricate
from vocemo.errors import CorpusError, UnknownNameError, UsageError
from vocemo.lab.corpora import CORPORA, read

FABRICATORS = {
    "ravdess": fabricate.ravdess,
    "emodb": fabricate.emodb,
    "aesdd": fabricate.aesdd,
    "tess": fabricate.tess,
    "crema-d": fabricate.crema_d,
    "savee": fabricate.savee,
}


@pytest.mark.parametrize("name", FABRICATORS)
def test_a_fabricated_corpus_reads_completely(name: str, tmp_path: Path) -> None:
    FABRICATORS[name](tmp_path, speakers=2, clips_per_emotion=1, seconds=0.2)
    manifest = read(f"{name}:{tmp_path}")
    corpus = CORPORA[name]
    assert corpus.expected is not None
    assert len(manifest) == len(list(tmp_path.rglob("*.wav")))
    assert set(manifest.emotions) == set(corpus.expected.by_emotion)
    assert len(manifest.speakers) == 2
    assert all(speaker.startswith(f"{name}/") for speaker in manifest.speakers)
    assert manifest.speakers_known
    assert manifest.refused == ()
    assert all(c.duration_s == pytest.approx(0.2, rel=0.15) for c in manifest)
    assert all(c.language == corpus.language for c in manifest)


@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".aiff", ".WAV"])
def test_any_container_is_taken(suffix: str, tmp_path: Path) -> None:
    fabricate.savee(tmp_path, speakers=1, clips_per_emotion=1, seconds=0.2, suffix=suffix)
    assert len(read(f"savee:{tmp_path}")) == 7


def test_the_suffix_is_not_trusted(tmp_path: Path) -> None:
    path = fabricate.emodb(tmp_path, speakers=1, clips_per_emotion=1, seconds=0.2) / "wav" / "03a01Wa.wav"
    soundfile.write(path, np.zeros(1600), 16_000, format="FLAC")
    by_path = {clip.path: clip for clip in read(f"emodb:{tmp_path}")}
    assert by_path[path].duration_s == pytest.approx(0.1)


def test_the_root_and_its_sub_folders_read_alike(tmp_path: Path) -> None:
    root = fabricate.ravdess(tmp_path, speakers=2, clips_per_emotion=1, seconds=0.1)
    whole = read(f"ravdess:{root}")
    song = read(f"ravdess:{root / 'Audio_Song_Actors_01-24'}")
    assert {c.channel for c in song} == {"song"}
    assert song.clips == read(f"ravdess-song:{root}").clips
    one = read(f"ravdess:{root / 'Audio_Song_Actors_01-24' / 'Actor_02'}")
    assert one.speakers == ("ravdess/02",)
    assert len(whole) == len(song) + len(read(f"ravdess-speech:{root}"))


def test_a_talkers_own_folder_tells_the_talker(tmp_path: Path) -> None:
    fabricate.savee(tmp_path, speakers=2, clips_per_emotion=1, seconds=0.1)
    assert read(f"savee:{tmp_path / 'AudioData' / 'JE'}").speakers == ("savee/JE",)


def test_the_order_does_not_depend_on_the_layout(tmp_path: Path) -> None:
    root = fabricate.ravdess(tmp_path / "a", speakers=3, clips_per_emotion=2, seconds=0.1)
    flat = tmp_path / "b"
    flat.mkdir()
    for path in root.rglob("*.wav"):
        shutil.copy(path, flat)
    names = [c.path.name for c in read(f"ravdess:{root}")]
    assert names == [c.path.name for c in read(f"ravdess:{flat}")]


def test_a_copy_left_behind_is_read_once(tmp_path: Path) -> None:
    root = fabricate.ravdess(tmp_path, speakers=1, channels=("speech",), clips_per_emotion=1, seconds=0.1)
    before = len(read(f"ravdess:{root}"))
    shutil.copytree(root / "Audio_Speech_Actors_01-24", root / "copy" / "audio_speech_actors_01-24")
    (root / "__MACOSX").mkdir()
    (root / "__MACOSX" / "._03-01-01-01-01-01-01.wav").write_bytes(b"\0\5\26\7")
    manifest = read(f"ravdess:{root}")
    assert len(manifest) == before
    assert all("copy" not in c.path.parts for c in manifest)


def test_an_unreadable_file_is_left_out_by_name(tmp_path: Path) -> None:
    root = fabricate.aesdd(tmp_path, speakers=1, clips_per_emotion=2, seconds=0.1)
    broken = root / "anger" / "a01 (1).wav"
    broken.write_bytes(b"RIFF\x1c\x00\x00\x00WAVEfmt ")
    (root / "anger" / "what is this.wav").write_bytes(b"")
    manifest = read(f"aesdd:{root}")
    assert len(manifest) == 9
    assert {refused.path.name for refused in manifest.refused} == {"a01 (1).wav", "what is this.wav"}
    assert len(read(f"aesdd:{root}", durations=False)) == 10


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    root = fabricate.savee(tmp_path, speakers=1, clips_per_emotion=1, seconds=0.1)
    (root / "AudioData" / "loop").symlink_to(root, target_is_directory=True)
    assert len(read(f"savee:{root}")) == 7


def test_a_wrong_folder_says_what_was_expected_and_found(tmp_path: Path) -> None:
    fabricate.emodb(tmp_path, speakers=1, clips_per_emotion=1, seconds=0.1)
    with pytest.raises(CorpusError, match=r"expected Audio_.*found 7 audio files, such as 'wav"):
        read(f"ravdess:{tmp_path}")
    with pytest.raises(CorpusError, match="no such folder"):
        read(f"ravdess:{tmp_path / 'nowhere'}")
    with pytest.raises(CorpusError, match="not a folder"):
        read(f"ravdess:{tmp_path / 'wav' / '03a01Wa.wav'}")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match="it is empty"):
        read(f"ravdess:{tmp_path / 'empty'}")
    (tmp_path / "empty" / "notes.txt").write_text("")
    with pytest.raises(CorpusError, match=r"no audio file, but notes\.txt"):
        read(f"ravdess:{tmp_path / 'empty'}")


@pytest.mark.parametrize("spec", ["", "ravdess", "ravdess:", ":data", "data/ravdess"])
def test_a_malformed_spec_shows_the_right_form(spec: str) -> None:
    with pytest.raises(UsageError, match="NAME:PLACE"):
        read(spec)


def test_an_unknown_corpus_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"did you mean 'ravdess'\? Valid: ravdess, .*, table"):
        read("ravdes:data")


@pytest.mark.parametrize(
    ("spec", "speakers"),
    [
        ("ravdess:ravdess", 24),
        ("ravdess-speech:ravdess", 24),
        ("ravdess-song:ravdess", 23),
        ("emodb:emodb", 10),
        ("emodb:emodb/wav", 10),
        ("aesdd:aesdd", 6),
    ],
)
def test_the_real_corpora_have_the_published_counts(corpora_dir: Path, spec: str, speakers: int) -> None:
    name, _, place = spec.partition(":")
    manifest = read(f"{name}:{corpora_dir / place}", durations=False)
    expected = CORPORA[name].expected
    assert expected is not None
    assert len(manifest) == expected.total
    assert Counter(c.emotion for c in manifest) == expected.by_emotion
    assert Counter(c.channel for c in manifest) == expected.by_channel
    assert len(manifest.speakers) == speakers == expected.speakers
    assert manifest.refused == ()


def test_all_headers_of_ravdess_are_read_in_three_seconds(corpora_dir: Path) -> None:
    begun = time.process_time()
    manifest = read(f"ravdess:{corpora_dir / 'ravdess'}")
    assert time.process_time() - begun < 3.0
    hours = sum(c.duration_s or 0.0 for c in manifest) / 3600
    assert hours == pytest.approx(1.48 + 1.31, abs=0.02)


def test_the_quirks_are_read_or_refused_by_name(corpora_dir: Path) -> None:
    quirks = corpora_dir / "quirks"
    read_in = {
        name: {c.path.name: c for c in read(f"{name}:{quirks}")}
        for name in ("ravdess", "emodb", "tess", "aesdd")
    }
    assert {name: len(clips) for name, clips in read_in.items()} == {
        "ravdess": 3,
        "emodb": 1,
        "tess": 3,
        "aesdd": 2,
    }
    assert read_in["tess"]["507testYAF_germ_angry29.wav"].duration_s == pytest.approx(2.2, abs=0.3)
    refused = {r.path.name: r.reason for r in read(f"aesdd:{quirks}").refused}
    assert "no audio" in refused["s05 (3).wav"]
