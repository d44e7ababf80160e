"""The graph of a bundle: samples in, calibrated probabilities out."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from vocemo.lab.mahalanobis import Gaussians
from vocemo.lab.network import Network


class Distance(nn.Module):
    """How far clips lie from those of training, as `mahalanobis.Gaussians.distance` says of their summaries.

    Shape: (batch, D) -> (batch,).
    """

    means: Tensor
    scales: Tensor
    directions: Tensor
    precisions: Tensor
    rest: Tensor
    reach: Tensor

    def __init__(self, gaussians: Gaussians) -> None:
        super().__init__()
        self.register_buffer("means", torch.from_numpy(gaussians.means.copy()))
        self.register_buffer("scales", torch.from_numpy(gaussians.scales.copy()))
        self.register_buffer("directions", torch.from_numpy(gaussians.directions.copy()))
        self.register_buffer("precisions", torch.from_numpy(gaussians.precisions.copy()))
        self.register_buffer("rest", torch.tensor(np.float32(gaussians.rest)))
        self.register_buffer("reach", torch.tensor(np.float32(gaussians.reach)))

    def forward(self, summary: Tensor) -> Tensor:
        """Summary (batch, D) -> distance (batch,)."""
        away = (summary[:, None, :] - self.means) / self.scales
        away = torch.minimum(torch.maximum(away, -self.reach), self.reach)
        along = torch.matmul(away, self.directions)
        outside = torch.relu(away.square().sum(dim=-1) - along.square().sum(dim=-1)) * self.rest
        squares = (along.square() * self.precisions).sum(dim=-1) + outside
        return torch.sqrt(squares.amin(dim=-1))


class BundleGraph(nn.Module):
    """A network in evaluation mode with its temperature.

    Gives probabilities (batch, emotions), softmax(logits / temperature) after Guo et al. 2017
    (arXiv:1706.04599, section 4.2), the logits themselves and the embedding (batch, D); where it is
    given what that takes, the distance (batch,); where the architecture has it, attention (batch, frames).
    """

    temperature: Tensor

    def __init__(
        self, network: Network, temperature: float = 1.0, gaussians: Gaussians | None = None
    ) -> None:
        super().__init__()
        self.network = network.eval()
        self.distance = None if gaussians is None else Distance(gaussians)
        self.register_buffer("temperature", torch.tensor(float(temperature)))

    def forward(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        """Samples (batch, N), lengths (batch,) -> probabilities, logits, embedding[, distance, attention]."""
        output, summary = self.network.summed_up(samples, lengths)
        probabilities = torch.softmax(output.logits / self.temperature, dim=-1)
        answers = [probabilities, output.logits, output.embedding]
        if self.distance is not None:
            answers.append(self.distance(summary))
        if output.attention is not None:
            answers.append(output.attention)
        return tuple(answers)
