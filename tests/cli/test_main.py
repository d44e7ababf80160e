from __future__ import annotations

import importlib
import importlib.util
import json
import shutil
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

import fabricate_bundle
import fabricate_sounddevice
from vocemo import __version__
from vocemo.cli import doctor
from vocemo.cli.main import VERBS, main
from vocemo.errors import CorpusError
from vocemo.prepare import Preparation


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return fabricate_bundle.write(tmp_path / "tiny.onnx")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"vocemo {__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help_lists_every_verb(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    said = capsys.readouterr().out
    for verb in VERBS:
        assert verb in said


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_there_and_helps(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    module = importlib.import_module(f"vocemo.cli.{verb}")
    assert hasattr(module, "app") or callable(getattr(module, verb))
    assert main([verb, "--help"]) == 0
    assert "Usage" in capsys.readouterr().out


def test_a_wrong_verb_names_the_right_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predikt", "a.wav"]) == 2
    said = capsys.readouterr().err
    assert "did you mean 'predict'" in said and all(verb in said for verb in VERBS)


def test_a_wrong_option_before_the_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--loud"]) == 2
    assert "--loud" in capsys.readouterr().err


def _raising(error: BaseException) -> Callable[..., int]:
    def run(*_: object) -> int:
        raise error

    return run


def _caused(error: Exception, by: BaseException) -> Exception:
    error.__cause__ = by
    return error


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (CorpusError("no such\n  corpus"), 1, "vocemo: no such corpus\n"),
        (PermissionError(13, "Permission denied", "x.json"), 1, "x.json"),
        (ZeroDivisionError("by zero"), 1, "unexpected ZeroDivisionError: by zero (VOCEMO_DEBUG=1"),
        (KeyboardInterrupt(), 130, ""),
        (_caused(ImportError("initialization failed"), KeyboardInterrupt()), 130, ""),
        (_caused(ImportError("no libsndfile"), OSError("not found")), 1, "unexpected ImportError: no libsnd"),
    ],
)
def test_errors_become_one_line_and_a_status(
    error: BaseException,
    status: int,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("VOCEMO_DEBUG", raising=False)
    monkeypatch.setattr("vocemo.cli.main._call", _raising(error))
    assert main(["info"]) == status
    said = capsys.readouterr().err
    assert says in said and said.count("\n") == (1 if says else 0)


def test_ctrl_c_inside_a_callback_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder's callback loses the exception: it must come again where it can pass."""
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)

    def run(given: object) -> int:
        sys.unraisablehook(types.SimpleNamespace(exc_value=KeyboardInterrupt()))
        for _ in range(1000):
            time.sleep(0.01)
        return 0

    hook = sys.unraisablehook
    monkeypatch.setattr("vocemo.cli.main._run", run)
    try:
        assert main(["predict"]) == 130
    finally:
        signal.signal(signal.SIGINT, usual)
    assert sys.unraisablehook is hook


@pytest.mark.parametrize(
    ("words", "offered", "not_offered"),
    [
        ("vocemo pre", "predict", "train"),
        ("vocemo predict --for", "--format", "--timeline"),
        ("vocemo predict --format j", "jsonl", "csv"),
        ("vocemo corpora ch", "check", "list"),
        ("vocemo train stack", "stacked-cnn1d", "base"),
        ("vocemo predict rec", None, "recipes"),  # a file: the shell's own names
    ],
)
def test_a_shell_is_offered_what_may_follow(
    words: str,
    offered: str | None,
    not_offered: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("_VOCEMO_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    assert main([]) == 0
    said = capsys.readouterr().out.split()
    assert not_offered not in said and (offered in said if offered else not said)


def test_the_script_for_a_shell_asks_this_program() -> None:
    """As the shell does: the script is read by bash, its function called, the program started by it."""
    vocemo = Path(sys.executable).with_name("vocemo")
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash on this machine")
    script = subprocess.run(
        [vocemo, "--show-completion", "bash"], capture_output=True, text=True, check=True
    ).stdout
    asked = f'{script}\nCOMP_WORDS=(vocemo predict --format s); COMP_CWORD=3; _vocemo_completion "{vocemo}"'
    told = subprocess.run(
        [bash, "--norc", "-c", f'{asked}; echo "${{COMPREPLY[@]}}"'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["srt"]


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vocemo.cli.main._call", _raising(CorpusError("gone")))
    monkeypatch.setenv("VOCEMO_DEBUG", "1")
    with pytest.raises(CorpusError):
        main(["info"])


def test_predict_imports_nothing_that_it_does_not_need(bundle: Path, tmp_path: Path) -> None:
    script = (
        "import sys; from vocemo.cli.main import main;"
        f"status = main(['predict', {str(tmp_path / 'none.wav')!r}, '--model', {str(bundle)!r}]);"
        "heavy = {'torch', 'librosa', 'scipy', 'matplotlib', 'rich', 'onnx', 'sklearn', 'av', 'noisereduce',"
        " 'audiomentations', 'numba', 'vocemo.lab', 'vocemo.cli.train'};"
        "print(status, sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "1 []"


def test_info_says_what_the_bundle_says(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(bundle)]) == 0
    said = capsys.readouterr().out
    for part in (
        "CC-BY-NC-SA-4.0",
        "Non-commercial use only",
        "Attribution: RAVDESS (Livingstone and Russo 2018)",
        "ravdess-speech",
        "1,440 clips, 24 speakers",
        "dual-channel-cnn",
        "random (LEAKY",
        "UAR 70.0%",
        "neutral, happy, sad, angry",
        "sample_rate: 16000",
    ):
        assert part in said


def test_info_tells_how_long_clips_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for length_s, told in (
        (None, "clips of any length"),
        (2.5, "clips of 2.5 s, many at once (40,000 samples"),
    ):
        about = fabricate_bundle.info(preparation=Preparation(sample_rate=16_000, length_s=length_s))
        assert main(["info", str(fabricate_bundle.write(tmp_path / "model.onnx", about))]) == 0
        assert told in capsys.readouterr().out


@pytest.mark.parametrize(
    "metrics",
    [5, "all of them", {"uar": "high"}, {"uar": {}}, {"uar": {"mean": 0.5, "ci95": [1]}}, {"uar": None}],
)
def test_info_of_results_that_other_programs_wrote(
    metrics: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = {"protocol": "loso", "metrics": {"uar": 0.7}}
    about = fabricate_bundle.info(results=({"protocol": "odd", "metrics": metrics}, sound))
    assert main(["info", str(fabricate_bundle.write(tmp_path / "odd.onnx", about))]) == 0
    said = capsys.readouterr().out
    assert "a result that cannot be read" in said and "loso: UAR 70.0%" in said


def test_info_as_json(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(bundle), "--format", "json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["licence"] == "CC-BY-NC-SA-4.0" and said["training"]["clips"] == 1440
    assert len(said["sha256"]) == 64 and said["path"] == str(bundle)


def test_info_of_an_open_licence_restricts_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = fabricate_bundle.write(tmp_path / "open.onnx", fabricate_bundle.info(licence="CC-BY-4.0"))
    assert main(["info", str(path)]) == 0
    assert "Non-commercial" not in capsys.readouterr().out


def test_info_of_what_is_no_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(tmp_path / "none.onnx")]) == 1
    assert "none.onnx" in capsys.readouterr().err


def test_doctor_tells_what_is_there(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("vocemo.bundle.packaged.place", lambda *_: bundle)
    quick = {name: doctor.EXTRAS[name] for name in ("plot", "media")}  # torch takes seconds to import
    monkeypatch.setattr(doctor, "EXTRAS", quick)
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "tiny answers (4 emotions)" in said and "WAV, FLAC, OGG and MP3 decode" in said
    assert "runs models on" in said and all(extra in said for extra in doctor.EXTRAS)


def test_doctor_tells_which_microphone_there_is(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("vocemo.bundle.packaged.place", lambda *_: bundle)
    monkeypatch.setattr(doctor, "EXTRAS", {"mic": doctor.EXTRAS["mic"]})
    fabricate_sounddevice.install(monkeypatch, [fabricate_sounddevice.device("Headset", 1)], default=0)
    assert main(["doctor"]) == 0
    assert "ok  microphone    Headset (default)" in capsys.readouterr().out
    fabricate_sounddevice.install(monkeypatch, [])
    assert main(["doctor"]) == 0  # nothing that an answer needs
    assert "no  microphone    MicrophoneError: none on this machine" in capsys.readouterr().out


def test_doctor_names_what_is_missing_and_what_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("vocemo.bundle.packaged.FOLDER", tmp_path)
    monkeypatch.setattr(doctor, "EXTRAS", {"plot": (("a_module_that_is_not_there",), "pictures")})
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "pip install 'vocemo[plot]'" in said and str(tmp_path) in said


def test_the_extras_of_doctor_are_those_of_the_package() -> None:
    import tomllib

    project = Path(__file__).parents[2] / "pyproject.toml"
    declared = tomllib.loads(project.read_text("utf-8"))["project"]["optional-dependencies"]
    assert set(doctor.EXTRAS) <= set(declared)


def test_verbs_of_their_own_keep_plain_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["corpora", "lisst"]) == 2
    assert "lisst" in capsys.readouterr().err
    assert isinstance(importlib.import_module("vocemo.cli.corpora").app, typer.Typer)
