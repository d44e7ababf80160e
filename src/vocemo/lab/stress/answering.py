"""A run's network on the way that answers go: the predictor of a bundle, without the file."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from vocemo.bundle import Bundle, BundleInfo, TrainingInfo
from vocemo.bundle.engine import OUTPUTS
from vocemo.lab import checkpoint, network
from vocemo.lab.export.bundle_graph import BundleGraph
from vocemo.lab.run import RunFolder
from vocemo.runtime.predictor import Predictor


class NetworkEngine:
    """A PyTorch network where a bundle has its graph."""

    def __init__(self, graph: BundleGraph, device: torch.device) -> None:
        self._graph, self._device = graph.to(device).eval(), device

    @property
    def device(self) -> str:
        """Where the network runs."""
        return self._device.type

    @property
    def clip_samples(self) -> int | None:
        """It takes batches."""
        return None

    @property
    def description(self) -> str | None:
        """There is no file to carry one."""
        return None

    def check(self, info: BundleInfo) -> None:
        """Nothing to check: both come from one run."""

    def run(
        self, samples: NDArray[np.float32], lengths: NDArray[np.int64]
    ) -> Mapping[str, NDArray[np.float32]]:
        """The outputs by name, for samples (batch, N) and lengths (batch,)."""
        with torch.inference_mode():
            given = (torch.from_numpy(samples).to(self._device), torch.from_numpy(lengths).to(self._device))
            outputs = self._graph(*given)
        names = (*OUTPUTS, "attention")[: len(outputs)]
        return {name: each.cpu().numpy() for name, each in zip(names, outputs, strict=True)}


def predictor_of(folder: RunFolder, device: torch.device) -> Predictor:
    """A predictor that answers as the run's exported bundle would, to the float32 of its sums.

    Raises UsageError where there is no run, RunError where it is not complete.
    """
    info, outcome = folder.info(), folder.outcome()
    trained = network.build(info.recipe, info.seed)
    checkpoint.load_weights(trained, folder.weights, torch.device("cpu"))
    description = BundleInfo(
        name=info.recipe.name,
        emotions=info.recipe.emotions,
        relabel=info.recipe.relabel,
        preparation=info.recipe.preparation,
        temperature=outcome.temperature,
        training=TrainingInfo(
            corpora=tuple(dict.fromkeys(spec.partition(":")[0] for spec in info.corpora)),
            protocol=info.protocol,
            seed=info.seed,
            fold=info.fold,
            duration_p05_s=outcome.trained_on.duration_p05_s,
        ),
    )
    engine = NetworkEngine(BundleGraph(trained, outcome.temperature), device)
    return Predictor(Bundle(folder.weights, description, engine))
