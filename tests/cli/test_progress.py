from __future__ import annotations

import io

import pytest

from vocemo.cli import progress as module
from vocemo.cli.progress import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_plain_lines_come_every_few_seconds_and_at_the_end() -> None:
    stream, now = io.StringIO(), [0.0]
    bar = module._PlainBar("Reading", 100, "clips", stream, clock=lambda: now[0])
    with bar:
        for _ in range(100):
            now[0] += 0.5
            bar.advance(note="going")
    lines = stream.getvalue().splitlines()
    assert lines[0] == "Reading: 20 of 100 clips, going (10.0 s, 2 clips/s, 40 s left)"
    assert lines[-1] == "Reading: 100 of 100 clips, going (50.0 s)"
    assert len(lines) == 6


def test_the_pace_is_that_of_late() -> None:
    stream, now = io.StringIO(), [0.0]
    bar = module._PlainBar("Training", 1000, "epochs", stream, clock=lambda: now[0])
    bar.advance(500)  # what an earlier start had done
    for _ in range(30):
        now[0] += 10.0
        bar.advance()
    assert stream.getvalue().splitlines()[-1].endswith("(300.0 s, 6 epochs/min, 78 min left)")


def test_no_pace_is_told_of_a_beginning_that_takes_longer() -> None:
    stream, now = io.StringIO(), [0.0]
    bar = module._PlainBar("Training", 10, "epochs", stream, clock=lambda: now[0])
    bar.steady_from = 1
    for _ in range(4):  # a minute to the first epoch, then ten seconds to each
        now[0] += 15.0
        bar.advance(0.25)
    for _ in range(2):
        now[0] += 10.0
        bar.advance()
    lines = stream.getvalue().splitlines()
    assert [line.partition("(")[2] for line in lines[:3]] == ["15.0 s)", "30.0 s)", "45.0 s)"]
    assert lines[-1] == "Training: 3 of 10 epochs (80.0 s, 6 epochs/min, 70 s left)"


def test_a_terminal_reckons_none_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    with progress("Training", 10, "epochs", stream=Terminal(), steady_from=1) as bar:
        assert isinstance(bar, module._TerminalBar)
        bar.advance(0.5)
        assert bar._rich.tasks[0].completed == 0 and "0.5 of 10" in bar._rich.tasks[0].fields["amount"]
        bar.advance(0.5)
        assert bar._rich.tasks[0].completed == 1


def test_bytes_are_megabytes_and_an_unknown_total_is_left_out() -> None:
    stream = io.StringIO()
    with progress("Fetching", None, "B", stream=stream) as bar:
        bar.advance(2_500_000)
    assert stream.getvalue().startswith("Fetching: 2.5 MB (")


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with progress("Training", 4, "batches", stream=stream) as bar:
        bar.advance(4, note="loss 0.5 [best]")
    said = stream.getvalue()
    assert "Training" in said and "4 of 4 batches" in said and "\x1b[" in said and "[best]" in said


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("Training", 4, quiet=True) as bar:
        bar.advance()
    assert bar.done == 1
    assert capsys.readouterr() == ("", "")


def test_progress_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("Reading", 1, "clips") as bar:
        bar.advance()
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("Reading: 1 of 1 clips")


def test_an_error_passes_through() -> None:
    with pytest.raises(ValueError, match="mine"), progress("Reading", 1, stream=io.StringIO()):
        raise ValueError("mine")
