"""From a run folder to a bundle with all that it must say of itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import torch

import vocemo
from vocemo.bundle import BundleInfo, TrainingInfo
from vocemo.lab import checkpoint, corpora, network
from vocemo.lab.evaluate import Results
from vocemo.lab.export.onnx_bundle import write_bundle
from vocemo.lab.run import Outcome, RunFolder, RunInfo


def export_run(path: Path, target: Path, results: Sequence[Results] = ()) -> float:
    """Write a complete run as a bundle; returns the largest difference of a probability from the network.

    `results` are figures of the same recipe that the bundle carries, such as its cross-validation's.

    Raises UsageError where there is no run, RunError where it is not complete.
    """
    folder = RunFolder(path)
    info, outcome = folder.info(), folder.outcome()
    trained = network.build(info.recipe, info.seed)
    checkpoint.load_weights(trained, folder.weights, torch.device("cpu"))
    description = BundleInfo(
        name=info.recipe.name,
        vocemo_version=vocemo.__version__,
        emotions=info.recipe.emotions,
        preparation=info.recipe.preparation,
        temperature=outcome.temperature,
        licence=licence_of(info.corpora),
        attribution=attribution_of(info.corpora),
        training=_training_info(info, outcome),
        results=tuple(result.to_dict() for result in results),
    )
    return write_bundle(trained, description, target)


def names_of(specs: Iterable[str]) -> tuple[str, ...]:
    """The corpora's names in specs such as `ravdess:DIR`, each once."""
    return tuple(dict.fromkeys(spec.partition(":")[0] for spec in specs))


def licence_of(specs: Iterable[str]) -> str:
    """What weights trained on these corpora may be used under: each corpus's own terms, each once."""
    return "; ".join(dict.fromkeys(corpora.CORPORA[name].licence for name in names_of(specs)))


def attribution_of(specs: Iterable[str]) -> tuple[str, ...]:
    """Whom such weights must name: each corpus's citation, each once, but for a user's own recordings."""
    citations = (corpora.CORPORA[name].citation for name in names_of(specs))
    return tuple(dict.fromkeys(citation for citation in citations if citation))


def _training_info(info: RunInfo, outcome: Outcome) -> TrainingInfo:
    return TrainingInfo(
        corpora=names_of(info.corpora),
        clips=outcome.trained_on.clips,
        speakers=outcome.trained_on.speakers,
        protocol=info.protocol,
        seed=info.seed,
        recipe=info.recipe.name,
        recipe_sha256=info.recipe.sha256,
        parameters=outcome.parameters,
        duration_p05_s=outcome.trained_on.duration_p05_s,
        duration_median_s=outcome.trained_on.duration_median_s,
        commit=str(info.made.get("commit", "")),
        date=str(info.made.get("date", "")),
    )
