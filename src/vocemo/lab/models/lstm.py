"""A long short-term memory that goes into an ONNX graph as the one node that it is."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vocemo.lab.models.masking import frame_mask


class Lstm(nn.LSTM):
    """One layer of `torch.nn.LSTM` in one direction, batch first, from a state of zeros.

    Torch's exporter takes the layer for a loop, and reckons for minutes how many frames come out of it.

    Shape: (batch, T, inside), own frames (batch,) -> (batch, T, state), zero past a clip's own frames.
    """

    def __init__(self, inside: int, state: int) -> None:
        super().__init__(inside, state, batch_first=True)

    def forward(self, x: Tensor, frames: Tensor) -> Tensor:  # type: ignore[override]
        """What the state is behind each frame."""
        if torch.onnx.is_in_onnx_export():
            return self._as_node(x, frames)
        states: Tensor = super().forward(x)[0]
        return states * frame_mask(frames, x.shape[1])[:, :, None]

    def _as_node(self, x: Tensor, frames: Tensor) -> Tensor:
        """https://onnx.ai/onnx/operators/onnx__LSTM.html: time first; gates input, output, forget, cell."""
        batch, time, state = x.shape[0], x.shape[1], self.hidden_size
        into, onto, biases = (
            torch.cat([self._gates(getattr(self, f"{kind}_l0")) for kind in kinds])[None]
            for kinds in (("weight_ih",), ("weight_hh",), ("bias_ih", "bias_hh"))
        )
        made, _, _ = torch.onnx.ops.symbolic_multi_out(
            "LSTM",
            (x.transpose(0, 1), into, onto, biases, frames.int()),
            {"hidden_size": state},
            dtypes=[x.dtype] * 3,
            shapes=[[time, 1, batch, state], [1, batch, state], [1, batch, state]],
        )
        return made[:, 0].transpose(0, 1)

    @staticmethod
    def _gates(torchs: Tensor) -> Tensor:
        """Rows of torch's gates (input, forget, cell, output) as ONNX has them."""
        i, f, c, o = torchs.chunk(4)
        return torch.cat([i, o, f, c])
