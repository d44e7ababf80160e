"""The figures of a model card: tables of a result by emotion and by group, calibration, threshold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vocemo.bundle import BundleInfo
from vocemo.lab.report import model_card_text as text
from vocemo.lab.report.tables import markdown
from vocemo.lab.splits import PROTOCOLS

NOT_MEASURED = "not measured"
HELD_OUT = "held out"  # what vocemo evaluate calls a corpus that the model was not trained on


def independent(result: Mapping[str, Any]) -> bool:
    """Whether it is known that the test speakers were not in training."""
    protocol = str(result.get("protocol", ""))  # under one that vocemo knows, each fold was audited
    return not result.get("leaky", True) and (protocol in PROTOCOLS or protocol == HELD_OUT)


def analyses(info: BundleInfo) -> list[str]:
    """Paragraphs: each result's figures, by emotion and by group; calibration, threshold, out of domain."""
    found = []
    for result in info.results:
        mark = " (LEAKY)" if result.get("leaky") else ""
        found.append(f"### `{result.get('protocol', 'protocol not stated')}`{mark}")
        rows = [(label, metric(result, key)) for key, label in text.FIGURES.items() if key in metrics(result)]
        found.append(table(("figure", "value, 95 % interval over speakers"), rows))
        found += _by_emotion(result) + _by_group(result)
    ece = [result for result in info.results if "ece" in metrics(result)]
    calibration = (
        f"Probabilities are divided by a temperature of {info.temperature:.3f}, from validation clips alone."
    )
    if ece:
        value = metrics(ece[0])["ece"]
        perfect = (
            f"; perfect calibration would score {value['calibrated']:.3f}" if "calibrated" in value else ""
        )
        calibration += f" Expected calibration error {value['mean']:.3f}{perfect}."
    else:
        calibration += f" Their calibration is {NOT_MEASURED}."
    return [*(found or [f"Figures: {NOT_MEASURED}."]), calibration, _threshold(info), _out_of_domain(info)]


def _by_emotion(result: Mapping[str, Any]) -> list[str]:
    per_emotion: Mapping[str, Mapping[str, Any]] = result.get("per_emotion", {})
    rows = [
        (emotion, share(one.get("recall")), share(one.get("precision")), share(one.get("f1")))
        for emotion, one in per_emotion.items()
    ]
    return [table(("emotion", "recall", "precision", "F1"), rows)] if rows else []


def _by_group(result: Mapping[str, Any]) -> list[str]:
    groups: Mapping[str, Sequence[Mapping[str, Any]]] = result.get("groups", {})
    rows = [
        (key, str(one["name"]), str(one["clips"]), share(one.get("uar")) + _interval(one.get("ci95")))
        for key, members in groups.items()
        if key != "speaker"  # a row a speaker is for the report
        for one in members
    ]
    if not rows:
        return [f"By sex, intensity, sentence, channel and duration: {NOT_MEASURED}."]
    gaps = [
        f"{gap['first']} less {gap['second']}: {100 * gap['difference']:+.1f} "
        f"points{_interval(gap.get('ci95'))}"
        + ("" if _counts(gap) else " (the interval holds 0, or there is none)")
        for gap in result.get("gaps", {}).get("sex", ())
    ]
    by_group = table(("by", "group", "clips", "UAR, 95 % interval"), rows)
    return [by_group, *([f"Gap of UAR between the sexes: {'; '.join(gaps)}."] if gaps else [])]


def _threshold(info: BundleInfo) -> str:
    if info.threshold is None:
        return "Threshold: none. No answer is called uncertain for its confidence."
    risk = getattr(info, "threshold_risk", None)
    aim = (
        ""
        if risk is None
        else f", chosen on validation clips so that at most {risk:.0%} of the others are wrong"
    )
    return f"Threshold: answers below a confidence of {info.threshold:.2f} are called uncertain{aim}."


def _out_of_domain(info: BundleInfo) -> str:
    limit = getattr(info, "distance_limit", None)
    if limit is None:
        return (
            "Out of domain: nothing in the file tells speech from what is none. Music, noise or a language "
            "that it never heard get an emotion like any other sound."
        )
    return (
        f"Out of domain: the file gives a distance from its training clips, and warns of one above {limit:g}."
    )


def metrics(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """A result's metrics by name."""
    found: Mapping[str, Any] = result.get("metrics", {})
    return found


def metric(result: Mapping[str, Any], name: str) -> str:
    """A metric's mean and its interval, as far as there is one."""
    value = metrics(result).get(name)
    if value is None:
        return NOT_MEASURED
    scale = (lambda x: f"{x:.3f}") if name in text.NO_SHARES else share
    found = scale(value["mean"])
    ends = value.get("ci95")
    return found if ends is None else f"{found} ({scale(ends[0])} to {scale(ends[1])})"


def share(value: float | None) -> str:
    """A fraction of 1 in percent."""
    return "undefined" if value is None else f"{100 * value:.1f} %"


def _interval(ends: Sequence[float] | None) -> str:
    return "" if ends is None else f" ({100 * ends[0]:.1f} to {100 * ends[1]:.1f})"


def _counts(gap: Mapping[str, Any]) -> bool:
    ends = gap.get("ci95")
    return ends is not None and (ends[0] > 0 or ends[1] < 0)


def tested_speakers(result: Mapping[str, Any]) -> int:
    """How many speakers the folds of a result test on; 0 where that is not stated."""
    return len({speaker for fold in result.get("per_fold", ()) for speaker in fold.get("test_speakers", ())})


def listed(names: Iterable[object]) -> str:
    """Names with commas between."""
    return ", ".join(map(str, names)) or "not stated"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    return "\n".join(markdown(head, rows, texts=len(head)))
