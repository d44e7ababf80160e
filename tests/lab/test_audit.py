"""The leak audit on leaks that were put there, and on the one that the publisher left."""

from __future__ import annotations

import dataclasses
import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import soundfile

from vocemo.errors import LeakError
from vocemo.lab.corpora import read
from vocemo.lab.corpora.clip import Clip, Manifest
from vocemo.lab.splits import Fold, audit, enforce, folds

RATE_HZ = 16_000


def clip(name: str, speaker: str, **more: object) -> Clip:
    return dataclasses.replace(Clip(Path(f"{name}.wav"), "table", "sad", f"table/{speaker}"), **more)


def fold(train: list[Clip], validation: list[Clip], test: list[Clip], *, leaky: bool = False) -> Fold:
    return Fold("my own", 0, tuple(train), tuple(validation), tuple(test), leaky)


def kinds(of: Fold, **options: object) -> set[tuple[str, bool]]:
    return {(f.kind, f.failure) for f in audit(of, **options).findings}


ANN, BOB, CAT = clip("1", "ann"), clip("2", "bob"), clip("3", "cat")


@pytest.fixture
def sound(tmp_path: Path):
    """Writes a clip whose content its number alone decides."""

    def write(
        name: str, speaker: str, content: int, *, subtype: str = "PCM_16", lead_s: float = 0.0, **more: object
    ) -> Clip:
        samples = np.random.default_rng(content).uniform(-0.5, 0.5, RATE_HZ).astype(np.float32)
        samples = np.round(np.concatenate([np.zeros(int(lead_s * RATE_HZ)), samples]) * 2**15) / 2**15
        soundfile.write(tmp_path / name, samples, RATE_HZ, subtype=subtype)
        return dataclasses.replace(clip(name, speaker, **more), path=tmp_path / name)

    return write


def test_nothing_shared_passes() -> None:
    result = audit(fold([ANN], [BOB], [CAT]))
    assert result.passed
    assert result.findings == ()
    assert result.describe() == "my own fold 0: no leak found"
    assert enforce(fold([ANN], [BOB], [CAT])) == result


@pytest.mark.parametrize("part", ["train", "validation"])
def test_a_test_speaker_in_another_part(part: str) -> None:
    again = clip("4", "cat")
    leaks = fold([ANN, again], [BOB], [CAT]) if part == "train" else fold([ANN], [BOB, again], [CAT])
    with pytest.raises(LeakError, match=f"1 of 1 test speakers is also in {part}: table/cat"):
        enforce(leaks)
    assert enforce(dataclasses.replace(leaks, leaky=True)).failures[0].items == ("table/cat",)


def test_a_protocol_that_promises_is_held_to_it_even_when_marked_leaky() -> None:
    promised = Fold("loso", 0, (ANN, clip("4", "cat")), (BOB,), (CAT,), leaky=True)
    with pytest.raises(LeakError):
        enforce(promised)


def test_validation_may_hear_the_training_speaker() -> None:
    result = enforce(fold([ANN], [clip("4", "ann")], [CAT]))
    assert [f.kind for f in result.notes] == ["speakers"]
    assert "validation hears 1 of the training speakers" in result.describe()


def test_validation_is_test() -> None:
    result = audit(fold([ANN], [CAT], [CAT], leaky=True))
    assert ("same clip", True) in {(f.kind, f.failure) for f in result.findings}
    assert "in validation and in test, which are one and the same" in result.describe()


def test_cuttings_of_one_recording() -> None:
    first = clip("call", "unknown", start_s=0.0, end_s=2.0)
    second = clip("call", "unknown", start_s=2.0, end_s=4.0)
    assert ("same recording", True) in kinds(fold([first], [BOB], [second]))


def test_unknown_speakers_cannot_be_shown_to_keep_apart() -> None:
    one, other = clip("4", "unknown"), clip("5", "unknown")
    assert kinds(fold([one], [BOB], [other])) == {("unknown speakers", True)}
    # From another corpus, they are at least not the tested ones.
    assert kinds(fold([one], [BOB], [dataclasses.replace(CAT, corpus="other")])) == {
        ("unknown speakers", False)
    }
    assert kinds(fold([one, other], [], [])) == set()


def test_emotions_that_nobody_taught() -> None:
    assert kinds(fold([ANN], [BOB], [dataclasses.replace(CAT, emotion="calm")])) == {
        ("unheard emotions", False)
    }


@pytest.mark.parametrize("copy", ["copy.wav", "copy.flac", "copy.aiff"])
def test_one_recording_under_two_names(sound, copy: str) -> None:
    original, twin, other = sound("a.wav", "ann", 1), sound(copy, "cat", 1), sound("b.wav", "bob", 2)
    result = audit(fold([original], [other], [twin]))
    assert {f.kind for f in result.failures} == {"same content", "one speaker, two names"}
    assert str(original.path) in result.describe()
    assert str(twin.path) in result.describe()
    with pytest.raises(LeakError, match="the same recording is under 2 names"):
        enforce(fold([original], [other], [twin]))


def test_copies_within_one_part_leak_nothing(sound) -> None:
    twins = [sound("a.wav", "ann", 1), sound("b.wav", "ann", 1)]
    result = audit(fold(twins, [BOB], [CAT]))
    assert result.passed
    assert result.findings == ()


def test_equal_openings_are_not_copies(sound) -> None:
    quiet = [sound(f"{n}.wav", name, n, lead_s=1.0) for n, name in enumerate(["ann", "bob", "cat"])]
    assert audit(fold(*([c] for c in quiet))).findings == ()


def test_the_same_part_of_a_recording_cut_to_a_file(sound, tmp_path: Path) -> None:
    whole = sound("whole.wav", "ann", 1)
    samples, rate = soundfile.read(whole.path)
    soundfile.write(tmp_path / "part.flac", samples[4_000:12_000], rate)
    part = dataclasses.replace(whole, start_s=0.25, end_s=0.75)
    cut = dataclasses.replace(CAT, path=tmp_path / "part.flac")
    assert ("same content", True) in kinds(fold([part], [BOB], [cut]))


def test_speakers_that_share_a_recording_are_one_voice(sound) -> None:
    # Ann's recording is listed again as Zoe's, both in training; and Zoe is the test.
    known = [sound("a.wav", "ann", 1), sound("z.wav", "zoe", 1)]
    result = audit(fold(known, [BOB], [sound("test.wav", "ann", 2)]))
    assert ("one speaker, two names", True) in {(f.kind, f.failure) for f in result.findings}
    harmless = audit(fold(known, [BOB], [CAT]))
    assert harmless.passed
    assert [f.kind for f in harmless.notes] == ["one speaker, two names"]
    assert harmless.notes[0].items == ("table/ann", "table/zoe")


def test_a_file_that_changed_is_read_anew(sound) -> None:
    first, other = sound("a.wav", "ann", 1), sound("b.wav", "cat", 2)
    assert audit(fold([first], [BOB], [other])).passed
    other.path.unlink()
    assert not audit(fold([first], [BOB], [sound("b.wav", "cat", 1)])).passed


def test_names_are_one_voice_through_others(sound) -> None:
    chain = [
        sound("a.wav", "ann", 1),
        sound("b.wav", "bea", 1),
        sound("c.wav", "bea", 2),
        sound("d.wav", "dora", 2),
    ]
    result = audit(fold(chain[:3], [BOB], [chain[3]]))
    assert ("table/ann", "table/bea", "table/dora") in {f.items for f in result.failures}


def test_a_corpus_listed_again_as_a_table(sound) -> None:
    released = sound("03-01-01-01-01-01-01.wav", "01", 7)
    released = dataclasses.replace(released, corpus="ravdess", speaker="ravdess/01")
    mine = sound("mine.flac", "me", 7)
    result = audit(fold([mine], [BOB], [released]))
    assert {f.items for f in result.failures} >= {("ravdess/01", "table/me")}


def test_augmented_copies_are_followed_to_their_source() -> None:
    copy, copy_of_copy = clip("1-louder", "p"), clip("1-louder-noisy", "q")
    sources = {copy.key: ANN.key, copy_of_copy.key: copy.key}
    leaks = fold([ANN], [BOB], [copy_of_copy])
    assert audit(leaks).passed
    assert kinds(leaks, sources=sources) == {("derived copies", True)}
    # Two copies of a clip that is itself in no part.
    assert kinds(fold([copy], [BOB], [copy_of_copy]), sources=sources) == {("derived copies", True)}
    assert kinds(fold([ANN, copy], [BOB], [CAT]), sources=sources) == set()
    with pytest.raises(LeakError, match=r"clips made from 1\.wav"):
        enforce(leaks, sources=sources)


def test_sources_in_a_circle_end() -> None:
    sources = {ANN.key: CAT.key, CAT.key: ANN.key}
    audit(fold([ANN], [BOB], [CAT]), sources=sources)


def test_a_broken_file_is_like_no_other(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.wav").write_bytes(b"no audio")
    broken = [
        dataclasses.replace(c, path=tmp_path / f"{n}.wav", duration_s=1.0)
        for c, n in ((ANN, "a"), (CAT, "b"))
    ]
    assert audit(fold([broken[0]], [BOB], [broken[1]])).passed


def test_an_audit_is_json() -> None:
    leaks = fold([ANN, clip("4", "cat")], [BOB], [CAT])
    table = json.loads(json.dumps(audit(leaks).to_dict()))
    assert table["passed"] is False
    assert table["claims_independence"] is True
    assert table["findings"][0] == {
        "kind": "speakers",
        "message": "speakers overlap: 1 of 1 test speakers is also in train: table/cat",
        "parts": ["train", "test"],
        "items": ["table/cat"],
        "failure": True,
    }


def test_long_lists_are_counted() -> None:
    many = [clip(str(n), f"s{n}") for n in range(20)]
    assert "and 14 more" in audit(fold(many, [BOB], many, leaky=True)).describe()


@pytest.fixture(scope="module")
def real(corpora_dir: Path) -> Manifest:
    return read(f"ravdess:{corpora_dir / 'ravdess'}")


def test_the_real_ravdess_passes(real: Manifest) -> None:
    # The publisher's one double lies within actor 07, so it never straddles.
    assert enforce(folds(real, "luna-5")[0]).passed
    assert enforce(folds(real, "emobox-6")[3]).passed


def test_the_publishers_double_is_named_where_it_straddles(real: Manifest) -> None:
    doubles = {"03-01-03-01-02-01-07", "03-01-03-01-02-02-07"}
    straddling = 0
    for seed, protocol in product(range(3), ("random", "random-70-20-10")):
        divided = folds(real, protocol, seed)[0]
        where = {n for n, part in divided.parts.items() if doubles & {c.path.stem for c in part}}
        named = [f for f in audit(divided).failures if f.kind == "same content"]
        assert bool(named) == (len(where) > 1)
        straddling += len(named)
        assert all({Path(k).stem for k in f.items} == doubles for f in named)
    assert straddling
