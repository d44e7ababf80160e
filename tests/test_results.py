"""The published results are valid, and the tables rendered from them are current."""

import importlib.util
import json
import shutil
from pathlib import Path

import pytest

from vocemo.errors import UsageError
from vocemo.lab.evaluate import Results

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "docs" / "results").glob("*.json"))
# Of corpora whose speakers have several clips.
LEAKY = {"random", "random-as-described", "random-copies", "random-70-20-10"}


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("render_results", ROOT / "scripts" / "render_results.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def result(**changes):
    return {
        "recipe": "a-cnn",
        "corpora": ["ravdess-speech"],
        "protocol": "emobox-6",
        "leaky": False,
        "emotions": ["happy", "sad"],
        "folds": 6,
        "seeds": [0, 1, 2],
        "metrics": {
            "uar": {"mean": 0.64, "sd": 0.012, "pooled": 0.64, "ci95": [0.591, 0.6894]},
            "accuracy": {"mean": 0.65, "sd": 0.01},
            "ece": {"mean": 0.051, "over": "pooled", "calibrated": 0.028},
        },
        "per_fold": [{"fold": 1, "seed": 0, "uar": 0.61, "accuracy": 0.6, "test_speakers": ["ravdess/01"]}],
        "command": "vocemo crossval a-cnn",
        "commit": "0123abc",
        "date": "2026-01-31",
        "per_emotion": {
            "happy": {"clips": 3, "recall": 0.5, "precision": 0.25, "f1": 1 / 3},
            "sad": {"clips": 0},
        },
        **changes,
    }


@pytest.fixture
def repository(tmp_path):
    """A small one: two results, a page with each kind of table."""
    folder = tmp_path / "docs" / "results"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text(json.dumps(result()), encoding="utf-8")
    leaky = result(protocol="random", leaky=True, folds=1, seeds=[0])
    (folder / "b.json").write_text(json.dumps(leaky), encoding="utf-8")
    (tmp_path / "README.md").write_text(
        "# Name\n\n<!-- results:begin summary -->\nold\n<!-- results:end summary -->\n\nbelow\n",
        encoding="utf-8",
    )
    (folder / "README.md").write_text(
        "".join(
            f"<!-- results:begin {n} -->\n<!-- results:end {n} -->\n"
            for n in ("a", "*/emotions", "*/groups", "b/details")
        ),
        encoding="utf-8",
    )
    return tmp_path


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_published_result_is_valid_and_says_where_it_comes_from(path):
    found = Results.read(path)
    assert found.command.startswith("vocemo ")
    assert "/work/" not in path.read_text(encoding="utf-8")
    assert found.leaky == (found.protocol in LEAKY)
    assert {(one.seed, one.fold) for one in found.per_fold} == {
        (seed, fold) for seed in found.seeds for fold in {one.fold for one in found.per_fold}
    }
    assert len({one.fold for one in found.per_fold}) == found.folds


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_published_mean_is_that_of_its_folds(path):
    found = Results.read(path)
    for name in ("uar", "accuracy"):
        by_seed = [
            sum(values) / len(values)
            for seed in found.seeds
            if (values := [getattr(one, name) for one in found.per_fold if one.seed == seed])
        ]
        assert found.metrics[name].mean == pytest.approx(sum(by_seed) / len(by_seed))


def test_the_tables_are_current(script, capsys):
    assert script.main(["--check"]) == 0, capsys.readouterr().out


def test_tables_are_rendered_checked_and_left_alone_when_current(script, repository, capsys):
    root = ["--root", str(repository)]
    assert script.main(["--check", *root]) == 1
    assert "-old" in capsys.readouterr().out
    assert "old" in (repository / "README.md").read_text(encoding="utf-8")  # a check writes nothing
    assert script.main(root) == 0
    assert script.main(["--check", *root]) == 0
    before = (repository / "README.md").read_text(encoding="utf-8")
    assert script.main(root) == 0
    assert (repository / "README.md").read_text(encoding="utf-8") == before
    assert before.startswith("# Name\n")
    assert before.endswith("\nbelow\n")


def test_a_leaky_number_says_so_beside_it_and_stands_below_the_others(script, repository):
    script.main(["--root", str(repository)])
    text = (repository / "README.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `a-cnn`")]
    assert "| **64.0** ± 1.2 [59.1, 68.9] |" in rows[0]
    assert "| LEAKY **64.0** ± 1.2 [59.1, 68.9] |" in rows[1]
    assert "| 65.0 ± 1.0 |" in rows[0]
    assert "| 5.1 (chance 2.8) |" in rows[0]
    page = (repository / "docs" / "results" / "README.md").read_text(encoding="utf-8")
    assert "b (`random`, LEAKY):" in page
    assert "| happy | 25.0 | 50.0 | 33.3 | 3 |" in page
    assert "| sad | - | - | - | 0 |" in page
    assert "`vocemo crossval a-cnn`" in page
    assert "| 0 | 1 | LEAKY 61.0 |" in page


def test_means_over_emotions_and_confusion_matrices_are_told(script, repository):
    each = {
        "happy": {"clips": 3, "recall": 0.5, "precision": 0.25, "f1": 1 / 3},
        "sad": {"clips": 4, "recall": 0.0, "f1": 0.0},
        "calm": {"clips": 0},
    }
    found = Results.from_dict(
        result(
            per_emotion=each,
            emotions=["happy", "sad", "calm"],
            confusion=[[2, 1, 0], [4, 0, 0], [0, 0, 0]],
            clips=1234,
        )
    )
    folder = repository / "docs" / "results"
    averages = script.render("a/averages", {"a": found}, folder)
    assert averages[2] == "| `a-cnn` | `emobox-6` | 65.0 ± 1.0 | 12.5 | 25.0 | 16.7 | 1,234 | 6 x 3 |"
    matrix = script.render("a/confusion", {"a": found}, folder)
    assert matrix[0] == "a (`emobox-6`):"
    assert matrix[2].split(" | ") == ["| labelled", "happy", "sad", "calm |"]
    assert [row for row in matrix[4:]] == [
        "| happy | 2 | 1 | 0 |",
        "| sad | 4 | 0 | 0 |",
        "| calm | 0 | 0 | 0 |",
    ]


def test_a_page_of_docs_with_a_table_is_rendered(script, repository):
    page = repository / "docs" / "corpus.md"
    page.write_text("<!-- results:begin a/averages -->\n<!-- results:end a/averages -->\n", encoding="utf-8")
    (repository / "docs" / "plain.md").write_text(
        "No table: `<!-- results:begin NAME -->`\n", encoding="utf-8"
    )
    assert script.main(["--root", str(repository), "--check"]) == 1
    script.main(["--root", str(repository)])
    assert "| `a-cnn` |" in page.read_text(encoding="utf-8")
    assert script.pages(repository) == ["README.md", "docs/corpus.md", "docs/results/README.md"]


def test_groups_are_told_of_unseen_speakers_alone_and_a_gap_that_counts_is_starred(script, repository):
    sexes = [
        {"name": name, "clips": 9, "speakers": 3, "uar": uar, "accuracy": uar}
        for name, uar in (("female", 0.66), ("male", 0.5))
    ]
    gaps = {
        "sex": [{"first": "female", "second": "male", "difference": 0.16, "ci95": [0.01, 0.31]}],
        "intensity": [{"first": "normal", "second": "strong", "difference": -0.04, "ci95": [-0.1, 0.02]}],
    }
    folder = repository / "docs" / "results"
    for name, leaky in (("a", False), ("b", True)):
        changed = result(leaky=leaky, groups={"sex": sexes}, gaps=gaps)
        (folder / f"{name}.json").write_text(json.dumps(changed), encoding="utf-8")
    assert script.main(["--root", str(repository)]) == 0
    page = (folder / "README.md").read_text(encoding="utf-8")
    row = "| `emobox-6` | 66.0 | 50.0 | 16.0* [1.0, 31.0] | -4.0 [-10.0, 2.0] | - |"
    assert page.count(row) == 1


def test_what_an_exported_file_loses_is_told_with_its_leak(script, repository):
    folder = repository / "docs" / "results"
    lost = {
        "size_mb": 8.081,
        "uar": 0.618,
        "accuracy": 0.616,
        "same_emotion": 0.97,
        "largest_difference": 0.021,
        "clips": 490,
    }
    found = {
        **{"recipe": "a-cnn", "protocol": "random", "leaky": True, "fold": 0, "seed": 0},
        **{"network": {"uar": 0.623}, "files": {"tflite int8": lost}},
        **{"command": "export_loss.py run", "commit": "0123abc", "date": "2026-01-31"},
    }
    (folder / "export").mkdir()
    (folder / "export" / "a.json").write_text(json.dumps(found), encoding="utf-8")
    (repository / "README.md").write_text(
        "<!-- results:begin export/a -->\n<!-- results:end export/a -->\n", encoding="utf-8"
    )
    assert script.main(["--root", str(repository)]) == 0
    page = (repository / "README.md").read_text(encoding="utf-8")
    assert "(`random`, LEAKY), fold 0: 490 clips, against the network's own answers, UAR 62.3." in page
    assert "| tflite int8 | 8.08 MB | 61.8 | 61.6 | - | 97.0 | 2e-02 |" in page


def test_the_trials_of_a_study_are_told_with_how_many_there_were(script, repository):
    folder = repository / "docs" / "results" / "tuning"
    folder.mkdir()
    study = {
        **{"recipe": "a-cnn", "protocol": "emobox-6", "fold": 0, "seed": 0, "by": "uar"},
        **{"grid": {"model.dropout": ["0.2", "0.4"]}, "combinations": 2, "tried": 2},
        **{"validation_speakers": ["a/1", "a/2"], "validation_clips": 30, "validation_heard": False},
        **{"command": "vocemo tune a-cnn", "commit": "0123abc", "date": "2026-01-31"},
        "trials": [
            {
                "settings": ["model.dropout=0.4"],
                "uar": 0.51,
                "accuracy": 0.5,
                "loss": 1.3,
                "parameters": 1200,
            },
            {"settings": ["model.dropout=0.2"], "error": "the training diverged"},
        ],
    }
    (folder / "a.json").write_text(json.dumps(study), encoding="utf-8")
    (repository / "README.md").write_text(
        "<!-- results:begin tuning/a -->\n<!-- results:end tuning/a -->\n", encoding="utf-8"
    )
    assert script.main(["--root", str(repository)]) == 0
    page = (repository / "README.md").read_text(encoding="utf-8")
    assert "a-cnn: 2 of 2 combinations, one seed, ranked by uar on 30 validation clips of 2 speakers" in page
    assert "| `0.4` | 51.0 | 50.0 | 1.30 | 1,200 |" in page
    assert "| `0.2` | - | - | the training diverged | - |" in page


def test_a_changed_result_makes_its_table_stale(script, repository):
    root = ["--root", str(repository)]
    script.main(root)
    changed = result(metrics={"uar": {"mean": 0.65}})
    (repository / "docs" / "results" / "a.json").write_text(json.dumps(changed), encoding="utf-8")
    assert script.main(["--check", *root]) == 1


def test_a_described_system_stands_beside_what_is_measured_of_it(script, repository):
    folder = repository / "docs" / "results"
    (folder / "described").mkdir()
    system = {
        "recipe": "a-cnn",
        "corpora": ["ravdess-speech"],
        "reported": "70 %",
        "terms": ["random", "random-copies"],
        "unseen": "emobox-6",
    }
    listed = [system, {**system, "corpora": ["emodb"]}]
    (folder / "described" / "systems.json").write_text(json.dumps(listed), encoding="utf-8")
    (folder / "bench").mkdir()
    sizes = {"results": [{"recipe": "a-cnn", "bundle_mb": 1.44, "answer_ms": 3.6}]}
    (folder / "bench" / "bundles.json").write_text(json.dumps(sizes), encoding="utf-8")
    (repository / "README.md").write_text(
        "<!-- results:begin systems -->\n<!-- results:end systems -->\n", encoding="utf-8"
    )
    assert script.main(["--root", str(repository)]) == 0
    lines = (repository / "README.md").read_text(encoding="utf-8").splitlines()
    measured, other = (next(line for line in lines if corpus in line) for corpus in ("ravdess-", "emodb"))
    for said in ("70 %", "65.0 ± 1.0 (`random`)", "64.0 ± 1.2 [59.1, 68.9] (`emobox-6`)", "1.4 MB", "4 ms"):
        assert said in measured
    assert other.count("not measured yet") == 2
    so_far = result(remark="3 of 6 trainings so far")
    (folder / "a.json").write_text(json.dumps(so_far), encoding="utf-8")
    assert script.main(["--root", str(repository)]) == 0
    assert "(`emobox-6`, 3 of 6 trainings so far)" in (repository / "README.md").read_text(encoding="utf-8")


def test_a_variant_does_not_pass_for_a_described_system(script, repository, capsys):
    folder = repository / "docs" / "results"
    (folder / "described").mkdir()
    system = {
        "recipe": "a-cnn",
        "corpora": ["ravdess-speech"],
        "reported": "",
        "terms": [],
        "unseen": "emobox-6",
    }
    (folder / "described" / "systems.json").write_text(json.dumps([system]), encoding="utf-8")
    (repository / "README.md").write_text(
        "<!-- results:begin systems -->\n<!-- results:end systems -->\n", encoding="utf-8"
    )
    shutil.copy(folder / "a.json", folder / "a-denoised.json")
    assert script.main(["--root", str(repository)]) == 2
    assert "2 results are of recipe a-cnn on ravdess-speech by emobox-6" in capsys.readouterr().err
    variant = {**json.loads((folder / "a.json").read_text(encoding="utf-8")), "recipe": "a-cnn-denoised"}
    (folder / "a-denoised.json").write_text(json.dumps(variant), encoding="utf-8")
    assert script.main(["--root", str(repository)]) == 0


def test_without_results_it_says_so(script, repository):
    shutil.move(repository / "docs" / "results" / "a.json", repository / "a.json")
    shutil.move(repository / "docs" / "results" / "b.json", repository / "b.json")
    script.main(["--root", str(repository)])
    assert script.NOTHING in (repository / "README.md").read_text(encoding="utf-8")


def test_a_broken_result_or_marker_is_named(script, repository, capsys):
    root = ["--root", str(repository)]
    (repository / "docs" / "results" / "c.json").write_text("{}", encoding="utf-8")
    assert script.main(root) == 2
    assert "c.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("<!-- results:begin a -->\n", "has no end"),
        ("<!-- results:end a -->\n", "does not pair"),
        ("<!-- results:begin a -->\n<!-- results:end b -->\n", "does not pair"),
        ("<!-- results:begin a -->\n<!-- results:begin b -->\n", "does not pair"),
        ("<!-- results:begin z -->\n<!-- results:end z -->\n", "unknown result 'z'"),
        ("<!-- results:begin a/curves -->\n<!-- results:end a/curves -->\n", "unknown view"),
    ],
)
def test_markers_that_do_not_pair_or_name_nothing_are_said(script, page, said, tmp_path):
    with pytest.raises(UsageError, match=said):
        script.renew(page, {"a": Results.from_dict(result())}, "README.md", tmp_path)
