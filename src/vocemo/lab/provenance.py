"""Where a figure comes from: versions, commit, date and command."""

from __future__ import annotations

import datetime
import platform
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path

_PACKAGES = ("vocemo", "torch", "numpy", "onnxruntime", "soundfile", "soxr", "audiomentations")


def versions() -> dict[str, str]:
    """The interpreter and the packages that a result depends on."""
    found = {"python": platform.python_version(), "platform": platform.platform(terse=True)}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def commit() -> str:
    """The short commit of vocemo's own checkout, with `-dirty` where it was changed; empty outside one.

    An installation inside somebody else's repository is no checkout: git must know this very file.
    """
    if not _git("ls-files", "--error-unmatch", Path(__file__).name):
        return ""
    return _git("describe", "--always", "--dirty", "--exclude=*")


def _git(*arguments: str) -> str:
    """What git says in this file's folder; empty where it fails or is not installed."""
    try:
        return subprocess.run(
            ["git", *arguments],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def today() -> str:
    """The date in UTC, as YYYY-MM-DD."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def stamp() -> dict[str, str]:
    """Command, commit (`unknown` outside a checkout) and date, as they stand in a file of figures."""
    return {"command": command(), "commit": commit() or "unknown", "date": today()}


def command() -> str:
    """The command line of this process, as one would type it again."""
    module = getattr(sys.modules.get("__main__"), "__spec__", None)
    typed = Path(sys.argv[0])
    if module:
        program = ["python", "-m", module.name.removesuffix(".__main__")]
    elif typed.suffix == ".py":  # with its folder, but for the way to that on this machine
        program = ["python", Path(*typed.parts[-2:]).as_posix()]
    else:
        program = [typed.name]
    return shlex.join([*program, *sys.argv[1:]])
