"""Stretches of speech from probabilities: what each must hold, and that pieces make no difference."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vocemo.errors import UsageError
from vocemo.runtime.speech import FRAME_S, Hysteresis, Span, SpanFinder, spans

CHANCES = st.lists(st.sampled_from([0.0, 0.2, 0.34, 0.35, 0.4, 0.5, 0.9]), max_size=80)
SETTINGS = st.builds(
    Hysteresis,
    pause_s=st.integers(0, 12).map(lambda n: n * FRAME_S),
    least_s=st.integers(0, 8).map(lambda n: n * FRAME_S),
    margin_s=st.integers(0, 8).map(lambda n: n * FRAME_S),
)


@given(CHANCES, SETTINGS)
def test_what_a_span_promises(chances: list[float], asked: Hysteresis) -> None:
    found = spans(chances, asked)
    at = 0
    for span in found:
        assert at <= span.start < span.stop <= len(chances)
        inside = chances[span.start : span.stop]
        assert max(inside) >= asked.begin
        assert len(inside) >= asked.least
        # Its margins aside it begins and ends with speech, and has no pause within.
        first = next(k for k, chance in enumerate(inside) if chance >= asked.begin)
        last = max(k for k, chance in enumerate(inside) if chance >= asked.end)
        assert first <= asked.margin
        assert len(inside) - 1 - last <= asked.margin
        quiet = "".join("." if chance < asked.end else "x" for chance in inside[first : last + 1])
        assert "." * asked.pause not in quiet
        at = span.stop


@given(CHANCES, SETTINGS)
def test_no_long_speech_is_missed(chances: list[float], asked: Hysteresis) -> None:
    found = spans(chances, asked)
    run: list[int] = []
    for frame, chance in enumerate([*chances, 0.0]):
        if chance >= asked.begin:
            run.append(frame)
            continue
        if len(run) >= asked.least:
            assert any(span.start <= run[0] and run[-1] < span.stop for span in found)
        run = []


@given(CHANCES, SETTINGS, st.integers(1, 7))
def test_pieces_make_no_difference_and_what_goes_on_is_known(
    chances: list[float], asked: Hysteresis, size: int
) -> None:
    finder, found = SpanFinder(asked), list[Span]()
    promised: list[tuple[int, int]] = []
    for first in range(0, len(chances), size):
        ended = finder.push(chances[first : first + size])
        found += ended
        assert all(span.start >= 0 for span in ended)
        if finder.open_from is not None and finder.surely_until is not None:
            promised.append((finder.open_from, finder.surely_until))
    found += finder.finish()
    assert found == spans(chances, asked)
    # What was said to be speech before it ended is in a span that begins just there.
    for start, until in promised:
        assert any(span.start == start and until <= span.stop for span in found)


def test_a_pause_ends_it_and_a_click_is_none() -> None:
    asked = Hysteresis(pause_s=5 * FRAME_S, least_s=3 * FRAME_S, margin_s=2 * FRAME_S)
    word, pause, click = [0.9] * 6, [0.0] * 5, [0.9] * 2
    assert spans([*pause, *word, *pause, *click, *pause, *word], asked) == [Span(3, 13), Span(21, 29)]
    assert spans([*word, *pause[:4], *word], asked) == [Span(0, 16)]
    assert spans([], asked) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"begin": 0.3, "end": 0.5}, "end <= begin"),
        ({"begin": 1.1}, "end <= begin"),
        ({"pause_s": -1.0}, "pause_s"),
        ({"least_s": float("nan")}, "least_s"),
        ({"margin_s": float("inf")}, "margin_s"),
    ],
)
def test_values_that_are_none(options: dict[str, float], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Hysteresis(**options)
