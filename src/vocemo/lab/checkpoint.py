"""Training states on disk: written whole or not at all, read without running a pickle's code."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import torch

from vocemo.errors import RunError
from vocemo.lab.history import EpochRecord
from vocemo.lab.network import Network
from vocemo.lab.training_state import TrainingState


def save_state(state: TrainingState, path: Path) -> None:
    """Write all that training needs to go on."""
    saved = {
        "network": state.network.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "history": [record.to_dict() for record in state.history],
    }
    if state.average is not None:
        saved["average"] = {"network": state.average.network.state_dict(), "steps": state.average.steps}
    _save(saved, path)


def restore_state(state: TrainingState, path: Path, device: torch.device) -> None:
    """Put a saved state into one made from the same recipe. Raises RunError where they do not fit."""
    saved = _load(path, device)
    try:
        state.network.load_state_dict(saved["network"])
        state.optimizer.load_state_dict(saved["optimizer"])
        state.history = tuple(EpochRecord(**record) for record in saved["history"])
        if state.average is not None:
            state.average.network.load_state_dict(saved["average"]["network"])
            state.average.steps = int(saved["average"]["steps"])
    except (KeyError, TypeError, RuntimeError, ValueError) as error:
        raise RunError(f"{path} is no state of this recipe: {error}") from error


def save_weights(network: Network, path: Path) -> None:
    """Write the network's weights and fitted statistics alone."""
    _save(network.state_dict(), path)


def load_weights(network: Network, path: Path, device: torch.device) -> None:
    """Read weights that `save_weights` wrote. Raises RunError where they do not fit the network."""
    weights = _load(path, device)
    try:
        network.load_state_dict(weights)
    except (TypeError, AttributeError, RuntimeError) as error:
        raise RunError(f"{path} does not fit the recipe's network: {error}") from error


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file whole or not at all."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def _save(value: Any, path: Path) -> None:
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        torch.save(value, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _load(path: Path, device: torch.device) -> Any:
    if not path.is_file():
        raise RunError(f"no weights at {path}")
    try:
        return torch.load(path, map_location=device, weights_only=True)
    except (RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise RunError(f"{path} cannot be read: {error}") from error
