"""Many recordings in few runs: groups that grow, one of them decoded ahead, batches of like lengths."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

import vocemo
from vocemo.runtime.answerer import Answerer
from vocemo.runtime.batches import MOST_CLIPS, growing_groups, one_ahead, similar

SAMPLES = Path(__file__).parents[2] / "samples"


@given(some.integers(0, 300))
def test_groups_hold_all_in_order_and_grow(count: int) -> None:
    groups = list(growing_groups(range(count)))
    assert [each for group in groups for each in group] == list(range(count))
    sizes = [len(group) for group in groups[:-1]]
    assert sizes == sorted(sizes) and (not sizes or sizes[0] <= 4)


@given(some.lists(some.integers(1, 500), max_size=60), some.integers(1, 2_000))
def test_batches_hold_each_once_and_no_more_than_they_may(lengths: list[int], most: int) -> None:
    batches = list(similar(lengths, most))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        widest = max(lengths[index] for index in batch)
        assert len(batch) == 1 or (len(batch) <= MOST_CLIPS and len(batch) * widest <= most)


def test_what_was_begun_is_given_out_before_an_error_of_the_groups() -> None:
    def groups() -> Iterator[int]:
        yield 1
        yield 2
        raise OSError("the disk is gone")

    given: list[int] = []
    with pytest.raises(OSError, match="the disk is gone"):
        for each in one_ahead(groups(), lambda group: 10 * group):
            given.append(each)
    assert given == [10, 20]


def test_a_group_is_decoded_while_the_model_answers_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model waits until somebody reads the second group: where nobody does, this ends in an error."""
    model = vocemo.load(device="cpu", threads=1)
    silence = np.zeros(16_000, np.float32)
    voice = str(SAMPLES / "synthetic-angry.flac")
    second_is_read = threading.Event()
    hear = Answerer.hear

    def waiting(self: Answerer, clips: list) -> list:
        assert second_is_read.wait(30), "the second group is not begun before the first is answered"
        return hear(self, clips)

    def sources() -> Iterator[object]:
        for number in range(12):  # groups of 4 and 8
            if number == 4:
                second_is_read.set()
            yield voice if number % 2 else silence

    monkeypatch.setattr(Answerer, "hear", waiting)
    answers = list(model.predict_many(sources(), 16_000, jobs=2))
    assert [answer.emotion is None for answer in answers] == [True, False] * 6


def test_who_stops_asking_leaves_no_thread_behind() -> None:
    model = vocemo.load(device="cpu", threads=1)
    answers = model.predict_many([str(SAMPLES / "synthetic-sad.flac")] * 40, jobs=3)
    assert next(answers).emotion
    answers.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("vocemo")]
