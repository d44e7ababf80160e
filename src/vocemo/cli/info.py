"""`vocemo info`: what a model says of itself."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from vocemo.bundle import Bundle, BundleInfo, packaged


def info(
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="[MODEL]",
            help="A bundle, or a model inside the package by its name; by default the best of these.",
            autocompletion=packaged.names,
        ),
    ] = None,
    format: Annotated[Literal["text", "json"], typer.Option(help="How it is written.")] = "text",
) -> None:
    """Say what a model says of itself: emotions, licence, training, results, preparation."""
    bundle = Bundle.open(model, device="cpu")
    if format == "json":
        said = bundle.info.to_dict() | {"path": str(bundle.path), "sha256": bundle.sha256}
        print(json.dumps(said, ensure_ascii=False, indent=2))
        return
    for title, lines in _sections(bundle):
        print(title)
        for line in lines:
            print(f"  {line}")


def _sections(bundle: Bundle) -> list[tuple[str, list[str]]]:
    """The description, a title and its lines for each part."""
    about = bundle.info
    size_mb = bundle.path.stat().st_size / 1e6
    return [
        (
            f"Model: {about.name}",
            [
                f"File: {bundle.path} ({size_mb:.1f} MB, sha256 {bundle.sha256[:16]})",
                f"Takes: {_takes(bundle)}; weights stored as {about.stored}",
                f"Made by: vocemo {about.vocemo_version or 'unknown'}, bundle format {about.format}",
                f"Emotions ({len(about.emotions)}): {', '.join(about.emotions)}",
                f"Calibration: temperature {about.temperature:.3f}",
                f"Uncertain: {_uncertain(about)}",
                f"Out of domain: {_out_of_domain(about)}",
            ],
        ),
        ("Licence of the weights", _licence(about)),
        ("Training", _training(about)),
        ("Results", [_result(result) for result in about.results] or ["none are stated"]),
        ("Preparation", [f"{name}: {_plain(value)}" for name, value in about.preparation.to_dict().items()]),
    ]


def _uncertain(about: BundleInfo) -> str:
    if about.threshold is None:
        return "no answer for its confidence: there is no threshold"
    line = f"answers below a confidence of {about.threshold:.2f}"
    risk = about.threshold_risk
    return line if risk is None else f"{line}; of the others at most {risk:.0%} are wrong, by validation"


def _out_of_domain(about: BundleInfo) -> str:
    if about.distance_limit is None:
        return "not measured"
    return f"past a distance of {about.distance_limit:.2f} from what it was trained on"


def _takes(bundle: Bundle) -> str:
    rate, length = bundle.info.preparation.sample_rate, bundle.info.preparation.length
    if bundle.clip_samples is not None:
        count = bundle.clip_samples
        return f"one clip of {count / rate:g} s at a time ({count:,} samples at {rate:,} Hz)"
    if length is not None:
        return f"clips of {length / rate:g} s, many at once ({length:,} samples at {rate:,} Hz)"
    return "clips of any length, many at once"


def _licence(about: BundleInfo) -> list[str]:
    lines = [about.licence or "not stated: ask whoever trained it"]
    if re.search(r"\bNC\b", about.licence):
        lines.append("Non-commercial use only: the recordings that it learnt from are licensed so.")
        lines.append("The code of vocemo is under MIT; train on other recordings for commercial use.")
    return lines + [f"Attribution: {each}" for each in about.attribution]


def _training(about: BundleInfo) -> list[str]:
    made = about.training
    return [
        f"Corpora: {', '.join(made.corpora) or 'not stated'}"
        f" ({made.clips:,} clips, {made.speakers} speakers, median {made.duration_median_s:.1f} s)",
        f"Recipe: {made.recipe or 'not stated'} ({made.parameters:,} parameters,"
        f" sha256 {made.recipe_sha256[:16] or 'not stated'})",
        f"Protocol: {made.protocol or 'not stated'}, seed {made.seed}",
        f"Date: {made.date or 'not stated'}, commit {made.commit or 'not stated'}",
    ]


_FIGURES = {"uar": "UAR", "accuracy": "accuracy", "macro_f1": "macro F1"}


def _result(result: Mapping[str, Any]) -> str:
    """One measured result: its protocol, whether it leaks, and its figures with their intervals.

    What a bundle calls results may be anything: other programs write bundles too.
    """
    try:
        return _measured(result)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError):
        return "a result that cannot be read"


def _measured(result: Mapping[str, Any]) -> str:
    leaky = " (LEAKY: speakers of the test are in training)" if result.get("leaky") else ""
    metrics = dict(result.get("metrics", {}))
    figures = [f"{label} {_figure(metrics[name])}" for name, label in _FIGURES.items() if name in metrics]
    return f"{result.get('protocol', 'protocol not stated')}{leaky}: {', '.join(figures) or 'no figures'}"


def _figure(value: Any) -> str:
    """A mean and, where there is one, its 95 % interval over speakers."""
    if not isinstance(value, Mapping):
        return f"{float(value):.1%}"
    interval = "" if "ci95" not in value else " [{:.1%}, {:.1%}]".format(*value["ci95"])
    return f"{float(value['mean']):.1%}{interval}"


def _plain(value: Any) -> str:
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
