"""An average of a network's weights over the steps of its training, newer ones counting more.

What descent circles around is often better than where it stands.

Source: Polyak & Juditsky (1992), "Acceleration of Stochastic Approximation by Averaging"; with weights that
fall off exponentially, and from the first step on, as TensorFlow's ExponentialMovingAverage has them.
"""

from __future__ import annotations

import copy

import torch

from vocemo.lab.network import Network


class WeightAverage:
    """A network whose weights are the average of another's.

    decay: the share that the average keeps of itself at each step, once many were taken. Early on it is
        (1 + steps) / (10 + steps) where that is less, so that random first weights are soon forgotten.
    """

    def __init__(self, network: Network, decay: float) -> None:
        self.decay, self.steps = decay, 0
        self.network = copy.deepcopy(network).requires_grad_(False).eval()

    @torch.no_grad()
    def update(self, network: Network) -> None:
        """Take in the weights after a step, and the moving statistics that go with them."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        now = network.state_dict()
        for name, own in self.network.state_dict().items():
            if own.is_floating_point():
                own.lerp_(now[name], 1 - decay)
            else:
                own.copy_(now[name])
