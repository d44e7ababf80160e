"""A user's own recordings: folders and tables."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

import fabricate
from vocemo.errors import CorpusError
from vocemo.lab.corpora import read


def table(tmp_path: Path, text: str) -> str:
    for name in ("a.wav", "b.wav"):
        rng = fabricate.generator(0, name)
        soundfile.write(tmp_path / name, fabricate.voice("happy", 1, True, rng, seconds=1.0), 16_000)
    path = tmp_path / "list.csv"
    path.write_text(text, encoding="utf-8")
    return f"table:{path}"


def test_folders_with_speakers(tmp_path: Path) -> None:
    root = fabricate.folder(tmp_path, emotions=("happy", "sad"))
    manifest = read(f"folder:{root}")
    assert manifest.speakers == ("folder/anna", "folder/ben")
    assert manifest.speakers_known
    assert manifest.emotions == ("happy", "sad")
    assert len(manifest) == 8


def test_folders_without_speakers_say_so(tmp_path: Path) -> None:
    root = fabricate.folder(tmp_path, speakers=(), seconds=0.1)
    manifest = read(f"folder:{root}")
    assert manifest.speakers == ("folder/unknown",)
    assert not manifest.speakers_known


def test_a_folders_name_is_any_word_for_the_emotion(tmp_path: Path) -> None:
    fabricate.folder(tmp_path, speakers=(), seconds=0.1, emotions=("happy", "sad"))
    (tmp_path / "happy").rename(tmp_path / "Joy")
    (tmp_path / "sad").rename(tmp_path / "Proud Of It")
    assert read(f"folder:{tmp_path}").emotions == ("happy", "proud_of_it")


def test_a_file_in_no_emotions_folder_is_refused(tmp_path: Path) -> None:
    root = fabricate.folder(tmp_path, seconds=0.1)
    (root / "happy" / "anna" / "anna1_happy.wav").rename(root / "loose.wav")
    manifest = read(f"folder:{root}")
    assert [r.path.name for r in manifest.refused] == ["loose.wav"]
    with pytest.raises(CorpusError, match="expected emotion/file or emotion/speaker/file"):
        read(f"folder:{root / 'happy' / 'anna'}")


def test_a_table_with_everything(tmp_path: Path) -> None:
    spec = table(
        tmp_path,
        "\ufeffPath;Emotion;speaker;sex;start_s;end_s;split;language;notes\n"
        "a.wav;Joy;anna;F;0.25;0.75;dev;en;x\n"
        "a.wav;anger;ravdess/01;male;0.5;;test\n"
        "\n"
        f"{tmp_path / 'b.wav'};boredom;;;;0.5;;;\n",
    )
    manifest = read(spec)
    first, second, third = sorted(manifest, key=lambda c: c.emotion, reverse=True)
    assert (first.emotion, first.speaker, first.sex, first.split) == (
        "happy",
        "table/anna",
        "female",
        "validation",
    )
    assert (first.start_s, first.end_s, first.duration_s, first.language) == (0.25, 0.75, 0.5, "en")
    assert (second.emotion, second.speaker, second.duration_s) == ("boredom", "table/unknown", 0.5)
    assert (third.emotion, third.speaker, third.split) == ("angry", "ravdess/01", "test")
    assert third.duration_s == pytest.approx(0.5, abs=0.01)
    assert not manifest.speakers_known
    assert len({c.key for c in manifest}) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,emotion\na.wav,happy\n", "line 1: no column speaker; found path, emotion"),
        ("", "line 1: no column path, emotion, speaker; found nothing"),
        ("path,emotion,speaker\n", "a header and no row"),
        ("path,emotion,speaker,strat_s\na.wav,happy,x,1\n", "did you mean 'start_s'"),
        ("path,emotion,speaker,speaker\n", "'speaker' stands there twice"),
        ("path,emotion,speaker\na.wav,,x\n", "line 2: emotion is empty"),
        ("path,emotion,speaker\n,happy,x\n", "line 2: path is empty"),
        ("path,emotion,speaker\na.wav,happy,x,y\n", "line 2: 4 cells under 3 columns"),
        ("path,emotion,speaker,sex\na.wav,happy,x,maybe\n", "line 2: sex 'maybe' is none of female, male"),
        ("path,emotion,speaker,split\na.wav,happy,x,tset\n", "line 2: split 'tset' is none of train"),
        ("path,emotion,speaker,start_s\na.wav,happy,x,one\n", "line 2: start_s 'one' is no number"),
        ("path,emotion,speaker,start_s\na.wav,happy,x,-1\n", "line 2: start_s -1 is not zero or more"),
        ("path,emotion,speaker,end_s\na.wav,happy,x,nan\n", "line 2: end_s nan is not zero or more"),
        ("path,emotion,speaker,start_s,end_s\na.wav,happy,x,2,1\n", "line 2: end_s 1 is not after start_s 2"),
        ("path,emotion,speaker\na.wav,happy,x\n\na.wav,sad,x\n", "line 4: the same recording as line 2"),
        ("path,emotion,speaker\na.wav,happy,x\nc.wav,sad,x\n", r"c\.wav: no such file \(list\.csv, line 3\)"),
    ],
)
def test_a_wrong_table_says_where(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        read(table(tmp_path, text))


def test_a_table_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such table"):
        read(f"table:{tmp_path / 'no.csv'}")
    with pytest.raises(CorpusError, match="is a folder"):
        read(f"table:{tmp_path}")
    (tmp_path / "latin.csv").write_bytes("path,emotion,speaker\nä.wav,happy,x\n".encode("latin-1"))
    with pytest.raises(CorpusError, match="not UTF-8"):
        read(f"table:{tmp_path / 'latin.csv'}")


def test_many_wrong_lines_are_counted(tmp_path: Path) -> None:
    rows = "".join("a.wav,,x\n" for _ in range(9))
    with pytest.raises(CorpusError, match=r"line 2: .*line 6: emotion is empty; and 4 more"):
        read(table(tmp_path, "path,emotion,speaker\n" + rows))


def test_a_part_beyond_the_end_is_refused(tmp_path: Path) -> None:
    spec = table(tmp_path, "path,emotion,speaker,start_s\na.wav,happy,x,0\nb.wav,sad,x,9\n")
    manifest = read(spec)
    assert len(manifest) == 1
    assert "before the part from 9 s" in manifest.refused[0].reason
