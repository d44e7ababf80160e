"""The report as a reader gets it: whole, honest first, true to results.json, whatever is missing."""

from __future__ import annotations

import dataclasses
import html
import re
from pathlib import Path
from typing import Any

import pytest
from matplotlib.colors import to_rgb

import fabricate_report
from contrast import contrast
from fabricate_report import answers, material, result, trainings
from pages import Page
from vocemo.errors import UsageError
from vocemo.lab.evaluate import Metric, Predictions
from vocemo.lab.report import html as reports
from vocemo.lab.report.html import Material
from vocemo.lab.report.html.page import BLACK_FROM, WHITE_FROM
from vocemo.lab.report.html.verdict import believable

ROBUSTNESS = fabricate_report.robustness()
LEAK = {
    "kind": "speakers",
    "message": "speakers overlap: 1 of 2 test speakers is also in train: ravdess/01",
    "parts": ["train", "test"],
    "items": ["ravdess/01"],
    "failure": True,
}


def read(given: Material, recordings: reports.Recordings | None = None) -> Page:
    """The page, which is whole in every test that looks at it."""
    page = Page(reports.render(given, recordings))
    page.stands_alone("data:audio/mpeg;base64,")
    return page


class Numbers(Page):
    """A page whose <data> elements are kept with what they say."""

    def __init__(self, text: str) -> None:
        self.numbers: list[tuple[float, str]] = []
        self._value: float | None = None
        super().__init__(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        super().handle_starttag(tag, attrs)
        if tag == "data":
            self._value = float(dict(attrs)["value"] or "")

    def handle_data(self, data: str) -> None:
        super().handle_data(data)
        if self.open[-1:] == ["data"]:
            assert self._value is not None
            self.numbers.append((self._value, data))


def test_the_whole_page_stands_alone_and_says_what_was_measured() -> None:
    page = read(dataclasses.replace(material(), robustness=ROBUSTNESS))
    for section in ("verdict", "headline", "confusion", "emotions", "confidence", "groups", "by-speaker"):
        assert any(attributes.get("id") == section for _, attributes in page.tags), section
    for section in ("by-sex", "by-robustness", "training", "mistakes", "audit", "how"):
        assert any(attributes.get("id") == section for _, attributes in page.tags), section
    assert fabricate_report.COMMAND in page.text and "vocemo stress runs/loso --seed 0" in page.text
    assert "white noise 10 dB SNR" in page.text and "−1.0 points, 36 clips" in page.text
    assert "−26.8 points*, 36 clips" in page.text
    assert "Passed." in page.text and "4 folds of training" in page.text
    assert "Temperature, fitted on validation clips alone: 1.25 to 1.75, median 1.50" in page.text
    assert len(page.all("audio")) == 0
    charts = [attributes for attributes in page.all("svg") if attributes.get("role") == "img"]
    assert len(charts) == 5 == len(page.all("desc"))  # before, after, risk and coverage, loss, accuracy


def test_a_command_is_broken_between_its_words_alone() -> None:
    # A line that ends in a hyphen would be typed again without it.
    given = material()
    page = reports.render(given)
    words = given.results.command.split(" ")
    assert "<pre>" + " ".join(f"<span>{html.escape(word)}</span>" for word in words) + "</pre>" in page
    assert re.search(r"pre span \{[^}]*inline-block", page)


def test_every_number_is_that_of_the_results() -> None:
    given = material()
    page = Numbers(reports.render(given))
    assert len(page.numbers) > 100
    for value, words in page.numbers:
        places = len(words.partition(".")[2])
        assert words in (f"{value:.{places}f}", f"{100 * value:.{places}f}")
    there = {value for value, _ in page.numbers}
    results = given.results.to_dict()
    wanted = [fold["uar"] for fold in results["per_fold"]]
    for metric in results["metrics"].values():
        wanted += [metric["mean"], metric["sd"], *metric.get("ci95", ())]
    for emotion in results["per_emotion"].values():
        wanted += [emotion["recall"], emotion["precision"], emotion["f1"]]
    for kind in ("sex", "sentence", "speaker"):
        wanted += [group["uar"] for group in results["groups"][kind]]
    wanted += [end for group in results["groups"]["sex"] for end in group["ci95"]]
    assert set(wanted) <= there
    counts = [f">{count}<" for row in results["confusion"] for count in row]
    assert all(count in reports.render(given) for count in counts)


def test_the_verdict_comes_first_and_has_the_figures() -> None:
    given = material()
    uar = given.results.metrics["uar"]
    assert uar.ci95 is not None
    text = read(given).text
    sentence = (
        f"On voices it has never heard, it names the right one of 3 emotions in {100 * uar.mean:.0f} of "
        f"100 clips ({100 * uar.ci95[0]:.0f} to {100 * uar.ci95[1]:.0f}), each emotion counted alike; "
        "guessing would give 33.3."
    )
    assert 0 < text.index(sentence) < text.index("UAR: the mean")
    assert "LEAKY" not in text
    ece = given.results.metrics["ece"]
    assert f"(ECE {100 * ece.mean:.1f} %, chance alone {100 * (ece.calibrated or 0):.1f})" in text
    assert "It confuses" in text


def test_a_leak_is_said_before_anything_else() -> None:
    found = answers()
    leaky = dataclasses.replace(
        material(found, protocol="random", leaky=True), trainings=trainings(found, findings=[LEAK])
    )
    page = read(leaky)
    text = page.text
    assert (
        text.index("LEAKY") < text.index("On voices or recordings that it knows") < text.index("UAR, LEAKY")
    )
    assert text.startswith("LEAKY: dual-channel-cnn on ravdess, random ")  # the tab's title
    assert "--protocol emobox-6 or loso" in text and "never heard" not in text
    assert "Leaks in 4 of 4 audited folds" in text
    assert "leak: speakers" in text and LEAK["message"] in text and "every fold" in text
    assert any(attributes.get("class") == "warning" for attributes in page.all("div"))
    honest = read(material()).tags
    assert not any(attributes.get("class") == "warning" for _, attributes in honest)


def test_the_leak_s_own_words_and_few_speakers_are_told() -> None:
    remark = "Of 4 speakers alone, such an interval holds the truth less often than it says."
    given = material(leaky=True, leak="the model was trained on ravdess", interval_remark=remark)
    text = read(given).text
    assert "LEAKY. The model was trained on ravdess. The figures" in text
    assert remark in text


def test_answers_of_unknown_training_are_not_called_honest() -> None:
    text = read(Material(result(answers(), protocol="as given", training_stated=False))).text
    assert "NOT SHOWN TO BE HONEST" in text and "never heard" not in text and "LEAKY" not in text


def without(predictions: Predictions, **changed: Any) -> Predictions:
    """The same, with fields of every subject replaced."""
    subjects = tuple(dataclasses.replace(subject, **changed) for subject in predictions.subjects)
    return dataclasses.replace(predictions, subjects=subjects)


@pytest.mark.parametrize(
    ("given", "absent"),
    [
        (material(answers(folds=1)), []),
        (material(answers(seeds=1)), ["over seeds"]),
        (material(answers(("ravdess/01",))), ["95 % interval over 1"]),
        (material(answers(emotions=("happy", "sad"))), []),
        (material(answers(("ravdess/01",), ("happy", "sad"), seeds=1, folds=1, clips=1)), []),
        (material(answers(right=60)), ["Its surest mistakes"]),
        (
            material(without(answers(), path="", sex=None, sentence=None, speaker="ravdess/unknown")),
            ["Sex of"],
        ),
        (dataclasses.replace(material(), trainings=()), ["Before temperature", "Loss by epoch", "Passed."]),
        (
            dataclasses.replace(
                material(),
                trainings=tuple(dataclasses.replace(t, audit=None, history=()) for t in trainings(answers())),
            ),
            ["Loss by epoch", "Passed."],
        ),
        (Material(result(answers())), ["Reliability", "Risk and coverage", "Its surest mistakes", "Passed."]),
        (
            Material(
                dataclasses.replace(result(answers()), confusion=None, per_emotion={}, groups={}, gaps={})
            ),
            ["Confusion matrix", "Each emotion", "Each speaker"],
        ),
    ],
    ids=lambda each: "" if isinstance(each, list) else None,
)
def test_what_is_missing_leaves_the_rest_whole(given: Material, absent: list[str]) -> None:
    text = read(given).text
    assert "guessing would give" in text and fabricate_report.COMMAND in text
    for words in absent:
        assert words not in text
    assert "nan" not in re.sub(r"[a-z]nan|nan[a-z]", "", text.lower()) and "None" not in text


def test_answers_without_probabilities_have_no_confidence() -> None:
    found = answers()
    hard = (found.probabilities == found.probabilities.max(1, keepdims=True)).astype(float)
    bare = dataclasses.replace(found, probabilities=hard, probabilistic=False)
    told = result(found)
    kept = {name: metric for name, metric in told.metrics.items() if name in ("uar", "accuracy", "macro_f1")}
    text = read(Material(dataclasses.replace(told, metrics=kept), bare)).text
    assert "Confusion matrix" in text
    for words in ("Its probabilities", "Reliability", "Risk and coverage", "surest mistakes", "ECE "):
        assert words not in text


def test_odd_names_are_escaped_and_say_nothing_of_the_machine(tmp_path: Path) -> None:
    odd = "<img src=x onerror=alert(1)>&\"'{{ 7 * 7 }}"
    folder = str(tmp_path / "some body's <corpus>")
    found = answers(("ravdess/<i>01", f"ravdess/{odd}"), (odd, "sad"), folder=folder)
    paths = [subject.path for subject in found.subjects]
    finding = {
        **LEAK,
        "message": f"the same recording is under 2 names: {paths[0]} (train)",
        "items": paths[:1],
    }
    given = dataclasses.replace(material(found, model=odd), trainings=trainings(found, findings=[finding]))
    text = reports.render(given)
    page = Page(text)
    page.stands_alone("data:")
    assert "<img" not in text and html.escape("<img src=x onerror=alert(1)>") in text
    assert "{{ 7 * 7 }}" in page.text
    assert str(tmp_path) not in text and "corpus&gt;" not in text
    assert "under 2 names: <i>01/0-0.wav (train)" in page.text


def test_the_page_is_the_same_again(tmp_path: Path) -> None:
    given = material()
    one = reports.write(given, tmp_path / "report.html").read_text(encoding="utf-8")
    assert one == reports.render(given)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_many_speakers_are_folded_away() -> None:
    found = answers(tuple(f"ravdess/{number:02}" for number in range(50)), seeds=1)
    page = read(material(found))
    assert "10 more between them" in page.text
    assert all(f"ravdess/{number:02}" in page.text for number in range(50))


def test_a_folder_is_read_and_what_is_broken_in_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="vocemo crossval writes one"):
        reports.read(tmp_path)
    found = answers()
    measured = dataclasses.replace(result(found), groups={}, gaps={})  # as older files have it
    measured.write(tmp_path / "results.json")
    assert reports.read(tmp_path).predictions is None
    found.write(tmp_path / "predictions.csv")
    ROBUSTNESS.write(tmp_path / "robustness.json")
    given = reports.read(tmp_path)
    assert given.predictions is not None and len(given.predictions) == len(found)
    assert {"sex", "speaker", "sentence"} <= set(given.results.groups)
    assert given.robustness == ROBUSTNESS
    (tmp_path / "robustness.json").write_text('{"conditions": [{"name": "clean"}]}')
    with pytest.raises(UsageError, match=r"robustness\.json"):
        reports.read(tmp_path)


def test_a_seed_under_way_is_on_no_plot(tmp_path: Path) -> None:
    found = answers()
    under_way = found.where((found.seed == 0) | (found.fold == 0))
    result(under_way).write(tmp_path / "results.json")
    under_way.write(tmp_path / "predictions.csv")
    given = reports.read(tmp_path)
    assert given.predictions is not None and set(given.predictions.seed) == {0}
    assert "under way, and in no mean: seed 1" in read(given).text


@pytest.mark.parametrize(
    ("ece", "chance", "believed"),
    [(0.042, 0.029, True), (0.09, 0.075, True), (0.09, 0.03, False), (0.06, None, False)],
)
def test_probabilities_are_believed_by_a_rule(ece: float, chance: float | None, believed: bool) -> None:
    metric = Metric(ece, "pooled", calibrated=chance)
    assert believable(metric) is believed
    found = result(answers())
    text = read(Material(dataclasses.replace(found, metrics={**found.metrics, "ece": metric}))).text
    assert ("can be believed" in text) == (ece <= 0.05)
    assert ("cannot be taken at their word" in text) != believed
    assert ("so few clips would hardly show one" in text) == (believed and ece > 0.05)


def test_claims_that_are_too_high_or_too_low_are_called_so() -> None:
    found = answers(clips=12)
    for sharper, word in ((4.0, "too much"), (0.2, "too little")):
        powers = found.probabilities**sharper
        changed = dataclasses.replace(found, probabilities=powers / powers.sum(1, keepdims=True))
        assert f"Its probabilities claim {word} (ECE" in read(material(changed)).text


@pytest.mark.parametrize(("page", "turned", "words"), [(0, WHITE_FROM, (0, 1)), (1, BLACK_FROM, (1, 0))])
def test_every_word_stands_out(page: int, turned: float, words: tuple[int, int]) -> None:
    blocks = re.findall(r":root \{([^}]*)\}", reports.render(material()))[:2]
    named = dict(re.findall(r"--([a-z-]+): #([0-9a-f]{6})", blocks[page]))
    colours = {name: to_rgb(f"#{code}") for name, code in named.items()}
    for name in ("ink", "quiet", "note", "alert", "third"):
        assert min(contrast(colours[name], colours[ground]) for ground in ("card", "paper")) >= 4.5, name
    for name in ("first", "second"):  # lines and dots: 3 is enough
        assert contrast(colours[name], colours["card"]) >= 3, name
    for thousandth in range(1001):
        share = thousandth / 1000
        cell = tuple(
            share * h + (1 - share) * c for h, c in zip(colours["heat"], colours["card"], strict=True)
        )
        assert contrast((words[share >= turned],) * 3, cell) >= 4.5, share
