"""The wheel, installed in an empty environment with the lock's versions, answers without PyTorch."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from vocemo import __version__
from vocemo.emotions import EMOTIONS

ROOT = Path(__file__).resolve().parent.parent
CLIP = ROOT / "samples" / "synthetic-happy.flac"
SOUNDS = (".wav", ".flac", ".ogg", ".mp3", ".opus", ".m4a", ".aiff")


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that sees neither this tree nor this environment's packages."""
    hidden = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True
    )


def succeed(*command: str | Path, cwd: Path) -> str:
    """Run a command that must exit 0, and give its standard output."""
    done = run(*command, cwd=cwd)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this tree with the build backend of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    succeed(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def binaries(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that holds the wheel, what it depends on, and nothing else."""
    folder = tmp_path_factory.mktemp("empty")
    venv.create(folder / "venv", with_pip=True)
    found = folder / "venv" / "bin"
    lock = ROOT / "constraints.txt"
    succeed(found / "python", "-m", "pip", "install", "-qq", "--constraint", lock, wheel, cwd=folder)
    return found


@pytest.fixture(scope="module")
def described(wheel: Path) -> Message:
    """The wheel's metadata."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return Parser().parsestr(archive.read(name).decode("utf-8"))


def test_the_wheel_holds_the_model_and_no_recording(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        size = sum(entry.compress_size for entry in archive.infolist())
    models = {name for name in names if name.startswith("vocemo/models/")}
    assert models == {f"vocemo/models/{name}.onnx" for name in ("base", "dual-channel-cnn", "tiny")}
    assert "vocemo/py.typed" in names
    assert "vocemo/runtime/speech/silero_vad_16k.onnx" in names
    assert "vocemo/runtime/speech/LICENSE-SILERO" in names
    assert "vocemo/lab/recipes/dual-channel-cnn.toml" in names
    assert [name for name in names if name.lower().endswith(SOUNDS)] == []
    assert {name.split("/")[0] for name in names} == {"vocemo", f"vocemo-{__version__}.dist-info"}
    assert size < 50e6


def test_the_wheel_says_both_licences(described: Message, wheel: Path) -> None:
    assert described["License-Expression"] == "MIT AND CC-BY-NC-SA-4.0"
    assert described.get_all("License-File") == ["LICENSE", "LICENSE-WEIGHTS"]
    assert described["Version"] == __version__
    with zipfile.ZipFile(wheel) as archive:
        for name in ("LICENSE", "LICENSE-WEIGHTS"):
            shipped = archive.read(f"vocemo-{__version__}.dist-info/licenses/{name}")
            assert shipped == (ROOT / name).read_bytes()


def test_the_environment_is_light(binaries: Path, tmp_path: Path) -> None:
    for library in ("torch", "librosa", "scipy", "matplotlib", "onnx"):
        assert run(binaries / "python", "-c", f"import {library}", cwd=tmp_path).returncode == 1
    listed = json.loads(succeed(binaries / "python", "-m", "pip", "list", "--format", "json", cwd=tmp_path))
    pins = dict(
        line.split("==")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    )
    for package in listed:
        name = re.sub(r"[-_.]+", "-", package["name"]).lower()
        if name not in {"vocemo", "pip", "setuptools"}:  # the last two came with the environment
            assert package["version"].partition("+")[0] == pins[name], name


def test_the_command_answers(binaries: Path, tmp_path: Path) -> None:
    printed = succeed(binaries / "vocemo", "predict", CLIP, "--format", "json", cwd=tmp_path)
    (answer,) = json.loads(printed)
    assert answer["emotion"] in EMOTIONS
    assert set(answer["probabilities"]) <= set(EMOTIONS)
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert answer["confidence"] == pytest.approx(answer["probabilities"][answer["emotion"]], abs=1e-6)
    table = succeed(binaries / "vocemo", "predict", CLIP, cwd=tmp_path)
    sure = (
        f" with {answer['confidence']:.2%} confidence" if not answer["out_of_domain"] > 1 else " (uncertain)"
    )
    assert f"Predicted emotion: {answer['emotion']}{sure}" in table


def test_python_answers_as_the_command_does(binaries: Path, tmp_path: Path) -> None:
    script = (
        "import json, sys, vocemo\n"
        "answer = vocemo.load().predict(sys.argv[1])\n"
        "assert not {'torch', 'vocemo.lab'} & set(sys.modules)\n"
        "print(json.dumps(answer.probabilities))\n"
    )
    from_python = json.loads(succeed(binaries / "python", "-c", script, CLIP, cwd=tmp_path))
    printed = succeed(binaries / "vocemo", "predict", CLIP, "--format", "json", cwd=tmp_path)
    (answer,) = json.loads(printed)
    assert from_python == pytest.approx(answer["probabilities"], abs=1e-4)


def test_the_readme_s_five_lines_run(binaries: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    printed = succeed(binaries / "python", "-I", "-c", block, cwd=ROOT).splitlines()
    assert printed[0].split()[0] in EMOTIONS


def test_info_says_the_licences(binaries: Path, tmp_path: Path) -> None:
    printed = succeed(binaries / "vocemo", "info", cwd=tmp_path)
    assert "CC-BY-NC-SA-4.0" in printed.replace(" ", "-")
    assert "RAVDESS" in printed


def test_a_verb_of_the_lab_says_what_to_install(binaries: Path, tmp_path: Path) -> None:
    done = run(
        *(binaries / "vocemo", "train", "dual-channel-cnn", "--corpus", f"folder:{tmp_path}"),
        *("--protocol", "random", "--out", tmp_path / "run"),
        cwd=tmp_path,
    )
    assert done.returncode != 0
    assert "vocemo[lab]" in done.stderr
    assert "Traceback" not in done.stderr
