"""What a training writes into its run folder, epoch by epoch."""

from __future__ import annotations

from vocemo.lab import checkpoint
from vocemo.lab.run import RunFolder
from vocemo.lab.training_state import Step, TrainingState


class WriteEpochs:
    """Writes the epoch's figures and weights; a kill at any moment loses at most the epoch under way.

    The best weights are written before the state that knows of them: killed in between, a resumed run
    trains the same epoch again and writes the same weights over them.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder

    def on_batch(self, step: Step) -> None:
        """Nothing is written within an epoch."""

    def on_epoch(self, state: TrainingState) -> None:
        """Best weights, then the state, then the figures."""
        if state.is_best:
            checkpoint.save_weights(state.answering, self._folder.weights)
        checkpoint.save_state(state, self._folder.state)
        self._folder.write_history(state.history)
