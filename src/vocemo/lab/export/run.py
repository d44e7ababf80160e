"""From a run folder to a bundle with all that it must say of itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import torch

import vocemo
from vocemo.bundle import BundleInfo, TrainingInfo, Weights
from vocemo.errors import UsageError
from vocemo.lab import checkpoint, corpora, network, selective
from vocemo.lab.evaluate import Results
from vocemo.lab.export.onnx_bundle import write_bundle
from vocemo.lab.export.parity import Parity
from vocemo.lab.export.tflite_bundle import clip_length_s, write_tflite
from vocemo.lab.mahalanobis import Gaussians
from vocemo.lab.models import Credit
from vocemo.lab.outcome import Outcome
from vocemo.lab.run import RunFolder
from vocemo.lab.run_info import RunInfo
from vocemo.lab.selective import USUAL_RISK

Format = Literal["onnx", "tflite"]


def export_run(
    path: Path,
    target: Path,
    results: Sequence[Results] = (),
    *,
    to: Format = "onnx",
    weights: Weights = "float32",
    length_s: float | None = None,
    risk: float = USUAL_RISK,
) -> Parity:
    """Write a complete run as a bundle; returns how closely it answers as the run's network.

    Args:
        results: figures of the same recipe that the bundle carries, such as its cross-validation's.
        to: the file's format.
        weights: how the file stores the model's weights.
        length_s: of the one clip that a TFLite file takes; None: see `clip_length_s`.
        risk: the share of wrong answers that the threshold is chosen for, one of `selective.WANTED`; the
            bundle has no threshold where none reached it on validation clips.

    Raises UsageError where there is no run or it cannot be had so, RunError where it is not complete.
    """
    folder = RunFolder(path)
    info, outcome = folder.info(), folder.outcome()
    if to == "onnx" and length_s is not None:
        raise UsageError("--length-s goes with --to tflite: an .onnx file takes clips of any length")
    if to == "tflite" and weights == "mixed":
        raise UsageError("--quantize mixed is for .onnx files; valid for .tflite: none, float16, int8")
    threshold = selective.chosen(outcome.thresholds, risk)
    limit = outcome.distances.limit if outcome.distances else None
    gaussians = Gaussians.read(folder.domain) if limit is not None else None
    trained = network.build(info.recipe, info.seed)
    checkpoint.load_weights(trained, folder.weights, torch.device("cpu"))
    description = BundleInfo(
        name=info.recipe.name,
        vocemo_version=vocemo.__version__,
        emotions=info.recipe.emotions,
        relabel=info.recipe.relabel,
        preparation=info.recipe.preparation,
        temperature=outcome.temperature,
        threshold=threshold.threshold if threshold else None,
        threshold_risk=risk if threshold else None,
        distance_limit=limit,
        licence=_licence(info, trained.credits()),
        attribution=_attribution(info, trained.credits()),
        training=_training_info(info, outcome),
        results=tuple(dataclasses.replace(result, report={}).to_dict() for result in results),
    )
    if to == "onnx":
        return write_bundle(trained, description, target, weights, gaussians)
    median_s = outcome.trained_on.duration_median_s
    return write_tflite(
        trained,
        description,
        target,
        length_s=clip_length_s(info.recipe.preparation, median_s, length_s),
        weights=weights,
        corpora=info.corpora,
        gaussians=gaussians,
    )


def names_of(specs: Iterable[str]) -> tuple[str, ...]:
    """The corpora's names in specs such as `ravdess:DIR`, each once."""
    return tuple(dict.fromkeys(spec.partition(":")[0] for spec in specs))


def licence_of(specs: Iterable[str], credits: Iterable[Credit] = ()) -> str:
    """What weights trained on these corpora may be used under: each corpus's own terms, each once.

    `credits` are of weights that the training began with; their terms stand behind.
    """
    terms = [corpora.CORPORA[name].licence for name in names_of(specs)]
    return "; ".join(dict.fromkeys([*terms, *(credit.licence for credit in credits)]))


def attribution_of(specs: Iterable[str], credits: Iterable[Credit] = ()) -> tuple[str, ...]:
    """Whom such weights must name: each corpus's citation, each once, but for a user's own recordings."""
    citations = [corpora.CORPORA[name].citation for name in names_of(specs)]
    citations += [credit.citation for credit in credits]
    return tuple(dict.fromkeys(citation for citation in citations if citation))


def _licence(info: RunInfo, credits: Iterable[Credit]) -> str:
    """The terms of the run's corpora, and of those that its initial weights learnt from."""
    own = licence_of(info.corpora, credits)
    if info.initial is None:
        return own
    return "; ".join(dict.fromkeys([*info.initial.licence.split("; "), *own.split("; ")]))


def _attribution(info: RunInfo, credits: Iterable[Credit]) -> tuple[str, ...]:
    before = info.initial.attribution if info.initial else ()
    return tuple(dict.fromkeys((*before, *attribution_of(info.corpora, credits))))


def _training_info(info: RunInfo, outcome: Outcome) -> TrainingInfo:
    before = info.initial
    return TrainingInfo(
        corpora=tuple(dict.fromkeys((*(before.corpora if before else ()), *names_of(info.corpora)))),
        clips=outcome.trained_on.clips + (before.clips if before else 0),
        speakers=outcome.trained_on.speakers + (before.speakers if before else 0),
        protocol=info.protocol,
        seed=info.seed,
        fold=info.fold,
        recipe=info.recipe.name,
        recipe_sha256=info.recipe.sha256,
        parameters=outcome.parameters,
        duration_p05_s=outcome.trained_on.duration_p05_s,
        duration_median_s=outcome.trained_on.duration_median_s,
        commit=str(info.made.get("commit", "")),
        date=str(info.made.get("date", "")),
    )
