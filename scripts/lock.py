"""Resolve every dependency of every extra in a clean environment and write constraints.txt.

Run it as `make lock`; it needs Python 3.11 and the network, and nothing installed. Python 3.11 is the
oldest that vocemo takes, so what resolves there exists for the newer ones too.

With `--keep` (`make lock KEEP=1`) versions that are locked already stay, and what is new is added to them:
for a further dependency, without the risk of newer versions of all others.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "constraints.txt"

# The one version that is chosen by hand: all of vocemo's figures were measured with it.
PINNED = ("torch==2.13.0",)

# PyTorch's CUDA build for Linux names the exact version of each of these itself; its CPU build needs none of
# them. Leaving them out lets one lock serve both.
TORCH_OWN = ("nvidia-", "cuda-", "triton")

HEADER = """\
# The lock: one version for every dependency of every extra. Written by `make lock`; do not edit by hand.
# Use: pip install --constraint constraints.txt "vocemo[lab]"
# `torch==2.13.0` matches PyTorch's CPU build (2.13.0+cpu) and its CUDA builds, whichever pip is offered.
"""


def resolve(extras: list[str], *, keep: bool) -> list[dict[str, Any]]:
    """Return pip's answer to what it would install in an empty environment: one entry a package."""
    with tempfile.TemporaryDirectory() as folder:
        environment, report = Path(folder, "venv"), Path(folder, "report.json")
        venv.create(environment, with_pip=True)
        command = [f"{environment}/bin/python", "-m", "pip", "install", "-qq", "--dry-run"]
        command += ["--ignore-installed", "--report", str(report), f"{ROOT}[{','.join(extras)}]", *PINNED]
        command += ["--constraint", str(LOCK)] if keep else []
        subprocess.run(command, check=True, cwd=folder)
        return list(json.loads(report.read_text(encoding="utf-8"))["install"])


def pins(packages: list[dict[str, Any]]) -> list[str]:
    """Return sorted `name==version` lines, without vocemo, local versions and what PyTorch pins itself."""
    lines = {}
    for package in packages:
        name = package["metadata"]["name"].lower().replace("_", "-").replace(".", "-")
        if name != "vocemo" and not name.startswith(TORCH_OWN):
            lines[name] = f"{name}=={package['metadata']['version'].partition('+')[0]}"
    return [lines[name] for name in sorted(lines)]


def main() -> None:
    """Write constraints.txt beside pyproject.toml."""
    parser = argparse.ArgumentParser(description="Resolve every dependency and write constraints.txt.")
    parser.add_argument("--keep", action="store_true", help="keep the versions that are locked already")
    options = parser.parse_args()
    if sys.version_info[:2] != (3, 11):
        sys.exit(f"the lock is made with Python 3.11, and this is {sys.version.split()[0]}: set PYTHON")
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras = sorted(tomllib.load(file)["project"]["optional-dependencies"])
    print(f"Resolving vocemo[{','.join(extras)}] in an empty environment (a minute or two) ...")
    lines = pins(resolve(extras, keep=options.keep))
    LOCK.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"constraints.txt: {len(lines)} packages")


if __name__ == "__main__":
    main()
