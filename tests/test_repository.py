"""What the repository promises as a whole: its lock, licences, contracts and what it must not hold."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from vocemo.cli.main import VERBS

ROOT = Path(__file__).resolve().parent.parent
SOUNDS = {".wav", ".flac", ".ogg", ".mp3", ".opus", ".m4a", ".aiff", ".aif", ".webm", ".mp4"}
# Tests make tiny recordings as they run; what is tracked is ours, and named for what it is.
OUR_SOUNDS = re.compile(r"samples/synthetic-[a-z]+\.flac")
CORPUS_NAMES = re.compile(
    r"(^|/)(03-0[12](-\d\d){5}|\d\d[ab]\d\d[A-Z][a-z]|(OAF|YAF)_[a-z]+_[a-z]+|\d{4}_[A-Z]{3}_[A-Z]{3}_[A-Z]{2})\."
)
MACHINE_PATHS = re.compile(r"(?<![\w.~])/(?:work|root|home|Users)/[\w.]+/")


def pyproject() -> dict[str, Any]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)


def requirements() -> list[Requirement]:
    """Everything that pyproject.toml asks for, with every extra."""
    project = pyproject()["project"]
    lines = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    return [Requirement(line) for line in lines if not line.startswith("vocemo[")]


def lock() -> dict[str, Version]:
    """The lock's versions by normalised name."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith("#")]
    found = {}
    for pin in pins:
        (specifier,) = pin.specifier
        assert specifier.operator == "==", pin
        assert pin.url is None and not pin.extras, pin
        found[canonicalize_name(pin.name)] = Version(specifier.version)
    return found


@pytest.fixture(scope="module")
def tracked() -> list[str]:
    """The tracked files, relative to the root."""
    if not (ROOT / ".git").exists():
        pytest.skip("this copy of vocemo is not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\0") if name]


def test_no_recording_is_tracked(tracked: list[str]) -> None:
    sounds = [name for name in tracked if Path(name).suffix.lower() in SOUNDS]
    assert [name for name in sounds if not OUR_SOUNDS.fullmatch(name)] == []
    assert [name for name in tracked if CORPUS_NAMES.search(name)] == []


def test_no_path_of_a_machine_is_tracked(tracked: list[str]) -> None:
    found = []
    for name in tracked:
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):  # a binary file, or one removed and not yet committed
            continue
        found += [f"{name}: {hit.group()}" for hit in MACHINE_PATHS.finditer(text)]
    assert found == []


def test_the_lock_satisfies_every_extra() -> None:
    pins = lock()
    for requirement in requirements():
        version = pins.get(canonicalize_name(requirement.name))
        assert version is not None, f"constraints.txt lacks {requirement.name}: run `make lock`"
        assert requirement.specifier.contains(version), f"{requirement} is pinned to {version}: `make lock`"


def test_the_lock_fits_every_machine() -> None:
    pins = lock()
    assert pins["torch"] == Version("2.13.0")
    assert [f"{name}=={version}" for name, version in pins.items() if version.local] == []
    # PyTorch's CUDA build names its own libraries; a machine without a GPU must not be sent for them.
    assert [name for name in pins if name.startswith(("nvidia-", "cuda-", "triton"))] == []
    assert list(pins) == sorted(pins)


def test_the_lock_is_whole() -> None:
    """Whatever the installed vocemo[dev] needs, directly or not, is pinned."""
    pins, seen, left = lock(), {"vocemo"}, [Requirement("vocemo[dev]")]
    missing = []
    while left:
        wanted = left.pop()
        try:
            needs = metadata.requires(wanted.name) or []
        except metadata.PackageNotFoundError:  # for another platform, or a newer or older Python
            continue
        for line in needs:
            need = Requirement(line)
            extras = wanted.extras or {""}
            if need.marker and not any(need.marker.evaluate({"extra": extra}) for extra in extras):
                continue
            name = canonicalize_name(need.name)
            key = f"{name}[{','.join(sorted(need.extras))}]"
            if key not in seen:
                seen.add(key)
                left.append(need)
                is_own = name == "vocemo" or name.startswith(("nvidia-", "cuda-", "triton"))
                if not is_own and name not in pins:
                    missing.append(f"{name} (for {wanted.name})")
    assert missing == [], "run `make lock`"


def test_the_import_contracts_stand() -> None:
    settings = pyproject()["tool"]["importlinter"]
    layers, independence, *more, torchless = settings["contracts"]
    assert layers["exhaustive"] is True
    assert layers["layers"][0] == "cli"
    for name in ("corpora", "features", "augment", "models"):
        assert name in independence["layers"][0]
    assert {frozenset(each["modules"]) for each in more if each["type"] == "independence"} == {
        frozenset(f"vocemo.lab.{name}" for name in ("front_ends", "models", "corpora"))
    }
    assert {"vocemo.lab", "torch"} <= set(torchless["forbidden_modules"])
    answering = {"errors", "emotions", "audio", "prepare", "bundle", "runtime"}
    if (ROOT / "src" / "vocemo" / "service").exists():
        answering.add("service")
    assert {f"vocemo.{name}" for name in answering} <= set(torchless["source_modules"])


def test_both_licences_are_here() -> None:
    project = pyproject()["project"]
    assert project["license"] == "MIT AND CC-BY-NC-SA-4.0"
    assert project["license-files"] == ["LICENSE", "LICENSE-WEIGHTS"]
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License\n")
    weights = (ROOT / "LICENSE-WEIGHTS").read_text(encoding="utf-8")
    assert "10.1371/journal.pone.0196391" in weights
    for section in range(1, 9):
        assert f"\nSection {section} -- " in weights


def test_the_readme_starts_with_what_most_people_copy() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    top = "\n".join(text.splitlines()[:20])
    for command in ("make demo", "pip install .", "vocemo predict call.wav", "make test"):
        assert command in top
    assert "CC BY-NC-SA 4.0" in text
    assert "MIT" in text


def test_every_command_that_the_readme_shows_exists() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"^```\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    known = {"vocemo": set(VERBS), "make": set(re.findall(r"^(\w+):", makefile, flags=re.MULTILINE))}
    for program, words in known.items():
        shown = re.findall(rf"^{program} (\w+)", blocks, re.MULTILINE) + re.findall(
            rf"`{program} (\w+)", text
        )
        assert shown
        assert sorted(set(shown) - words) == []


@pytest.mark.parametrize("page", ["README.md", "CHANGELOG.md", "samples/README.md"])
def test_what_a_page_links_to_exists(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)", (ROOT / page).read_text(encoding="utf-8"))
    inside = [link for link in links if "://" not in link]
    assert [link for link in inside if not ((ROOT / page).parent / link).exists()] == []


def test_continuous_integration_runs_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").splitlines()[-1] == "make test"
