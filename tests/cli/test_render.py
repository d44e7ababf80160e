from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from vocemo.cli.render import bar, renderer
from vocemo.runtime.prediction import Prediction


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def table(encoding: str) -> str:
    raw = io.BytesIO()
    stream = Terminal(raw, encoding=encoding)
    prediction = Prediction(
        "a.wav", 0.0, 3.0, 3.0, "happy", 0.8725, {"happy": 0.8725, "sad": 0.1275}, warnings=("odd",)
    )
    writer = renderer("table", stream, device="cpu", emotions=("happy", "sad"), several=False, top=None)
    writer.begin()
    writer.add(prediction)
    writer.end()
    stream.flush()
    return raw.getvalue().decode(encoding)


def test_a_terminal_gets_bars_and_colour() -> None:
    said = table("utf-8")
    assert "87.25%" in said and bar(0.8725) in said and "\x1b[1;32mhappy\x1b[0m" in said
    assert "Warning: odd" in said


def test_a_terminal_without_unicode_gets_no_bars() -> None:
    said = table("ascii")
    assert "happy" in said and "█" not in said


@given(st.floats(-0.5, 1.5), st.integers(1, 80))
def test_a_bar_fits_and_grows(fraction: float, cells: int) -> None:
    drawn = bar(fraction, cells)
    assert len(drawn) <= cells
    assert len(bar(min(fraction + 0.2, 1.5), cells)) >= len(drawn)
