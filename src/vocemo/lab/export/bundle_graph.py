"""The graph of a bundle: samples in, calibrated probabilities out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vocemo.lab.network import Network


class BundleGraph(nn.Module):
    """A network in evaluation mode with its temperature.

    Gives probabilities (batch, emotions), softmax(logits / temperature) after Guo et al. 2017
    (arXiv:1706.04599, section 4.2), the logits themselves and the embedding (batch, D); where the
    architecture has it, attention (batch, frames) as well.
    """

    temperature: Tensor

    def __init__(self, network: Network, temperature: float = 1.0) -> None:
        super().__init__()
        self.network = network.eval()
        self.register_buffer("temperature", torch.tensor(float(temperature)))

    def forward(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        """Samples (batch, N), lengths (batch,) -> probabilities, logits, embedding[, attention]."""
        output = self.network(samples, lengths)
        probabilities = torch.softmax(output.logits / self.temperature, dim=-1)
        answers = (probabilities, output.logits, output.embedding)
        return answers if output.attention is None else (*answers, output.attention)
