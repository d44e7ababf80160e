from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import fabricate_bundle
from vocemo import audio
from vocemo.cli import inputs
from vocemo.cli.main import main
from vocemo.runtime.prediction import Failure

RATE_HZ = fabricate_bundle.RATE_HZ
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """A folder of recordings: two that are fine, one in a folder below, and what is none of them."""
    folder = tmp_path / "calls"
    (folder / "below").mkdir(parents=True)
    write(folder / "a.wav", 3.5, 200)
    write(folder / "b.flac", 3.5, 2500)
    write(folder / "below" / "c.wav", 3.2, 500)
    (folder / "notes.txt").write_text("no recording")
    (folder / ".hidden.wav").write_text("no recording either")
    return folder


def write(path: Path, seconds: float, pitch_hz: float = 300.0, level: float = 0.3) -> Path:
    """A tone with some noise that swells as syllables do: nothing that a warning would be due for."""
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    hiss = 0.05 * np.random.default_rng(0).standard_normal(len(time_s))
    samples = level * (np.sin(2 * np.pi * pitch_hz * time_s) + hiss) * np.sin(2 * np.pi * 1.5 * time_s) ** 2
    audio.write(path, samples.astype(np.float32), RATE_HZ)
    return path


def probabilities(path: Path) -> dict[str, float]:
    values = fabricate_bundle.expected(audio.decode(path, RATE_HZ).samples)
    return dict(zip(fabricate_bundle.EMOTIONS, map(float, values), strict=True))


def test_the_table_of_one_file(predict: Run, calls: Path) -> None:
    status, out, err = predict(calls / "a.wav")
    ranked = sorted(probabilities(calls / "a.wav").items(), key=lambda pair: -pair[1])
    lines = out.splitlines()
    assert status == 0 and err == ""
    assert lines[0] == "Using device: cpu"
    assert lines[1] == f"Predicted emotion: {ranked[0][0]} with {ranked[0][1]:.2%} confidence"
    assert lines[2] == "All emotion probabilities:"
    assert [line.split() for line in lines[3:]] == [[name, f"{value:.2%}"] for name, value in ranked]


def test_the_table_of_several_names_them(predict: Run, calls: Path) -> None:
    status, out, err = predict(calls, "--top", 2)
    assert status == 0
    assert out.count("Using device") == 1 and out.count("Predicted emotion") == 3
    for name in ("a.wav", "b.flac", "c.wav"):
        assert name in out
    assert "notes.txt" not in out and ".hidden" not in out
    assert sum(line.startswith("  ") for line in out.splitlines()) == 6
    assert "Predicting: 3 of 3 files" in err


def test_json_has_the_documented_fields(predict: Run, calls: Path) -> None:
    status, out, _ = predict(calls / "a.wav", "--format", "json")
    (answer,) = json.loads(out)
    assert status == 0
    assert list(answer) == [
        "path",
        "duration_s",
        "emotion",
        "confidence",
        "probabilities",
        "uncertain",
        "out_of_domain",
        "segments",
        "model",
        "warnings",
    ]
    assert answer["path"] == str(calls / "a.wav") and answer["duration_s"] == 3.5
    assert answer["model"] == "tiny" and answer["segments"] == [] and answer["warnings"] == []
    assert answer["probabilities"] == pytest.approx(probabilities(calls / "a.wav"), abs=1e-5)
    assert list(answer["probabilities"]) == list(fabricate_bundle.EMOTIONS)


def test_json_of_a_long_recording_lists_its_windows(predict: Run, tmp_path: Path) -> None:
    _, out, _ = predict(write(tmp_path / "long.wav", 9.0), "--format", "json")
    (answer,) = json.loads(out)
    assert [(s["start_s"], s["end_s"]) for s in answer["segments"]] == [(0.0, 4.0), (4.0, 8.0), (5.0, 9.0)]
    named = {"start_s", "end_s", "emotion", "confidence", "probabilities", "uncertain", "out_of_domain"}
    assert set(answer["segments"][0]) == named


def test_json_lines_and_csv_say_the_same(predict: Run, calls: Path) -> None:
    by_line = [json.loads(line) for line in predict(calls, "--format", "jsonl", "--quiet")[1].splitlines()]
    rows = list(csv.DictReader(io.StringIO(predict(calls, "--format", "csv", "--quiet")[1])))
    assert json.loads(predict(calls, "--format", "json", "--quiet")[1]) == by_line
    assert [row["path"] for row in rows] == [each["path"] for each in by_line]
    assert [Path(row["path"]).name for row in rows] == ["a.wav", "b.flac", "c.wav"]
    for row, each in zip(rows, by_line, strict=True):
        assert row["emotion"] == each["emotion"] and row["uncertain"] == "false"
        for emotion, value in each["probabilities"].items():
            assert float(row[emotion]) == value


def test_top_keeps_the_most_probable(predict: Run, calls: Path) -> None:
    (answer,) = json.loads(predict(calls / "a.wav", "--format", "json", "--top", 2)[1])
    ranked = sorted(probabilities(calls / "a.wav").items(), key=lambda pair: -pair[1])[:2]
    assert list(answer["probabilities"]) == [name for name, _ in ranked]


def test_one_broken_file_among_many(predict: Run, calls: Path) -> None:
    (calls / "ab.wav").write_bytes(b"RIFFgarbage that is no recording at all")
    status, out, err = predict(calls, calls / "gone.wav", "--format", "jsonl", "--quiet")
    assert status == 1
    assert [Path(json.loads(line)["path"]).name for line in out.splitlines()] == ["a.wav", "b.flac", "c.wav"]
    told = err.splitlines()
    assert len(told) == 2 and all(line.startswith("vocemo: ") for line in told)
    assert "ab.wav" in told[0] and "gone.wav: no such file" in told[1]


def test_a_folder_or_pattern_without_recordings_fails(predict: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    status, out, err = predict(tmp_path / "empty", tmp_path / "*.wav", "--format", "json")
    assert (status, json.loads(out)) == (1, [])
    assert "a folder without audio files" in err and "no file matches" in err


def test_patterns(predict: Run, calls: Path) -> None:
    _, out, _ = predict(calls / "**" / "*.wav", "--format", "jsonl", "--quiet")
    assert [Path(json.loads(line)["path"]).name for line in out.splitlines()] == ["a.wav", "c.wav"]
    odd = write(calls / "take[1].wav", 3.5)
    assert inputs.expand([str(odd)]) == [str(odd)]  # a file's own name comes before a pattern


def test_suffixes_in_capitals_are_found_and_any_suffix_is_taken_by_name(predict: Run, calls: Path) -> None:
    (calls / "a.wav").rename(calls / "A.WAV")
    (calls / "b.flac").rename(calls / "b.data")
    assert [Path(str(each)).name for each in inputs.expand([str(calls)])] == ["A.WAV", "c.wav"]
    assert predict(calls / "b.data")[0] == 0


def test_standard_input(bundle: Path, calls: Path) -> None:
    command = [sys.executable, "-m", "vocemo.cli.main", "predict", "-", "--model", str(bundle)]
    done = subprocess.run(
        [*command, "--format", "json"], input=(calls / "a.wav").read_bytes(), capture_output=True, check=True
    )
    (answer,) = json.loads(done.stdout)
    assert answer["path"] == "-"
    assert answer["probabilities"] == pytest.approx(probabilities(calls / "a.wav"), abs=1e-5)
    nothing = subprocess.run(command, input=b"", capture_output=True)
    assert nothing.returncode == 1 and b"vocemo: -" in nothing.stderr


def test_standard_input_is_read_once(predict: Run) -> None:
    status, _, err = predict("-", "-")
    assert status == 2 and "once" in err


def test_silence_is_answered(predict: Run, tmp_path: Path) -> None:
    audio.write(tmp_path / "hush.wav", np.zeros(4 * RATE_HZ, np.float32), RATE_HZ)
    status, out, err = predict(tmp_path / "hush.wav", "--format", "json")
    (answer,) = json.loads(out)
    assert status == 0 and err == ""
    assert answer["emotion"] is None and answer["probabilities"] == {} and answer["warnings"]
    status, out, _ = predict(tmp_path / "hush.wav")
    assert status == 0 and "Warning: silent" in out and "No emotion" in out
    rows = list(csv.DictReader(io.StringIO(predict(tmp_path / "hush.wav", "--format", "csv")[1])))
    assert rows[0]["emotion"] == "" and rows[0]["happy"] == ""


def test_short_clips_and_unsure_answers_are_marked(predict: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "short.wav", 1.0)
    _, out, _ = predict(path, "--threshold", 1.0)
    assert "Warning: the clip lasts 1.00 s" in out and "confidence (uncertain)" in out
    assert "Warning" not in predict(path, "--quiet")[1]


def test_output_goes_to_a_file(predict: Run, calls: Path, tmp_path: Path) -> None:
    target = tmp_path / "answers.jsonl"
    status, out, _ = predict(calls, "--format", "jsonl", "--output", target)
    assert (status, out) == (0, "")
    assert len(target.read_text("utf-8").splitlines()) == 3
    status, _, err = predict(calls, "--output", tmp_path / "none" / "x.json")
    assert status == 2 and "--output" in err


def test_jobs_do_not_change_the_answer(predict: Run, calls: Path) -> None:
    one, four = (predict(calls, "--format", "json", "--jobs", jobs)[1] for jobs in (1, 4))
    for a, b in zip(json.loads(one), json.loads(four), strict=True):
        assert a["path"] == b["path"] and a["probabilities"] == pytest.approx(b["probabilities"], abs=1e-5)


@pytest.mark.parametrize("which", ["one", "several"])
def test_plot(predict: Run, calls: Path, tmp_path: Path, which: str) -> None:
    target = tmp_path / "picture.png"
    status, out, _ = predict(calls if which == "several" else calls / "a.wav", "--plot", target)
    assert status == 0 and "Predicted emotion" in out
    assert target.read_bytes().startswith(b"\x89PNG")


def test_explain_draws_one_recording_and_says_what_moved_the_model(
    predict: Run, calls: Path, tmp_path: Path
) -> None:
    target = tmp_path / "why.png"
    status, out, err = predict(calls / "a.wav", "--explain", target)
    assert status == 0 and err == ""
    assert "Predicted emotion" in out and "Spoke for" in out
    assert target.read_bytes().startswith(b"\x89PNG")
    status, out, _ = predict(
        calls / "a.wav", "--explain", tmp_path / "why.svg", "--explain-emotion", "sad", "--format", "json"
    )
    (answer,) = json.loads(out)
    told = answer["explanation"]
    assert status == 0 and answer["emotion"] != "sad" == told["emotion"]
    assert told["probability"] == pytest.approx(probabilities(calls / "a.wav")["sad"], abs=1e-5)
    assert len(told["bands"]) == len(told["map"][0]["effects"]) == 12
    assert told["moments"][-1]["end_s"] == 3.5
    assert "what moved the model" not in out.lower() and "<svg" in (tmp_path / "why.svg").read_text("utf-8")


def test_explain_draws_each_of_several_under_its_name(predict: Run, calls: Path, tmp_path: Path) -> None:
    write(calls / "below" / "a.wav", 1.0, 900)
    folder = tmp_path / "why"
    status, out, _ = predict(calls, "--explain", folder, "--format", "jsonl", "--quiet")
    assert status == 0 and all("explanation" in json.loads(line) for line in out.splitlines())
    assert sorted(each.name for each in folder.iterdir()) == ["a-2.png", "a.png", "b.png", "c.png"]
    status, _, _ = predict(calls / "a.wav", calls / "b.flac", "--explain", tmp_path / "of-{name}.pdf")
    assert status == 0 and (tmp_path / "of-a.pdf").exists() and (tmp_path / "of-b.pdf").exists()
    status, out, err = predict(calls, "--explain", tmp_path / "one.png")
    assert status == 2 and out == "" and "{name}.png" in err


def test_explain_reads_standard_input_and_says_that_silence_has_no_picture(
    bundle: Path, calls: Path, predict: Run, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "vocemo.cli.main", "predict", "-", "--model", str(bundle)]
    subprocess.run(
        [*command, "--explain", tmp_path / "piped"], input=(calls / "a.wav").read_bytes(), check=True
    )
    assert (tmp_path / "piped" / "recording.png").exists()
    audio.write(tmp_path / "hush.wav", np.zeros(4 * RATE_HZ, np.float32), RATE_HZ)
    status, out, _ = predict(tmp_path / "hush.wav", "--explain", tmp_path / "hush.png", "--format", "json")
    (answer,) = json.loads(out)
    assert status == 0 and "explanation" not in answer
    assert [warning for warning in answer["warnings"] if "nothing to explain" in warning]
    assert not (tmp_path / "hush.png").exists()


def test_nothing_of_explaining_is_imported_where_none_is_asked_for(bundle: Path, calls: Path) -> None:
    script = (
        "import sys; from vocemo.cli.main import main;"
        f"main(['predict', {str(calls / 'a.wav')!r}, '--model', {str(bundle)!r}]);"
        "print([name for name in sys.modules if 'expl' in name or name == 'matplotlib'])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--explain", "picture.bmp"], "png, svg, pdf"),
        (["--explain", "no/such/folder/a.png"], "--explain"),
        (["--explain", "no/such/folder"], "--explain"),
        (["--explain-emotion", "sad"], "goes with --explain"),
        (["--explain", "{name}.png", "--explain-emotion", "sda"], "did you mean 'sad'"),
        (["--format", "xml"], "'table', 'json', 'jsonl', 'csv'"),
        (["--device", "tpu"], "'auto', 'cpu', 'cuda'"),
        (["--top", "0"], "1"),
        (["--threshold", "2"], "1"),
        (["--jobs", "0"], "1"),
        (["--jobs", "many"], "jobs"),
        (["--plot", "picture.bmp"], "png, svg, pdf"),
        (["--formta", "json"], "--format"),
    ],
)
def test_wrong_options_name_the_right_ones(
    predict: Run, calls: Path, arguments: list[str], says: str
) -> None:
    status, out, err = predict(calls / "a.wav", *arguments)
    assert status == 2 and out == "" and says in err and "Traceback" not in err


def test_a_model_that_is_none(calls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(calls / "a.wav"), "--model", str(calls / "b.flac")]) == 1
    said = capsys.readouterr()
    assert said.out == "" and len(said.err.splitlines()) == 1 and "b.flac" in said.err


def _heed_ctrl_c() -> None:
    """A job started in the background may have been told to ignore it, and its children with it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def slow_reader(bundle: Path, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A prediction of many recordings that has written its first line."""
    path = write(tmp_path / "a.wav", 3.5)
    command = [sys.executable, "-m", "vocemo.cli.main", "predict", "--model", str(bundle)]
    process = subprocess.Popen(
        [*command, "--format", "jsonl", "--jobs", "1", *[str(path)] * 3000],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=_heed_ctrl_c if os.name != "nt" else None,
    )
    assert process.stdout is not None and process.stdout.readline()
    yield process
    process.kill()
    process.wait()


def test_a_reader_that_goes_away_is_no_error(slow_reader: subprocess.Popen[bytes]) -> None:
    assert slow_reader.stdout is not None and slow_reader.stderr is not None
    slow_reader.stdout.close()
    said = slow_reader.stderr.read()
    assert slow_reader.wait(60) in (0, 1)
    assert b"Traceback" not in said and b"BrokenPipe" not in said


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")
def test_ctrl_c_ends_quietly(slow_reader: subprocess.Popen[bytes]) -> None:
    slow_reader.send_signal(signal.SIGINT)
    _, said = slow_reader.communicate(timeout=60)
    assert slow_reader.returncode == 130
    assert b"Traceback" not in said


def test_expansion_keeps_the_order_given(calls: Path) -> None:
    got = inputs.expand([str(calls / "b.flac"), str(calls / "nothing"), "-", str(calls)])
    assert [type(each) for each in got] == [str, Failure, str, str, str, str]
    assert got[2] == "-"


def test_the_shipped_model_answers(calls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(calls / "a.wav")]) == 0
    assert "Predicted emotion: " in capsys.readouterr().out


def lines_of(path: Path) -> list[dict[str, object]]:
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file, strict=True))
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_job_goes_on_where_its_output_ends(predict: Run, calls: Path, tmp_path: Path, form: str) -> None:
    target = tmp_path / f"answers.{form}"
    job = (calls, "--format", form, "--output", target, "--resume")
    assert predict(*job)[0] == 0
    whole = target.read_bytes()
    assert [Path(str(line["path"])).name for line in lines_of(target)] == ["a.wav", "b.flac", "c.wav"]
    digest = hashlib.sha256((calls / "a.wav").read_bytes()).hexdigest()
    assert lines_of(target)[0]["sha256"] == digest
    assert predict(*job)[0] == 0 and target.read_bytes() == whole  # nothing is asked twice
    for kept in range(len(whole) - 1, 0, -61):  # wherever it was broken off
        target.write_bytes(whole[:kept])
        status, out, _ = predict(*job)
        assert (status, out) == (0, "")
        assert target.read_bytes() == whole


def test_what_changed_is_asked_again_what_moved_is_not(predict: Run, calls: Path, tmp_path: Path) -> None:
    target = tmp_path / "answers.jsonl"
    job = (calls, "--format", "jsonl", "--output", target, "--resume")
    (calls / "broken.wav").write_bytes(b"RIFF")
    shutil.copy(calls / "a.wav", calls / "copy.wav")  # the same content twice is two recordings
    assert predict(*job)[0] == 1
    assert len(lines_of(target)) == 4
    (calls / "b.flac").rename(calls / "moved.flac")
    write(calls / "a.wav", 3.5, 700)
    write(calls / "broken.wav", 3.5, 900)  # and what failed is asked again
    status, _, said = predict(*job)
    assert status == 0 and "3 held already" in said
    assert [Path(str(line["path"])).name for line in lines_of(target)[4:]] == ["a.wav", "broken.wav"]


def test_an_output_that_cannot_be_gone_on_with(predict: Run, calls: Path, tmp_path: Path) -> None:
    target = tmp_path / "answers.jsonl"
    job = (calls / "a.wav", "--format", "jsonl", "--output", target)
    predict(*job)
    for content, reason in [
        (target.read_text(), "was not begun with --resume"),
        ('{"path": "a", "sha256": "0", "model": "another"}\n', "holds answers of another"),
        ("Predicted emotion: sad\n", "is no jsonl of answers"),
        ("[1]\n", "is no jsonl of answers"),
        ("my notes\nand a last line", "is no jsonl of answers"),
        ('{"path": "a", "sha256": "0"}\n', "was not begun with --resume"),
        ("path,duration_s\n", "is no jsonl of answers"),
        ('{"path": "a", "sha256": "0", "model": "tiny"}\n', "holds a line that is no answer"),
    ]:
        target.write_text(content)
        status, _, said = predict(*job, "--resume")
        assert status == 2 and reason in said
        assert target.read_text() == content


def test_a_csv_of_other_columns_is_not_gone_on_with(predict: Run, calls: Path, tmp_path: Path) -> None:
    target = tmp_path / "answers.csv"
    job = (calls / "a.wav", "--format", "csv", "--output", target)
    predict(*job)
    for content in (target.read_text(), target.read_text().splitlines(keepends=True)[0], '{"a": 1}\n'):
        target.write_text(content)
        status, _, said = predict(*job, "--resume")
        assert status == 2 and "its columns are others" in said and target.read_text() == content


@pytest.mark.parametrize(
    ("form", "begun", "now", "reason"),
    [
        ("jsonl", (), ("--top", 2), "tells 4 emotions of a recording, and --top now asks for 2"),
        ("jsonl", ("--top", 2), (), "tells 2 emotions of a recording, and --top now asks for 4"),
        ("csv", ("--top", 2), ("--top", 3), "tells 2 emotions of a recording, and --top now asks for 3"),
        ("csv", ("--top", 4), (), None),
        ("jsonl", ("--top", 9), (), None),
        ("jsonl", (), ("--timeline",), "holds answers without a timeline, and --timeline is given"),
        ("jsonl", ("--timeline",), (), "holds timelines, and --timeline is not given"),
        ("jsonl", ("--timeline", "--top", 1), ("--timeline", "--top", 1), None),
        ("jsonl", ("--threshold", 0.9), (), None),  # no line tells it
    ],
)
@pytest.mark.parametrize("seconds", [3.5, 6.0, None])  # a clip, windows, silence
def test_what_was_begun_otherwise_is_refused(
    predict: Run,
    tmp_path: Path,
    form: str,
    begun: tuple[object, ...],
    now: tuple[object, ...],
    reason: str | None,
    seconds: float | None,
) -> None:
    path, target = tmp_path / "a.wav", tmp_path / "answers"
    if seconds is None:
        audio.write(path, np.zeros(RATE_HZ, np.float32), RATE_HZ)
    else:
        write(path, seconds)
    job = (path, "--format", form, "--output", target, "--resume")
    assert predict(*job, *begun)[0] == 0
    whole = target.read_bytes()
    status, _, said = predict(*job, *now)
    assert target.read_bytes() == whole
    if reason is None or (seconds is None and "--top" in reason):  # silence tells no emotion
        assert (status, said) == (0, "")
    else:
        assert status == 2 and reason in said


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize("name", ["a\u2028b.wav", 'a\n"b".wav', os.fsdecode(b"a\xff.wav")])
def test_names_of_all_kinds_are_gone_on_with(predict: Run, tmp_path: Path, form: str, name: str) -> None:
    odd, target = write(tmp_path / name, 3.5), tmp_path / "answers"
    job = (odd, write(tmp_path / "z.wav", 3.5, 900), "--format", form, "--output", target, "--resume")
    assert predict(*job)[0] == 0
    whole = target.read_bytes()
    for kept in range(len(whole), 0, -37):
        target.write_bytes(whole[:kept])
        assert predict(*job)[0] == 0 and target.read_bytes() == whole


def test_an_output_that_is_an_input_is_refused(predict: Run, calls: Path) -> None:
    before = (calls / "a.wav").read_bytes()
    status, _, said = predict(calls, "--format", "jsonl", "--output", calls / "." / "a.wav")
    assert status == 2 and "is one of the recordings" in said and (calls / "a.wav").read_bytes() == before


@pytest.mark.parametrize(
    "given",
    [
        ("--format", "jsonl"),
        ("--format", "json", "--output", "answers.json"),
        ("--output", "answers.txt"),
        ("--format", "csv", "--timeline", "--output", "answers.csv"),
        ("--format", "csv", "--output", "answers.csv", "--plot", "answers.png"),
    ],
)
def test_resuming_needs_a_line_a_recording(predict: Run, calls: Path, given: tuple[str, ...]) -> None:
    status, out, said = predict(calls / "a.wav", "--resume", *given)
    assert (status, out) == (2, "") and "--resume" in said


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")
def test_ctrl_c_leaves_whole_json(bundle: Path, tmp_path: Path) -> None:
    path, target = write(tmp_path / "a.wav", 3.5), tmp_path / "answers.json"
    command = [sys.executable, "-m", "vocemo.cli.main", "predict", "--model", str(bundle), "--format", "json"]
    process = subprocess.Popen(
        [*command, "--output", str(target), *[str(path)] * 3000],
        stderr=subprocess.PIPE,
        preexec_fn=_heed_ctrl_c,
    )
    while not target.is_file():
        time.sleep(0.05)
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and b"Traceback" not in said
    assert 0 < len(json.loads(target.read_text())) < 3000
