"""What the tests of `vocemo predict` share: a tiny model, and the command run with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import fabricate_bundle
from vocemo.cli.main import main


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fabricate_bundle.write(tmp_path_factory.mktemp("bundle") / "tiny.onnx")


@pytest.fixture
def predict(bundle: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs `vocemo predict` with the tiny bundle: status, standard output, standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        status = main(["predict", "--model", str(bundle), *map(str, arguments)])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run
