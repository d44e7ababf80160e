"""Protocols against what they are published to be, on made-up manifests and on the real corpora."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vocemo.emotions import EMOTIONS
from vocemo.errors import CorpusError, UnknownNameError, UsageError
from vocemo.lab.corpora import read
from vocemo.lab.corpora.clip import Clip, Manifest
from vocemo.lab.splits import PROTOCOLS, Fold, audit, enforce, folds
from vocemo.lab.splits.shares import hold_out, stratified

EMOBOX = [{1, 11, 20, 21}, {4, 10, 12, 14}, {8, 9, 19, 23}, {3, 5, 7, 24}, {2, 15, 16, 18}, {6, 13, 17, 22}]
LUNA = [{2, 5, 14, 15, 16}, {3, 6, 7, 13, 18}, {10, 11, 12, 19, 20}, {8, 17, 21, 23, 24}, {1, 4, 9, 22}]
SHAPES = {"emobox-6": EMOBOX, "luna-5": LUNA}


def actor_clips(actor: int, channel: str = "speech") -> list[Clip]:
    emotions = EMOTIONS if channel == "speech" else EMOTIONS[:6]
    return [
        Clip(
            path=Path(f"ravdess/{channel}/Actor_{actor:02d}/{channel}-{n}-{emotion}-{actor:02d}.wav"),
            corpus="ravdess",
            emotion=emotion,
            speaker=f"ravdess/{actor:02d}",
            sex="male" if actor % 2 else "female",
            sentence=str(n % 2),
            channel="song" if channel == "song" else "speech",
        )
        for n in range(4)
        for emotion in emotions
    ]


def ravdess(actors: range | list[int] = range(1, 25), song: bool = True) -> Manifest:
    clips = [c for a in actors for c in actor_clips(a)]
    if song:
        clips += [c for a in actors if a != 18 for c in actor_clips(a, "song")]
    return Manifest(tuple(clips))


def table(speakers: list[str], per_speaker: int = 20, corpus: str = "table", emotions: int = 4) -> Manifest:
    return Manifest(
        tuple(
            Clip(
                path=Path(f"{corpus}/{speaker}-{n}.wav"),
                corpus=corpus,
                emotion=EMOTIONS[n % emotions],
                speaker=speaker if "/" in speaker else f"{corpus}/{speaker}",
                sentence=str(n // emotions),
            )
            for speaker in speakers
            for n in range(per_speaker)
        )
    )


def global_randomness() -> tuple[list[int], object]:
    """The state of NumPy's and Python's generators that everybody shares."""
    return np.random.get_state()[1].tolist(), random.getstate()  # noqa: NPY002 (it is read, not drawn from)


def actors(clips: tuple[Clip, ...]) -> set[int]:
    return {int(c.speaker.partition("/")[2]) for c in clips}


def names(manifest: Manifest | tuple[Clip, ...]) -> set[str]:
    return {c.key for c in manifest}


def corpus_for(protocol: str) -> Manifest:
    """A manifest that the protocol can divide."""
    if protocol in ("cross-corpus", "one-corpus"):
        return table(["ann", "bob", "cat"], corpus="one") + table(["dan", "eve", "fay"], corpus="two")
    if protocol == "as-given":
        given = {"ann": "train", "bob": "validation", "cat": "test"}
        return Manifest(
            tuple(
                dataclasses.replace(c, split=given[c.speaker.partition("/")[2]])
                for c in table(["ann", "bob", "cat"])
            )
        )
    if protocol == "loso" or protocol.startswith("speaker-folds"):
        return ravdess(range(1, 7))
    return ravdess()


every_protocol = pytest.mark.parametrize("protocol", sorted(PROTOCOLS))


@pytest.mark.parametrize("protocol", SHAPES)
@pytest.mark.parametrize("song", [True, False])
def test_published_folds_of_ravdess(protocol: str, song: bool) -> None:
    groups = SHAPES[protocol]
    made = folds(ravdess(song=song), protocol)
    assert [actors(f.test) for f in made] == groups
    assert [actors(f.validation) for f in made] == groups[1:] + groups[:1]
    for i, fold in enumerate(made):
        assert fold.index == i
        assert not fold.leaky
        assert {c.channel for c in fold.test + fold.validation} == {"speech"}
        assert actors(fold.train) == set(range(1, 25)) - actors(fold.test) - actors(fold.validation)
        assert {c.channel for c in fold.train} == ({"speech", "song"} if song else {"speech"})
    tested = Counter(c.key for f in made for c in f.test)
    assert set(tested.values()) == {1}
    assert set(tested) == {c.key for c in ravdess(song=False)}


@pytest.mark.parametrize("protocol", SHAPES)
def test_other_corpora_train_beside_ravdess_but_for_the_held_out_actors(protocol: str) -> None:
    other = table(["ann", "ravdess/01", "ravdess/04"])
    for fold in folds(ravdess(song=False) + other, protocol):
        held_out = {c.speaker for c in fold.test + fold.validation}
        trained = {c.speaker for c in fold.train if c.corpus == "table"}
        assert trained == {"table/ann", "ravdess/01", "ravdess/04"} - held_out
        assert {c.corpus for c in fold.test + fold.validation} == {"ravdess"}
        enforce(fold)


def test_a_partial_ravdess_will_do_while_no_part_is_empty() -> None:
    one_of_each = [min(group) for group in EMOBOX]
    made = folds(ravdess(one_of_each), "emobox-6")
    assert [actors(f.test) for f in made] == [{a} for a in one_of_each]


def test_too_partial_a_ravdess_names_the_missing_actors() -> None:
    with pytest.raises(UsageError) as raised:
        folds(ravdess([1, 2, 4]), "emobox-6")
    assert "fold 1 has no clips to validate with" in str(raised.value)
    assert "validation needs one of actors 08, 09, 19, 23" in str(raised.value)
    assert "There are actors 01, 02, 04; missing: 03, 05, 06" in str(raised.value)


@pytest.mark.parametrize("protocol", SHAPES)
@pytest.mark.parametrize(
    ("manifest", "given"),
    [
        (table(["ann", "bob"]), "table speech"),
        (ravdess().where(lambda c: c.channel == "song"), "ravdess song"),
    ],
)
def test_a_protocol_says_which_corpus_it_needs(protocol: str, manifest: Manifest, given: str) -> None:
    with pytest.raises(UsageError, match=rf"{protocol} needs RAVDESS speech.*given {given}"):
        folds(manifest, protocol)


@every_protocol
def test_folds_do_not_depend_on_order_or_place(protocol: str) -> None:
    manifest = corpus_for(protocol)
    moved = [dataclasses.replace(c, path=Path("/elsewhere") / c.path) for c in manifest]
    random.Random(3).shuffle(moved)
    for here, there in zip(
        folds(manifest, protocol, 5), folds(Manifest(tuple(moved)), protocol, 5), strict=True
    ):
        for a, b in zip(here.parts.values(), there.parts.values(), strict=True):
            assert [str(c.path) for c in a] == [str(c.path.relative_to("/elsewhere")) for c in b]


@every_protocol
def test_same_seed_same_folds_and_no_global_randomness(protocol: str) -> None:
    before = global_randomness()
    manifest = corpus_for(protocol)
    assert folds(manifest, protocol, 1) == folds(manifest, protocol, 1)
    drawn = {fold for seed in range(4) for fold in folds(manifest, protocol, seed)}
    seedless = {"emobox-6", "luna-5", "loso", "all", "as-given"}
    assert (len(drawn) == len(folds(manifest, protocol))) == (protocol in seedless)
    assert global_randomness() == before


@every_protocol
def test_every_protocol_keeps_its_word(protocol: str) -> None:
    for fold in folds(corpus_for(protocol), protocol, 2):
        assert fold.protocol == protocol
        audit = enforce(fold)
        if PROTOCOLS[protocol].speaker_independent:
            assert audit.passed
            assert not fold.leaky
            assert not PROTOCOLS[protocol].leaky
        if fold.leaky:
            assert not audit.passed
            assert "LEAKS" in fold.describe()
            assert "speakers overlap" in fold.describe()
        else:
            assert "LEAK" not in fold.describe()
        assert str(len(fold.train)) in fold.describe()
        parts = [names(p) for p in fold.parts.values()]
        if protocol not in ("random-as-described", "random-copies"):
            assert all(not a & b for i, a in enumerate(parts) for b in parts[i + 1 :])


@every_protocol
def test_no_clips_at_all(protocol: str) -> None:
    with pytest.raises(CorpusError, match="no clips"):
        folds(Manifest(()), protocol)


@every_protocol
def test_a_clip_listed_twice(protocol: str) -> None:
    manifest = corpus_for(protocol)
    with pytest.raises(CorpusError, match="2 times"):
        folds(manifest + Manifest(manifest.clips[:1]), protocol)


def test_an_unknown_protocol_lists_the_valid() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'emobox-6'"):
        folds(ravdess(), "emobox6")


def test_loso_leaves_each_speaker_out_once() -> None:
    made = folds(table(["d", "a", "c", "b"]), "loso")
    assert [f.test_speakers for f in made] == [("table/a",), ("table/b",), ("table/c",), ("table/d",)]
    assert [{c.speaker for c in f.validation} for f in made] == [
        {"table/b"},
        {"table/c"},
        {"table/d"},
        {"table/a"},
    ]
    assert all(len({c.speaker for c in f.train}) == 2 for f in made)


def test_loso_of_two_speakers_validates_on_sentences_of_the_training_speaker() -> None:
    for fold in folds(table(["old", "young"], per_speaker=40), "loso", 4):
        assert len(fold.test_speakers) == 1
        assert {c.speaker for c in fold.train} == {c.speaker for c in fold.validation}
        assert {c.speaker for c in fold.test}.isdisjoint({c.speaker for c in fold.train})
        assert {c.sentence for c in fold.train}.isdisjoint({c.sentence for c in fold.validation})
        assert len({c.sentence for c in fold.validation}) == 2
        assert enforce(fold).passed


@pytest.mark.parametrize("protocol", ["loso", "speakers-70-20-10"])
def test_protocols_of_speakers_need_speakers(protocol: str) -> None:
    nameless = table([*"abcdefghijk", "unknown"])
    with pytest.raises(UsageError, match=r"20 of 240 clips do not say who speaks.*random, which leaks"):
        folds(nameless, protocol)
    with pytest.raises(UsageError, match=r"needs \d+ speakers or more, but table has 1: table/ann"):
        folds(table(["ann"]), protocol)


def test_speakers_70_20_10_divides_speakers_and_sexes() -> None:
    manifest = ravdess()
    fold = folds(manifest, "speakers-70-20-10")[0]
    assert [len(actors(p)) for p in fold.parts.values()] == [17, 5, 2]
    assert {c.sex for c in fold.test} == {"male", "female"}
    few = folds(table(list("abcdefghij")), "speakers-70-20-10")[0]
    assert [len({c.speaker for c in p}) for p in few.parts.values()] == [7, 2, 1]
    with pytest.raises(UsageError, match="needs 10 speakers or more, but table has 9"):
        folds(table(list("abcdefghi")), "speakers-70-20-10")


@pytest.mark.parametrize("pool", [0, 3])
def test_random_copies_divides_copies_as_if_they_were_recordings(pool: int) -> None:
    manifest = ravdess()
    fold = folds(manifest, "random-copies", 1, pool)[0]
    pairs = [(c.path, c.variant) for c in fold.train + fold.test]
    assert sorted(pairs) == sorted((c.path, n) for c in manifest for n in range(pool + 1))
    assert fold.validation == fold.test and fold.leaky
    assert len(fold.test) == pytest.approx(0.2 * len(pairs), abs=1)
    shared = {c.path for c in fold.train} & {c.path for c in fold.test}
    assert bool(shared) == (pool > 0)
    kinds = {f.kind for f in audit(fold).failures}
    assert ("derived copies" in kinds) == (pool > 0)
    assert "same recording" not in kinds and "same content" not in kinds
    assert ("heard in training as well" in fold.describe()) == (pool > 0)
    # Other protocols make no copies, whatever the recipe's pool.
    assert folds(manifest, "random", 1, pool) == folds(manifest, "random", 1)


@pytest.mark.parametrize(
    ("protocol", "shares"), [("random", (0.72, 0.08, 0.2)), ("random-70-20-10", (0.7, 0.2, 0.1))]
)
def test_random_shares_are_stratified(protocol: str, shares: tuple[float, ...]) -> None:
    manifest = ravdess()
    fold = folds(manifest, protocol)[0]
    emotions = Counter(c.emotion for c in manifest)
    assert sum(map(len, fold.parts.values())) == len(manifest)
    for part, share in zip(fold.parts.values(), shares, strict=True):
        assert len(part) == pytest.approx(share * len(manifest), abs=1)
        for emotion, count in Counter(c.emotion for c in part).items():
            assert count == pytest.approx(share * emotions[emotion], abs=1.5)
    assert fold.leaky


def test_random_as_described_reports_what_stopped_it() -> None:
    fold = folds(ravdess(), "random-as-described", 3)[0]
    assert fold.validation == fold.test == folds(ravdess(), "random", 3)[0].test
    assert fold.validation_is_test
    assert "speakers overlap" in fold.describe()
    assert "validation is test" in fold.describe()


def test_random_70_20_10_leaks_only_where_speakers_overlap() -> None:
    apart = table([f"s{n}" for n in range(40)], per_speaker=1, emotions=2)
    assert not folds(apart, "random-70-20-10")[0].leaky
    assert folds(table(["unknown"]), "random-70-20-10")[0].leaky
    assert "speakers are unknown" in folds(table(["unknown"]), "random-70-20-10")[0].describe()


@pytest.mark.parametrize("protocol", ["random", "random-as-described", "random-70-20-10"])
def test_random_refuses_too_little(protocol: str) -> None:
    with pytest.raises(UsageError, match="needs 10 clips or more, but was given 4"):
        folds(table(["ann"], per_speaker=4), protocol)
    with pytest.raises(UsageError, match="would be empty"):
        alone = [Clip(Path(f"{n}.wav"), "table", f"e{n}", "table/ann") for n in range(12)]
        folds(Manifest(tuple(alone)), protocol)


def test_all_trains_on_everything() -> None:
    fold = folds(ravdess(), "all")[0]
    assert names(fold.train) == names(ravdess())
    assert fold.validation == fold.test == ()
    assert "test none" in fold.describe()


def test_as_given_lets_the_audit_decide() -> None:
    honest = corpus_for("as-given")
    assert not folds(honest, "as-given")[0].leaky
    first = honest.clips[0]
    moved = Manifest((dataclasses.replace(first, split="test"), *honest.clips[1:]))
    leaky = folds(moved, "as-given")[0]
    assert leaky.leaky
    assert "1 of 2 test speakers are also in training" in leaky.describe()


def test_as_given_needs_a_split_for_every_clip() -> None:
    with pytest.raises(UsageError, match=r"needs a split for every clip.*Valid: train, validation, test"):
        folds(table(["ann"]), "as-given")
    half = corpus_for("as-given").where(lambda c: c.split != "test")
    with pytest.raises(UsageError, match="no clip has split test"):
        folds(half, "as-given")


def test_cross_corpus_tests_each_on_the_emotions_that_all_share() -> None:
    manifest = table(["a", "b"], corpus="two", emotions=5) + table(["c", "d"], corpus="one", emotions=4)
    manifest += table(["e", "f"], corpus="three", emotions=6)
    made = folds(manifest, "cross-corpus")
    assert [{c.corpus for c in f.test} for f in made] == [{"one"}, {"three"}, {"two"}]
    for fold in made:
        assert all({c.emotion for c in p} == set(EMOTIONS[:4]) for p in fold.parts.values())
        assert {c.corpus for c in fold.train} == {"one", "two", "three"} - {c.corpus for c in fold.test}
        assert {c.corpus for c in fold.validation} == {c.corpus for c in fold.train}
        assert {c.speaker for c in fold.train}.isdisjoint({c.speaker for c in fold.validation})


def test_one_corpus_trains_each_and_tests_all_others() -> None:
    manifest = table(["a", "b"], corpus="two", emotions=5) + table(["c", "d"], corpus="one", emotions=4)
    manifest += table(["e", "f"], corpus="three", emotions=6)
    made = folds(manifest, "one-corpus")
    assert [{c.corpus for c in f.train + f.validation} for f in made] == [{"one"}, {"three"}, {"two"}]
    shared = manifest.where(lambda c: c.emotion in EMOTIONS[:4])
    for fold in made:
        (own,) = {c.corpus for c in fold.train}
        assert names(fold.test) == names(shared.where(lambda c, own=own: c.corpus != own))
        assert names(fold.train) | names(fold.validation) == names(shared) - names(fold.test)
        assert {c.speaker for c in fold.train}.isdisjoint({c.speaker for c in fold.validation})


@pytest.mark.parametrize("count", [2, 3, 5, 10])
@pytest.mark.parametrize("actors_there", [range(1, 3), range(1, 8), range(1, 25)])
def test_speaker_folds_test_each_speaker_once(count: int, actors_there: range) -> None:
    manifest = ravdess(actors_there, song=False)
    for seed in (0, 1):
        made = folds(manifest, f"speaker-folds-{count}", seed)
        assert len(made) == min(count, len(actors_there))
        assert sorted(a for f in made for a in actors(f.test)) == list(actors_there)
        sizes = [len(actors(f.test)) for f in made]
        assert max(sizes) - min(sizes) <= 1
        for sex in (0, 1):  # each sex alike, the odd ones are male
            each = [sum(a % 2 == sex for a in actors(f.test)) for f in made]
            assert max(each) - min(each) <= 1
        for fold in made:
            assert actors(fold.test).isdisjoint(actors(fold.train + fold.validation))
            assert names(fold.train) | names(fold.validation) | names(fold.test) == names(manifest)
            apart = actors(fold.train).isdisjoint(actors(fold.validation))
            assert apart == (len(actors_there) - len(actors(fold.test)) > 1)


def test_speaker_folds_need_speakers() -> None:
    with pytest.raises(UsageError, match="do not say who speaks"):
        folds(table(["ann", "unknown"]), "speaker-folds-5")
    with pytest.raises(UsageError, match="needs 2 speakers or more"):
        folds(table(["ann"]), "speaker-folds-5")


def test_cross_corpus_leaves_out_speakers_of_the_tested_corpus() -> None:
    manifest = ravdess([1, 2, 3], song=False) + table(["ravdess/01", "ann", "bob"])
    for protocol in ("cross-corpus", "one-corpus"):
        for fold in folds(manifest, protocol):
            assert enforce(fold).passed


def test_cross_corpus_says_what_it_needs() -> None:
    for protocol in ("cross-corpus", "one-corpus"):
        with pytest.raises(
            UsageError, match=f"{protocol} needs two corpora or more, but was given table alone"
        ):
            folds(table(["ann"]), protocol)
    other = Manifest(tuple(dataclasses.replace(c, corpus="x", emotion="bored") for c in table(["bob"])))
    with pytest.raises(UsageError, match=r"two emotions that all corpora share.*x: bored"):
        folds(table(["ann"]) + other, "cross-corpus")


@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=6),
    share=st.floats(0.05, 0.6),
    seed=st.integers(0, 2**32),
)
def test_stratified_draws_its_share_of_each_stratum(sizes: list[int], share: float, seed: int) -> None:
    items = [(stratum, n) for stratum, size in enumerate(sizes) for n in range(size)]
    drawn, rest = stratified(items, share, np.random.default_rng(seed), lambda item: item[0])
    assert sorted(drawn + rest) == items
    assert all(a < b for part in (drawn, rest) for a, b in pairwise(part))
    counts = Counter(stratum for stratum, _ in drawn)
    for stratum, size in enumerate(sizes):
        assert counts[stratum] <= size - 1
        assert abs(counts[stratum] - size * share) < 2
    assert len(drawn) <= max(1, round(share * len(items)))


def test_stratified_draws_every_item_equally_often() -> None:
    items = [(stratum, n) for stratum in range(2) for n in range(10)]
    rng = np.random.default_rng(0)
    counts = Counter(i for _ in range(2_000) for i in stratified(items, 0.3, rng, lambda item: item[0])[0])
    # Binomial: mean 600, standard deviation 20.5.
    assert all(abs(counts[i] - 600) < 5 * 20.5 for i in items)


def test_hold_out_falls_back_to_clips_where_nothing_is_known() -> None:
    clips = [dataclasses.replace(c, sentence=None) for c in table(["unknown"], per_speaker=40)]
    held, rest = hold_out(clips, 0.2, np.random.default_rng(0))
    assert (len(held), len(rest)) == (8, 32)
    assert set(Counter(c.emotion for c in held).values()) == {2}


def test_folds_of_the_real_corpora(corpora_dir: Path) -> None:
    both = read(f"ravdess:{corpora_dir / 'ravdess'}", durations=False)
    emobox = folds(both, "emobox-6")
    assert [len(f.test) for f in emobox] == [240] * 6
    assert sum(len(f.test) for f in folds(both, "luna-5")) == 1440
    songs = [sum(c.channel == "song" for c in f.train) for f in emobox]
    # 44 songs an actor; the publisher lacks all of actor 18's.
    assert songs == [44 * (16 - (18 in actors(f.train))) for f in emobox]
    emodb = read(f"emodb:{corpora_dir / 'emodb'}", durations=False)
    aesdd = read(f"aesdd:{corpora_dir / 'aesdd'}", durations=False)
    assert (len(folds(emodb, "loso")), len(folds(aesdd, "loso"))) == (10, 6)
    across = folds(both + emodb + aesdd, "cross-corpus")
    assert [{c.corpus for c in f.test} for f in across] == [{"aesdd"}, {"emodb"}, {"ravdess"}]
    assert {c.emotion for f in across for c in f.test} == {"happy", "sad", "angry", "fearful", "disgust"}
    assert isinstance(across[0], Fold)
