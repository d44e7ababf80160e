"""What an epoch holds: every clip, and as many of its variants as the recipe asks for."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vocemo.lab.examples import Example, counts, examples, order

LABELS = st.lists(st.sampled_from(["happy", "sad", "angry"]), min_size=1, max_size=30)


@given(LABELS, st.integers(1, 4))
def test_none_is_each_clip_once_its_shape_left_open(labels: list[str], pool: int) -> None:
    assert examples(labels, pool, "none") == tuple(Example(row, None) for row in range(len(labels)))


@given(LABELS, st.integers(1, 4))
def test_all_is_each_clip_and_each_of_its_variants(labels: list[str], pool: int) -> None:
    made = examples(labels, pool, "all")
    assert sorted((e.row, e.variant) for e in made) == [
        (row, number) for row in range(len(labels)) for number in range(pool + 1)
    ]


@given(LABELS, st.integers(1, 4))
def test_balance_brings_every_emotion_to_the_most_frequent_ones(labels: list[str], pool: int) -> None:
    made = examples(labels, pool, "balance")
    assert len(set(made)) == len(made)  # nothing twice: what is added is new
    most = max(Counter(labels).values()) * (pool + 1)
    assert Counter(labels[e.row] for e in made) == dict.fromkeys(labels, most)
    shapes = Counter(e.row for e in made)
    for row, label in enumerate(labels):
        own = sorted(e.variant for e in made if e.row == row)
        assert own == list(range(len(own)))  # the clip as it is, then variants from the first on
        others = [shapes[other] for other, name in enumerate(labels) if name == label]
        assert max(others) - min(others) <= 1
        assert min(others) >= pool + 1


def test_what_is_left_over_falls_on_clips_all_over_the_list() -> None:
    labels = ["happy"] * 11 + ["sad"] * 8  # 22 examples each: six of the sad clips get one more
    shapes = Counter(e.row for e in examples(labels, 1, "balance"))
    more = [row - 11 for row in range(11, 19) if shapes[row] == 3]
    assert len(more) == 6
    assert {row // 4 for row in more} == {0, 1}
    assert [len([row for row in more if row // 4 == half]) for half in (0, 1)] == [3, 3]


@given(LABELS, st.integers(0, 5))
def test_a_shuffled_epoch_is_each_example_once(labels: list[str], seed: int) -> None:
    places = order(labels, "shuffled", np.random.default_rng(seed))
    assert sorted(places.tolist()) == list(range(len(labels)))
    assert counts(labels, "shuffled") == Counter(labels)


@given(LABELS, st.integers(0, 5))
def test_a_balanced_epoch_has_as_many_of_each_emotion(labels: list[str], seed: int) -> None:
    places = order(labels, "balanced", np.random.default_rng(seed)).tolist()
    drawn = Counter(labels[place] for place in places)
    assert drawn == counts(labels, "balanced")
    assert set(drawn) == set(labels) and len(set(drawn.values())) == 1
    assert abs(len(places) - len(labels)) <= len(drawn)  # an epoch is as long as it would be
    for label in drawn:  # nothing again before all of its emotion have come
        times = [places.count(place) for place, name in enumerate(labels) if name == label]
        assert max(times) - min(times) <= 1
    assert places == order(labels, "balanced", np.random.default_rng(seed)).tolist()


def test_balanced_epochs_draw_other_clips_each_and_mix_the_emotions() -> None:
    labels = ["happy"] * 40 + ["sad"] * 10
    drawn = [order(labels, "balanced", np.random.default_rng([0, epoch])).tolist() for epoch in range(8)]
    assert {place for places in drawn for place in places} == set(range(50))
    assert len({frozenset(places) for places in drawn}) == 8
    assert all(5 < sum(place < 40 for place in places[:25]) < 20 for places in drawn)
