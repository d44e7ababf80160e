"""Which clips a matrix uses, and what it refuses."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fabricate
import fabricate_matrix
import fabricate_run
from vocemo.emotions import EMOTIONS
from vocemo.errors import LeakError, UnknownNameError, UsageError
from vocemo.lab import matrix as lab
from vocemo.lab import recipe as recipes
from vocemo.lab.corpora import read
from vocemo.lab.corpora.clip import Clip, Manifest
from vocemo.lab.matrix.gathering import narrowed

RECIPE = recipes.load("mfcc-cnn")  # all eight emotions


def corpus(name: str, emotions: tuple[str, ...], speakers: tuple[str, ...] = ("ann", "bob")) -> Manifest:
    return Manifest(
        tuple(
            Clip(Path(f"{name}/{e}-{s}.wav"), name, e, s if "/" in s else f"{name}/{s}")
            for e in emotions
            for s in speakers
        )
    )


def test_the_shared_emotions_are_kept_and_the_others_counted(three: dict[str, str]) -> None:
    found = fabricate_matrix.gathered(three)
    assert found.emotions == found.recipe.emotions == fabricate_matrix.SHARED
    assert [part.name for part in found.parts] == list(three)
    assert [dict(part.dropped) for part in found.parts] == [
        {"neutral": 6, "calm": 6},
        {"neutral": 6, "boredom": 6},
        {},
    ]
    assert [(len(part.clips), part.speakers) for part in found.parts] == [(18, 3), (18, 3), (12, 2)]
    assert all({clip.emotion for clip in part.clips} == set(found.emotions) for part in found.parts)
    # Two corpora share more than three do.
    two = fabricate_matrix.gathered(three, "ravdess-speech", "emodb")
    assert two.emotions == ("neutral", *fabricate_matrix.SHARED)


@given(
    has=st.lists(st.sets(st.sampled_from((*EMOTIONS, "boredom")), min_size=1), min_size=2, max_size=4),
    wanted=st.none() | st.sets(st.sampled_from(EMOTIONS), min_size=1),
)
def test_shared_is_what_recipe_corpora_and_choice_have_in_common(
    has: list[set[str]], wanted: set[str] | None
) -> None:
    given_ = [(f"c{n}:there", corpus(f"c{n}", tuple(sorted(e)))) for n, e in enumerate(has)]
    shared = set(EMOTIONS).intersection(*has)
    if (wanted is not None and not wanted <= shared) or len(shared & (wanted or shared)) < 2:
        with pytest.raises(UsageError):
            lab.gather(RECIPE, given_, sorted(wanted) if wanted else None)
        return
    found = lab.gather(RECIPE, given_, sorted(wanted) if wanted else None)
    assert set(found.emotions) == shared & (wanted or shared)
    for (_, manifest), part in zip(given_, found.parts, strict=True):
        kept, lost = Counter(c.emotion for c in part.clips), Counter(part.dropped)
        assert kept + lost == Counter(c.emotion for c in manifest)
        assert not set(kept) & set(lost)


def test_relabelling_comes_first() -> None:
    folding = dataclasses.replace(RECIPE, emotions=("neutral", "happy", "sad"), relabel={"calm": "neutral"})
    has = [
        ("a:there", corpus("a", ("calm", "happy", "sad"))),
        ("b:there", corpus("b", ("neutral", "happy", "sad"))),
    ]
    found = lab.gather(folding, has)
    assert found.emotions == ("neutral", "happy", "sad") and found.recipe.relabel == {"calm": "neutral"}
    assert not any(part.dropped for part in found.parts)
    # Chosen away, the emotion is left out under the name that it counts as, and its relabelling with it.
    chosen = lab.gather(folding, has, ["sad", "happy"])
    assert chosen.emotions == ("happy", "sad") and chosen.recipe.relabel == {}
    assert [dict(part.dropped) for part in chosen.parts] == [{"neutral": 2}, {"neutral": 2}]
    assert recipes.from_dict(chosen.recipe.to_dict()) == chosen.recipe  # so that a run can be read again


def test_a_narrowed_recipe_differs_in_its_outputs_alone() -> None:
    one = narrowed(RECIPE, ("happy", "sad"))
    assert dataclasses.replace(one, emotions=RECIPE.emotions) == RECIPE


@pytest.mark.parametrize(
    ("has", "wanted", "error", "said"),
    [
        ([("happy", "sad")], None, UsageError, "two corpora or more, but was given 1"),
        ([("happy", "sad"), ("happy", "angry")], None, UsageError, "there is happy. a: happy, sad; b: happy"),
        ([("happy", "sad"), ("calm",)], None, UsageError, "there are none"),
        ([("happy", "sad")] * 2, ["hapy", "sad"], UnknownNameError, "did you mean 'happy'"),
        ([("happy", "sad")] * 2, ["sad"], UsageError, "two emotions or more"),
        (
            [("happy", "sad", "calm"), ("happy", "sad")],
            ["calm", "sad"],
            UsageError,
            "'calm' has no clip in b; all corpora have: happy, sad",
        ),
    ],
)
def test_what_cannot_be_a_matrix_is_said(
    has: list[tuple[str, ...]], wanted: list[str] | None, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        lab.gather(RECIPE, [(f"{n}:there", corpus(n, e)) for n, e in zip("abc", has, strict=False)], wanted)


def test_speech_and_song_of_the_same_actors_are_refused(tmp_path: Path) -> None:
    root = fabricate.ravdess(tmp_path, 2, ("speech", "song"), 1, 0.2, emotions=("happy", "sad"))
    specs = (f"ravdess-speech:{root}", f"ravdess-song:{root}")
    with pytest.raises(
        LeakError, match=r"ravdess-speech and ravdess-song have 2 speakers in common \(ravdess/01"
    ):
        lab.gather(fabricate_run.recipe(), [(spec, read(spec)) for spec in specs])


def test_a_speaker_of_another_corpus_in_a_table_is_refused() -> None:
    planted = corpus("table", ("happy", "sad"), ("ann", "emodb/03"))
    given_ = [("table:a.csv", planted), ("emodb:there", corpus("emodb", ("happy", "sad"), ("03", "08")))]
    with pytest.raises(LeakError, match="emodb/03"):
        lab.gather(RECIPE, given_)


def test_two_corpora_of_one_kind_have_the_names_of_their_places() -> None:
    has = ("happy", "sad")
    tables = [
        ("table:x/mine.csv", corpus("table", has)),
        ("table:x/other.csv", corpus("table", has, ("cat",))),
    ]
    assert [part.name for part in lab.gather(RECIPE, tables).parts] == ["table-mine", "table-other"]
    with pytest.raises(UsageError, match="table-mine is given twice"):
        lab.gather(RECIPE, [tables[0], ("table:y/mine.csv", corpus("table", has, ("cat",)))])


def test_unknown_speakers_are_remarked_upon() -> None:
    has = ("happy", "sad")
    given_ = [
        ("a:there", corpus("a", has, ("unknown", "ann"))),
        ("b:there", corpus("b", has, ("bob",))),
        ("c:there", corpus("c", has)),
    ]
    found = lab.gather(RECIPE, given_)
    assert [part.speakers for part in found.parts] == [0, 1, 2]
    assert [remark.partition(" cannot")[0] for remark in found.remarks] == ["a", "b"]
