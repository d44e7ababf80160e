"""Model cards: every section is there, figures are the bundle's, and what is not known is called so."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from pathlib import Path

import pytest

import fabricate_bundle
from vocemo.bundle import Bundle, BundleInfo, packaged
from vocemo.errors import UsageError
from vocemo.lab.corpora import CORPORA
from vocemo.lab.energy import of_training
from vocemo.lab.history import EpochRecord
from vocemo.lab.report import model_card, model_card_text
from vocemo.lab.report.model_card import Training
from vocemo.lab.run import RunFolder

ROOT = Path(__file__).resolve().parents[3]
# Mitchell et al. 2019, table of contents, and what this project adds.
SECTIONS = [
    "Model details",
    "Intended use",
    "Factors",
    "Metrics",
    "Evaluation data",
    "Training data",
    "Quantitative analyses",
    "Ethical considerations",
    "Caveats and recommendations",
    "Energy and time",
    "How to verify",
]

RESULT = {
    "recipe": "tiny",
    "corpora": ["ravdess"],
    "protocol": "emobox-6",
    "leaky": False,
    "emotions": list(fabricate_bundle.EMOTIONS),
    "folds": 6,
    "seeds": [0, 1],
    "clips": 1440,
    "metrics": {
        "uar": {"mean": 0.5727, "ci95": [0.5214, 0.624]},
        "ece": {"mean": 0.042, "calibrated": 0.029},
    },
    "per_fold": [{"fold": 0, "seed": 0, "test_speakers": ["ravdess/01", "ravdess/02"]}],
    "per_emotion": {"happy": {"clips": 9, "recall": 0.25, "precision": 0.5}},
    "train_seconds": 7200.0,
    "command": "vocemo crossval tiny --protocol emobox-6",
    "date": "2026-01-01",
}


def info(**changes: object) -> BundleInfo:
    return dataclasses.replace(fabricate_bundle.info(), **changes)


def card(given: BundleInfo, training: Training | None = None) -> str:
    return model_card.render(given, "emotion.onnx", 1_234_567, "abc123", training)


def of_corpora(*names: str) -> BundleInfo:
    plain = fabricate_bundle.info()
    return info(training=dataclasses.replace(plain.training, corpora=names, clips=100, speakers=24))


def test_every_section_is_there_once_and_in_order() -> None:
    assert re.findall(r"^## (.+)$", card(info(results=(RESULT,))), re.MULTILINE) == SECTIONS


def test_figures_are_those_of_the_results() -> None:
    text = card(info(results=(RESULT,)))
    assert "speakers that it has not heard (2 of them)" in text
    assert "**57.3 % (52.1 % to 62.4 %)**; chance is 25.0 %" in text
    assert "| happy | 25.0 % | 50.0 % | undefined |" in text
    assert "error 0.042; perfect calibration would score 0.029" in text
    assert "vocemo crossval tiny --protocol emobox-6" in text
    assert "By sex, intensity, sentence, channel and duration: not measured" in text


def test_a_leaky_figure_is_no_headline() -> None:
    text = card(info(results=({**RESULT, "leaky": True},)))
    assert "LEAKY: on voices that were in training, its UAR is 57.3 %" in text
    assert "On speakers that it has not heard it is **not measured**" in text
    assert "### `emobox-6` (LEAKY)" in text and "say nothing of new voices" in text
    # The honest figure is the headline wherever it stands among the results.
    both = card(info(results=({**RESULT, "leaky": True, "metrics": {"uar": {"mean": 0.99}}}, RESULT)))
    assert "**57.3 %" in both.split("## ")[0] and "99.0 %" not in both.split("## ")[0]


def test_answers_of_which_nobody_knows_the_voices_are_no_headline() -> None:
    text = card(info(results=({**RESULT, "protocol": "as given"},)))
    assert "nobody knows whether they were in training" in text
    assert "has not heard it is **not measured**" in text


def test_without_results_nothing_is_claimed() -> None:
    text = card(info(results=()))
    assert "is **not measured**" in text and "UAR of" not in text
    assert "Training of this model: not recorded" in text


def test_groups_stand_there_where_they_were_measured() -> None:
    women = {"name": "female", "clips": 700, "speakers": 12, "uar": 0.6, "accuracy": 0.6, "ci95": [0.5, 0.7]}
    one = {"name": "ravdess/01", "clips": 60, "speakers": 1, "uar": 0.4, "accuracy": 0.4}
    groups = {"sex": [women], "speaker": [one]}
    gaps = {"sex": [{"first": "female", "second": "male", "difference": 0.08, "ci95": [-0.01, 0.17]}]}
    text = card(info(results=({**RESULT, "groups": groups, "gaps": gaps},)))
    assert "| sex | female | 700 | 60.0 % (50.0 to 70.0) |" in text and "ravdess/01" not in text
    assert "female less male: +8.0 points (-1.0 to 17.0) (the interval holds 0" in text


def test_threshold_and_domain_are_told_where_the_bundle_has_them() -> None:
    assert "Threshold: none" in card(info(threshold=None))
    assert "nothing in the file tells speech" in card(info())
    assert "below a confidence of 0.61 are called uncertain" in card(info(threshold=0.61))


@pytest.mark.parametrize("name", [name for name in CORPORA if CORPORA[name].doi or CORPORA[name].homepage])
def test_each_corpus_is_named_with_its_licence_and_its_people(name: str) -> None:
    corpus, text = CORPORA[name], card(of_corpora(name))
    assert corpus.licence in text and corpus.title in text
    assert corpus.people and corpus.people in text and corpus.setting in text
    assert model_card_text.meaning(corpus.licence) in text
    assert model_card_text.meaning(corpus.licence) != model_card_text.meaning("")


def test_ones_own_recordings_and_unknown_corpora_are_no_riddle() -> None:
    text = card(of_corpora("table", "a-corpus-of-later"))
    assert "whatever you decide" in text and "a-corpus-of-later" in text
    assert "Every emotion in training was acted" not in text


def test_uses_to_refuse_name_the_law_they_rest_on() -> None:
    text = card(info())
    for said in ("hiring", "Article 5(1)(f)", "2024/1689", "2 February 2025", "medical or safety"):
        assert said in text


def test_time_and_energy_are_called_measured_or_estimated() -> None:
    made = {"device": "cpu", "threads": 2, "memory_gb": 24.0, "command": "vocemo train x"}
    made |= {"versions": {"torch": "9"}}
    estimated = card(info(results=(RESULT,)), Training(3600, of_training(3600, made), made))
    assert "60 min on cpu, 2 threads; 55.0 Wh, **estimated**: 3,600 s x (2 cores x 12 W" in estimated
    assert "2.0 h of training" in estimated and "vocemo train x" in estimated and "torch 9" in estimated
    measured = card(info(), Training(3600, of_training(3600, made, [3.6e6]), made))
    assert "1.00 kWh, **measured**: the processor's own counters" in measured


def test_a_resumed_training_is_the_sum_of_its_epochs(learnt: tuple[str, Path], tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for file in (RunFolder(learnt[1]).info_path, RunFolder(learnt[1]).result):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    records = [EpochRecord(n, 0.1, 1.0, 0.5, seconds=10.0, energy_j=1.8e6) for n in (1, 2)]
    folder.write_history(tuple(records))
    found = Training.of(folder)
    assert found.energy.measured and found.energy.kwh == pytest.approx(1.0)
    assert found.seconds == folder.outcome().train_seconds
    # A line of an older run has no energy at all.
    lines = [json.loads(line) for line in folder.metrics.read_text().splitlines()]
    del lines[0]["energy_j"]
    folder.metrics.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert not Training.of(folder).energy.measured


def test_somebodys_own_file_is_not_written_over(tmp_path: Path) -> None:
    bundle = fabricate_bundle.write(tmp_path / "emotion.onnx")
    mine = tmp_path / "emotion.md"
    mine.write_text("# My notes\n")
    with pytest.raises(UsageError, match="--no-card"):
        model_card.write(bundle, mine)
    assert mine.read_text() == "# My notes\n"
    mine.unlink()
    model_card.write(bundle, mine)
    model_card.write(bundle, mine)  # its own, it may
    assert hashlib.sha256(bundle.read_bytes()).hexdigest() in mine.read_text()


@pytest.mark.parametrize(("name", "card"), [("base", "model-card.md"), ("tiny", "model-card-tiny.md")])
def test_the_card_of_a_model_in_the_package_is_that_models(name: str, card: str) -> None:
    bundle = Bundle.open(packaged.place(name), device="cpu")
    written = (ROOT / "docs" / card).read_text(encoding="utf-8")
    content = bundle.path.read_bytes()
    fresh = model_card.render(
        bundle.info, bundle.path.name, len(content), hashlib.sha256(content).hexdigest()
    )

    def comparable(text: str) -> str:
        # Time, machine and the run's own command are the run's to know.
        return text.partition("## Energy and time")[0]

    assert comparable(written) == comparable(fresh)
    assert hashlib.sha256(content).hexdigest() in written
    assert "not recorded\n" not in written.partition("## Energy and time")[2].partition("\n- Cross")[0]
