"""A study is ranked on validation speakers, and has no test to look at."""

from __future__ import annotations

import dataclasses
import json
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fabricate_run
from vocemo.cli.main import main
from vocemo.emotions import EMOTIONS
from vocemo.errors import RunError, UnknownNameError, UsageError
from vocemo.lab import experiment, tune
from vocemo.lab.corpora import Clip, read
from vocemo.lab.evaluate import Predictions
from vocemo.lab.run import RunFolder
from vocemo.lab.splits import Fold, folds
from vocemo.lab.tune import Study, Trial

GRID = {"model.hidden": ("8", "16"), "training.learning_rate": ("1e-2", "1e25")}


def arguments(spec: str, out: Path, *more: str) -> list[str]:
    grid = [argument for key, values in GRID.items() for argument in ("--grid", f"{key}={','.join(values)}")]
    given = ["tune", fabricate_run.RECIPE, "--corpus", spec, "--out", str(out), "--device", "cpu", "--quiet"]
    return [*given, *fabricate_run.settings(), *(more if "--grid" in more else (*grid, *more))]


@pytest.fixture(scope="module")
def done(tiny_corpus: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tune") / "study"
    with pytest.MonkeyPatch.context() as patched:
        heard: set[str] = set()
        genuine = experiment.waveforms_for

        def listening(*given: object) -> object:
            store = genuine(*given)
            for name in ("clip", "variant", "heard"):
                plain = getattr(store, name)

                def hear(clip: Clip, *more: object, plain: object = plain) -> object:
                    heard.add(clip.speaker)
                    return plain(clip, *more)

                setattr(store, name, hear)
            return store

        patched.setattr(tune.experiment, "waveforms_for", listening)
        assert main(arguments(tiny_corpus, out)) == 0
    # Actor 1 is the test of fold 0: no sample of it was asked for.
    assert heard == {f"ravdess/{actor:02d}" for actor in (2, 3, 4, 6, 8)}
    return out


def test_every_combination_is_tried_and_ranked_on_validation(done: Path) -> None:
    written = json.loads((done / "tune.json").read_text())
    assert (written["tried"], written["combinations"], written["by"]) == (4, 4, "uar")
    assert written["validation_speakers"] == ["ravdess/04"] and written["validation_heard"] is False
    trained = [trial for trial in written["trials"] if "error" not in trial]
    assert [trial["uar"] for trial in trained] == sorted((t["uar"] for t in trained), reverse=True)
    assert all("diverged" in trial["error"] for trial in written["trials"][2:]) and len(trained) == 2
    assert written["best"] == [part for each in trained[0]["settings"] for part in ("--set", each)]
    for trial in trained:
        folder = RunFolder(done / trial["folder"])
        outcome = folder.outcome()
        assert outcome.test is None and not folder.predictions.exists()
        assert folder.info().clips == (32, 8, 0)
        record = folder.history()[outcome.best_epoch - 1]
        assert (trial["uar"], trial["loss"]) == (record.validation_uar, record.validation_loss)
        answers = Predictions.read(folder.validation_predictions)
        assert trial["accuracy"] == pytest.approx((answers.predicted == answers.targets).mean())


def test_started_again_it_trains_nothing_twice_and_counts_every_trial(
    capsys: pytest.CaptureFixture[str], tiny_corpus: str, done: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = json.loads((done / "tune.json").read_text())
    with monkeypatch.context() as patched:
        patched.setattr(experiment.train, "fit", lambda *_, **__: pytest.fail("trained again"))
        assert main(arguments(tiny_corpus, done)) == 0
    after = json.loads((done / "tune.json").read_text())
    assert after["trials"] == before["trials"]
    said = capsys.readouterr().out
    assert "4 trials, ranked by uar on 8 validation clips of 1 speaker; no test clip was looked at." in said
    assert "Best: " + " ".join(shlex.quote(each) for each in after["best"]) in said
    assert "failed" in said and "LEAKY" not in said
    assert main(arguments(tiny_corpus, done, "--grid", "model.dropout=0.5", "--by", "loss")) == 0
    more = json.loads((done / "tune.json").read_text())
    assert more["tried"] == 5 and more["grid"] == {"model.dropout": ["0.5"]}
    losses = [trial["loss"] for trial in more["trials"] if "loss" in trial]
    assert losses == sorted(losses) and len(losses) == 3
    assert main(arguments(tiny_corpus, done, "--fold", "2")) == 1
    assert "study of another fold (0, asked for is 2)" in capsys.readouterr().err


def test_the_best_settings_can_be_given_to_train(
    capsys: pytest.CaptureFixture[str], tiny_corpus: str, done: Path, tmp_path: Path
) -> None:
    best = json.loads((done / "tune.json").read_text())["best"]
    given = [
        "train",
        fabricate_run.RECIPE,
        "--corpus",
        tiny_corpus,
        "--out",
        str(tmp_path / "run"),
        "--quiet",
    ]
    assert main([*given, "--device", "cpu", *fabricate_run.settings(), *best]) == 0
    assert "Test: UAR" in capsys.readouterr().out


def test_test_labels_change_nothing_of_a_study(tiny_corpus: str, done: Path, tmp_path: Path) -> None:
    fold = fabricate_run.fold(tiny_corpus)
    swapped = tuple(
        dataclasses.replace(clip, emotion=EMOTIONS[(EMOTIONS.index(clip.emotion) + 3) % 8])
        for clip in fold.test
    )
    part = tune.without_test(dataclasses.replace(fold, test=swapped))
    chosen = fabricate_run.recipe("model.hidden=8", "training.learning_rate=1e-2")
    settings = ("model.hidden=8", "training.learning_rate=1e-2")
    study = tune.begin(fabricate_run.recipe(), [tiny_corpus], part, 0, GRID, "uar", tmp_path)
    ((trial, _),) = tune.run(study, [(settings, chosen)], part, tmp_path, device=fabricate_run.CPU)
    there = json.loads((done / "tune.json").read_text())["trials"]
    (same,) = [each for each in there if tuple(each["settings"]) == settings]
    assert (trial.uar, trial.loss, trial.folder) == (same["uar"], same["loss"], same["folder"])


def test_a_fold_with_a_test_is_refused(tiny_corpus: str, tmp_path: Path) -> None:
    fold = fabricate_run.fold(tiny_corpus)
    study = tune.begin(fabricate_run.recipe(), [tiny_corpus], fold, 0, GRID, "uar", tmp_path)
    with pytest.raises(UsageError, match="without a test"):
        next(tune.run(study, [((), fabricate_run.recipe())], fold, tmp_path, device=fabricate_run.CPU))
    assert tune.without_test(fold).test == () and tune.without_test(fold).train == fold.train
    with pytest.raises(UsageError, match="recordings of the test"):
        tune.without_test(fabricate_run.fold(tiny_corpus, "random-as-described"))
    with pytest.raises(UsageError, match="recordings of the test"):
        tune.without_test(folds(read(tiny_corpus), "random-copies", 0, 2)[0])
    with pytest.raises(UsageError, match="has no validation"):
        tune.without_test(Fold("p", 0, fold.train, (), fold.test, leaky=False))


def test_known_voices_in_validation_are_called_leaky(
    capsys: pytest.CaptureFixture[str], tiny_corpus: str, tmp_path: Path
) -> None:
    given = arguments(tiny_corpus, tmp_path, "--protocol", "random", "--grid", "model.hidden=8")
    assert main(given) == 0
    assert "LEAKY: these speakers may be in training too" in capsys.readouterr().out
    assert json.loads((tmp_path / "tune.json").read_text())["validation_heard"] is True


def test_a_sample_of_the_grid_is_drawn_by_the_seed() -> None:
    grid = {"a": tuple("12345"), "b": tuple("678")}
    whole = tune.combinations(grid)
    assert len(whole) == 15 and whole[0] == ("a=1", "b=6")
    some = tune.combinations(grid, 6, seed=3)
    assert some == tune.combinations(grid, 6, seed=3) != tune.combinations(grid, 6, seed=4)
    assert len(set(some)) == 6 and list(some) == [each for each in whole if each in some]
    assert tune.combinations(grid, 99) == whole


@given(
    st.lists(
        st.one_of(
            st.floats(0, 1).map(str),
            st.lists(st.integers(0, 9), min_size=1).map(str),
            st.sampled_from(["mel", '"a,b"', "[{name='noise', p=0.5}]"]),
        ),
        min_size=1,
        unique=True,
    )
)
def test_values_are_divided_at_commas_outside_brackets_and_quotes(values: list[str]) -> None:
    assert tune.parse_grid([f"key={','.join(values)}"]) == {"key": tuple(values)}


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([], "nothing to try"),
        (["model.dropout"], "key=value,value"),
        (["model.dropout="], "key=value,value"),
        (["=3"], "key=value,value"),
        (["a=1,,2"], "key=value,value"),
        (["a=1", "a=2"], "given twice"),
    ],
)
def test_a_wrong_grid_is_named(entries: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        tune.parse_grid(entries)


def test_a_trial_without_figures_comes_last_and_is_never_the_best() -> None:
    study = Study("r", "s", (), "p", 0, 0, "loss", {}, 1, (), 8, False)
    failed, good = Trial(("a=1",), "t", error="diverged"), Trial(("a=2",), "t", uar=0.1, loss=1.0)
    better = Trial(("a=3",), "t", uar=0.05, loss=0.5)
    full = study.having(failed).having(good).having(better)
    assert full.ranked == (better, good, failed) and full.best == better
    assert dataclasses.replace(full, by="uar").best == good
    assert study.having(failed).best is None
    assert study.having(good).having(dataclasses.replace(good, loss=2.0)).trials[0].loss == 2.0


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (["--grid", "model.droput=0.1"], ["did you mean 'dropout'", "widths"]),
        (["--grid", "training.epoch=1,2"], ["did you mean 'epochs'"]),
        (["--grid", "model.hidden=8", "--by", "f1"], ["uar, accuracy, loss"]),
        (["--grid", "model.hidden=8", "--fold", "6"], ["folds 0 to 5"]),
        (["--grid", "model.hidden=8", "--protocol", "all"], ["tests nothing"]),
        (["--grid", "model.hidden=8", "--protocol", "random-as-described"], ["recordings of the test"]),
        (["--grid", "model.hidden=8", "--samples", "0"], ["--samples"]),
        (["--grid", 'emotions=["happy","sad"]'], ["emotions"]),
    ],
)
def test_what_is_wrong_is_answered_with_what_is_valid(
    capsys: pytest.CaptureFixture[str], tiny_corpus: str, tmp_path: Path, more: list[str], named: list[str]
) -> None:
    assert main(arguments(tiny_corpus, tmp_path / "study", *more)) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said and all(name in said for name in named), said
    assert not (tmp_path / "study").exists()


def test_a_study_of_something_else_is_not_gone_on_with(tiny_corpus: str, tmp_path: Path) -> None:
    part = tune.without_test(fabricate_run.fold(tiny_corpus))
    with pytest.raises(UnknownNameError, match="uar, accuracy, loss"):
        tune.begin(fabricate_run.recipe(), [tiny_corpus], part, 0, GRID, "f1", tmp_path)
    study = tune.begin(fabricate_run.recipe(), [tiny_corpus], part, 0, GRID, "uar", tmp_path)
    study.write(tmp_path / "tune.json")
    assert tune.begin(fabricate_run.recipe(), [tiny_corpus], part, 0, GRID, "uar", tmp_path) == study
    with pytest.raises(RunError, match="another recipe_sha256"):
        longer = fabricate_run.recipe("training.epochs=3")
        tune.begin(longer, [tiny_corpus], part, 0, GRID, "uar", tmp_path)
    (tmp_path / "tune.json").write_text("{")
    with pytest.raises(RunError, match="cannot be read"):
        tune.begin(fabricate_run.recipe(), [tiny_corpus], part, 0, GRID, "uar", tmp_path)
