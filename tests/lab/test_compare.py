"""Finished trainings side by side: the figures of each, and what must be said of them together."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from scipy import stats

import fabricate_run
from answered import answered
from vocemo.cli.main import main
from vocemo.errors import RunError, UsageError
from vocemo.lab import crossval, measure
from vocemo.lab.compare import Comparison, compare
from vocemo.lab.corpora import read
from vocemo.lab.evaluate import Predictions, Results
from vocemo.lab.evaluate.significance import holm
from vocemo.lab.report.comparison import comparison_figure, comparison_table, difference_table
from vocemo.lab.run import RunFolder
from vocemo.lab.waveforms import Waveforms


@pytest.fixture(scope="module")
def finished(
    tiny_corpus: str, tiny_waveforms: Waveforms, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Two runs on one fold, one on another, a leaky one, and a cross-validation of a random split."""
    root = tmp_path_factory.mktemp("finished")
    small, large = fabricate_run.recipe(), fabricate_run.recipe("name=wider", "model.hidden=32")
    for name, chosen, protocol, index in (
        ("small", small, "emobox-6", 0),
        ("large", large, "emobox-6", 0),
        ("elsewhere", small, "emobox-6", 1),
        ("leaky", small, "random", 0),
    ):
        part = fabricate_run.fold(tiny_corpus, protocol, index)
        fabricate_run.run(tiny_corpus, part, root / name, chosen, waveforms=tiny_waveforms)
    out = root / "crossed"
    jobs = crossval.jobs(read(tiny_corpus), "random", range(2), out)
    done = [job for job, _ in crossval.run(jobs, small, (tiny_corpus,), device=fabricate_run.CPU)]
    crossval.summarise(done, small, (tiny_corpus,)).write(out / "results.json")
    crossval.predictions_of(done).write(out / "predictions.csv")
    return {name: root / name for name in ("small", "large", "elsewhere", "leaky", "crossed")}


def of(finished: dict[str, Path], *names: str) -> Comparison:
    return compare([finished[name] for name in names])


def test_the_figures_are_those_of_the_runs(finished: dict[str, Path]) -> None:
    both = of(finished, "small", "large")
    assert [entry.name for entry in both.entries] == ["dual-channel-cnn", "wider"]
    assert both.unequal == ""
    # The fold's test has a single actor, who says nothing of others.
    assert both.remarks == (
        "not tested against chance: dual-channel-cnn and wider: there is one speaker alone",
    )
    for entry, name in zip(both.entries, ("small", "large"), strict=True):
        folder = RunFolder(finished[name])
        outcome = folder.outcome()
        assert outcome.test is not None
        told = {metric: entry.results.metrics[metric].mean for metric in ("uar", "accuracy", "loss")}
        expected = {m: pytest.approx(getattr(outcome.test, m)) for m in ("uar", "accuracy", "loss")}
        assert told == expected
        assert entry.results.parameters == outcome.parameters
        assert entry.results.train_seconds == outcome.train_seconds
        assert entry.histories == (folder.history(),)
    differences = {each.metric: each for each in both.differences}
    uars = [entry.results.metrics["uar"].mean for entry in both.entries]
    assert differences["uar"].difference == pytest.approx(uars[1] - uars[0])
    assert (differences["uar"].first, differences["uar"].second) == ("dual-channel-cnn", "wider")


def test_what_is_not_the_same_test_is_said(finished: dict[str, Path]) -> None:
    elsewhere = of(finished, "small", "elsewhere")
    assert "not the same test speakers" in elsewhere.unequal
    assert all(each.p_value is None and each.pooled is None for each in elsewhere.differences)
    assert difference_table(elsewhere) == ""
    leaky = of(finished, "small", "leaky")
    assert leaky.unequal == "not the same protocol (small: emobox-6; leaky: random)"
    assert leaky.remarks[1] == "LEAKY, since test speakers were heard in training: leaky"


def test_names_tell_the_entries_apart(finished: dict[str, Path], tmp_path: Path) -> None:
    assert [entry.name for entry in of(finished, "small", "elsewhere").entries] == ["small", "elsewhere"]
    twin = tmp_path / "small"
    shutil.copytree(finished["small"], twin)
    assert [e.name for e in compare([finished["small"], twin]).entries] == [str(finished["small"]), str(twin)]


def test_a_crossvalidation_brings_all_its_trainings(finished: dict[str, Path]) -> None:
    crossed, leaky = of(finished, "crossed", "leaky").entries
    assert len(crossed.histories) == 2 and len(leaky.histories) == 1
    assert crossed.results.seeds == (0, 1) and crossed.results.metrics["uar"].sd is not None
    table = comparison_table(of(finished, "crossed", "leaky"))
    assert "LEAKY" in table and "±" in table and "1 x 2" in table


def test_the_table_has_a_column_an_entry(finished: dict[str, Path]) -> None:
    both = of(finished, "small", "large")
    lines = comparison_table(both).splitlines()
    assert lines[0].split() == ["dual-channel-cnn", "wider"]
    rows = {line[:15].strip(): line[15:].split() for line in lines[1:]}
    assert rows["protocol"] == ["emobox-6", "emobox-6"]
    assert rows["UAR (%)"] == [f"{100 * e.results.metrics['uar'].mean:.1f}" for e in both.entries]
    assert rows["parameters"] == [f"{e.results.parameters:,}" for e in both.entries]
    assert "LEAKY" not in comparison_table(both)


def test_the_figure_draws_each_curve_and_bar(finished: dict[str, Path]) -> None:
    figure = comparison_figure(of(finished, "small", "crossed"))
    FigureCanvasAgg(figure).draw()
    above, below = figure.subfigs
    losses, shares = above.axes[:2], above.axes[2:]
    small = RunFolder(finished["small"]).history()
    drawn = {line.get_label(): list(line.get_ydata()) for line in losses[0].get_lines()}
    assert drawn == {
        "training loss": [record.train_loss for record in small],
        "validation loss": [record.validation_loss for record in small],
    }
    assert len(losses[1].get_lines()) == 2 * (2 + 1)  # of two trainings and their mean
    labels = [text.get_text() for text in shares[0].get_legend().get_texts()]
    assert labels == ["training accuracy", "validation accuracy", "validation UAR"]
    said = [text.get_text() for axes in above.axes for text in axes.texts]
    assert "LEAKY: test speakers were heard in training" in said
    (bars,) = below.axes
    heights = [bar.get_height() for bar in bars.patches]
    entries = of(finished, "small", "crossed").entries
    means = [[e.results.metrics[m].mean for e in entries] for m in ("accuracy", "uar")]
    assert heights == pytest.approx([100 * mean for pair in means for mean in pair])
    assert [tick.get_text() for tick in bars.get_xticklabels()][1].endswith("LEAKY")


def test_results_alone_are_compared_without_curves(finished: dict[str, Path], tmp_path: Path) -> None:
    shutil.copy(finished["crossed"] / "results.json", tmp_path)
    only = compare([tmp_path, finished["small"]])
    assert only.entries[0].histories == ()
    assert len(comparison_figure(only).subfigs[0].axes) == 2
    twin = tmp_path / "twin"
    twin.mkdir()
    shutil.copy(tmp_path / "results.json", twin)
    assert not comparison_figure(compare([tmp_path, twin])).subfigs


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders as vocemo evaluate leaves them: three models on the same 12 speakers, two of them alike."""
    root = tmp_path_factory.mktemp("answers")
    generator = np.random.default_rng(0)
    names, targets = np.arange(12).repeat(20), np.tile(np.arange(4).repeat(5), 12)
    for name, chance in (("plain", 0.5), ("alike", 0.5), ("better", 0.85)):
        table = answered(generator.random(len(names)) < chance, names, targets)
        out = root / name
        out.mkdir()
        table.write(out / "predictions.csv")
        found = measure.measured(table, model=name, protocol="held out", leaky=False)
        found.write(out / "results.json")
    return {name: root / name for name in ("plain", "alike", "better")}


def test_differences_are_tested_over_the_speakers(answers: dict[str, Path]) -> None:
    found = compare([answers["plain"], answers["better"]])
    assert found.remarks == ()
    uar, accuracy = (next(d for d in found.differences if d.metric == m) for m in ("uar", "accuracy"))
    one, other = (Predictions.read(answers[name] / "predictions.csv") for name in ("plain", "better"))
    speakers = np.array([s.speaker for s in one.subjects])
    own = [
        [(p.predicted == p.targets)[speakers == name].mean() for name in one.speakers] for p in (one, other)
    ]
    expected = stats.ttest_rel(own[1], own[0])
    for each in (uar, accuracy):  # with equal clips they are the same
        assert each.p_value == pytest.approx(expected.pvalue) and each.speakers == 12
        assert each.ci95 == pytest.approx(tuple(expected.confidence_interval(0.95)))
        assert each.pooled == pytest.approx(each.difference)
        assert each.counts and each.p_holm is None
    assert uar.p_mcnemar is None and accuracy.p_mcnemar is not None and accuracy.p_mcnemar < 1e-6
    table = difference_table(found)
    assert "UAR: better less plain" in table and "Holm" not in table and "Over 12 speakers" in table


def test_several_pairs_are_corrected_by_holm(answers: dict[str, Path], tmp_path: Path) -> None:
    found = compare([answers[name] for name in ("plain", "alike", "better")])
    of_uar = [d for d in found.differences if d.metric == "uar"]
    assert [d.p_holm for d in of_uar] == pytest.approx(holm([d.p_value or 0 for d in of_uar]))
    assert [(d.first, d.second, d.counts) for d in of_uar] == [
        ("plain", "alike", False),
        ("plain", "better", True),
        ("alike", "better", True),
    ]
    table = difference_table(found)
    assert "p, Holm" in table and table.count("less") == 6
    found.write(tmp_path / "compare.json")
    written = json.loads((tmp_path / "compare.json").read_text())
    told = next(d for d in written["differences"] if d["metric"] == "uar" and d["second"] == "better")
    assert {"pooled", "ci95", "p_value", "p_sign_flips", "p_holm", "speakers"} <= set(told)
    assert "p_mcnemar" not in told


def test_the_figure_has_a_row_a_tested_pair(answers: dict[str, Path]) -> None:
    figure = comparison_figure(compare([answers[name] for name in ("plain", "alike", "better")]))
    FigureCanvasAgg(figure).draw()
    bars, below = figure.subfigs
    assert len(bars.axes) == 1
    (axes,) = below.axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == [
        "alike less plain",
        "better less plain",
        "better less alike",
    ]
    said = [text.get_text() for text in axes.texts]
    assert "within chance" in said[0] and "within chance" not in said[1] and "by Holm < 0.001" in said[1]


def test_figures_without_answers_are_not_tested_and_that_is_said(
    answers: dict[str, Path], tmp_path: Path
) -> None:
    shutil.copy(answers["alike"] / "results.json", tmp_path)
    found = compare([answers["plain"], tmp_path])
    assert found.remarks == (
        "not tested against chance: plain and alike: no predictions.csv beside the figures of alike",
    )
    assert found.differences[0].p_value is None and difference_table(found) == ""


def test_training_that_is_not_stated_is_said(answers: dict[str, Path], tmp_path: Path) -> None:
    told = Results.read(answers["alike"] / "results.json")
    dataclasses.replace(told, training_stated=False).write(tmp_path / "results.json")
    (remark, _) = compare([answers["plain"], tmp_path]).remarks
    assert "what was trained on is not stated" in remark and remark.endswith(": alike")


def test_what_cannot_be_compared_is_named(finished: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="two folders or more"):
        compare([finished["small"]])
    with pytest.raises(UsageError, match="given twice"):
        compare([finished["small"], finished["small"].parent / "." / "small"])
    with pytest.raises(UsageError, match=r"neither run\.json nor results\.json"):
        compare([finished["small"], tmp_path])
    part = tmp_path / "part"
    shutil.copytree(finished["small"], part)
    (part / "result.json").unlink()
    with pytest.raises(RunError, match="not complete"):
        compare([finished["small"], part])
    under_way = tmp_path / "under-way"
    shutil.copytree(finished["crossed"], under_way)
    answers = Predictions.read(under_way / "predictions.csv")
    # Finished with one seed, it was started again with two, whose answers are not together yet.
    answers.where(answers.seed == 0).write(under_way / "predictions.csv")
    with pytest.raises(RunError, match="not complete"):
        compare([finished["small"], under_way])
    (under_way / "predictions.csv").unlink()
    with pytest.raises(RunError, match="not complete"):
        compare([finished["small"], under_way])


def test_the_verb_prints_and_writes(
    capsys: pytest.CaptureFixture[str], finished: dict[str, Path], tmp_path: Path
) -> None:
    folders = [str(finished["small"]), str(finished["leaky"])]
    assert main(["compare", *folders]) == 0
    printed = capsys.readouterr()
    assert "Wrote" not in printed.out and "Note: not the same protocol" in printed.err
    out = tmp_path / "below" / "out"
    assert main(["compare", *folders, "--out", str(out)]) == 0
    assert "comparison.png" in capsys.readouterr().out
    assert (out / "comparison.png").read_bytes().startswith(b"\x89PNG")
    written = json.loads((out / "compare.json").read_text())
    assert written["same_test"] is False and len(written["remarks"]) == 2
    assert [entry["name"] for entry in written["compared"]] == ["small", "leaky"]
    assert [entry["leaky"] for entry in written["compared"]] == [False, True]
    assert {each["metric"] for each in written["differences"]} == {"uar", "accuracy", "macro_f1", "loss"}
    assert "p_value" not in written["differences"][0]
    assert main(["compare", folders[0]]) == 2
    assert "two folders or more" in capsys.readouterr().err
