"""The first layers of a small transformer that was taught to write down what is said.

Three convolutions over the samples themselves, then layers of self-attention with rotary positions, 41.7
frames a second. Its last layers know words and little else; what the second and third hold tells how they are
said, and more of emotions than any other small encoder that was measured here (docs/encoders.md).

Jeffries, King, Kudlur, Nicholson, Wang & Warden (2024), "Moonshine: Speech Recognition for Live Transcription
and Voice Commands", section 3. Su et al. (2021), "RoFormer", equation 34. Vaswani et al. (2017), section 3.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from vocemo.errors import UsageError
from vocemo.lab.models.encoders.encoder import ENCODERS, Credit, StagedEncoder, States
from vocemo.lab.models.encoders.partway import Partway
from vocemo.lab.models.encoders.state_dict import load_published
from vocemo.lab.models.masking import frame_mask, means_over

WIDTH, HEADS, INSIDE = 288, 8, 4 * 288
LAYERS = 6
OF_A_HEAD = WIDTH // HEADS
TURNED = 32  # numbers of a head that its position turns; the others know none
SLOWEST = 10_000.0  # RoFormer's base
CONVOLUTIONS = (
    (1, WIDTH, 127, 64),
    (WIDTH, 2 * WIDTH, 7, 3),
    (2 * WIDTH, WIDTH, 3, 2),
)  # in, out, kernel, stride
LEAST = 127 + 64 * (7 - 1 + 3 * (3 - 1))  # samples that one frame is made of, 56 ms
BLOCK = 160  # samples that may stand one above the other, as many as pictures have a frame of
FRAME = 2  # frames of the layers to one of the states, 48 ms


@ENCODERS.register("moonshine")
class Moonshine(StagedEncoder):
    """Moonshine tiny's encoder behind the front end `waveform`, unnormalised: (batch, 1, 1, N), 16 kHz, or as
    many samples in blocks, (batch, 1, 160, N / 160).

    Its one state is what the first `depth` layers add up to, means over 48 ms, and beside it what the layer
    before adds up to and so on, `states` in all, 288 numbers each. A layer hears the whole clip.
    `rank` narrows the second convolution, the largest part, to so many numbers before it widens again; the
    weights are then those of a file made for it. `dropout` is the share of what a layer adds that is dropped
    in training.
    """

    layers = 1
    weights_expected: ClassVar[str] = (
        "what scripts/moonshine_weights.py writes of the package moonshine-voice 0.0.49"
    )

    def __init__(
        self,
        *,
        channels: int,
        bands: int,
        depth: int = LAYERS,
        states: int = 1,
        rank: int | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if channels != 1 or bands not in (1, BLOCK):
            raise UsageError(
                f"encoder moonshine takes 1 channel of samples, one by one or {BLOCK} a frame, "
                f"not {channels} of {bands}: set front_end.name=waveform and front_end.normalise=false"
            )
        if not 1 <= depth <= LAYERS:
            raise UsageError(f"model.encoder_depth is {depth}; valid of encoder moonshine: 1 to {LAYERS}")
        if not 1 <= states <= depth:
            raise UsageError(f"model.encoder_states is {states}; valid of {depth} layers: 1 to {depth}")
        if rank is not None and not 1 <= rank <= WIDTH:
            raise UsageError(f"model.encoder_rank is {rank}; valid of encoder moonshine: 1 to {WIDTH}")
        self.width, self.rank, self._block = states * WIDTH, rank, bands
        self.parts = nn.ModuleList(
            [_First(), _Convolution(*CONVOLUTIONS[1], rank=rank), _Convolution(*CONVOLUTIONS[2])]
            + [_Layer(dropout) for _ in range(depth)]
        )
        self._told = range(
            len(self.parts) - states, len(self.parts) - 1
        )  # whose states stand before the last's

    def first(self, features: Tensor, lengths: Tensor, stages: int) -> Partway:
        """What the first so many parts, convolutions and layers, make of samples: (batch, 288 or 576, .)."""
        own = frame_mask(lengths, features.shape[-1])[:, None]
        samples = features[:, 0] * own
        if self._block > 1:
            samples, lengths = samples.transpose(1, 2).flatten(1).unsqueeze(1), lengths * self._block
        # A clip of less than one frame has one; silence behind it, in any batch.
        samples = functional.pad(samples, (0, LEAST - 1))
        return self._through(Partway(samples, lengths.clamp(min=LEAST)), 0, stages)

    def rest(self, partway: Partway, stages: int) -> States:
        """States, from what the first so many parts made."""
        x, frames, states = self._through(partway, stages, len(self.parts))
        return States(torch.cat([*(earlier for earlier, _ in states), x], dim=1).unsqueeze(1), frames)

    def _through(self, partway: Partway, start: int, stop: int) -> Partway:
        """Behind the parts from start to stop: (batch, numbers, frames)."""
        x, frames, states = partway
        for number in range(start, stop):
            x, frames = self.parts[number](x, frames)
            if number in self._told:
                states = (*states, means_over(x, frames, FRAME))
        if start < stop == len(self.parts):
            x, frames = means_over(x, frames, FRAME)
        return Partway(x, frames, states)

    def give_up(self, stages: int) -> None:
        """Keep no weights of the first so many parts."""
        for number in range(min(stages, len(self.parts))):
            self.parts[number] = nn.Identity()

    def stages(self) -> Sequence[nn.Module]:
        """The convolutions and the layers."""
        return tuple(self.parts)

    def load(self, path: Path) -> None:
        """Read the state dict."""
        kept = set(self.state_dict())

        def own(published: str) -> str | None:
            name = _name(published)
            return name if name in kept else None

        load_published(self, path, self.weights_expected, own)

    def credit(self, path: Path) -> Credit:
        """That of the published weights, whatever the file is called."""
        return Credit(
            "MIT for the encoder that it was made from (Moonshine)",
            "Moonshine tiny, copyright (c) 2025 Moonshine AI, MIT licence; N. Jeffries et al., Moonshine: "
            "Speech Recognition for Live Transcription and Voice Commands, 2024",
        )


class _Convolution(nn.Module):
    """One of the convolutions, rectified smoothly. It looks at whole stretches of a clip's own alone.

    Of some `rank` it makes so many numbers of a stretch, and of them all that it is to make.
    """

    def __init__(
        self, given: int, made: int, kernel: int, stride: int, *, bias: bool = True, rank: int | None = None
    ) -> None:
        super().__init__()
        self.convolution: nn.Module
        if rank is None:
            self.convolution = nn.Conv1d(given, made, kernel, stride, bias=bias)
        else:
            narrow = nn.Conv1d(given, rank, kernel, stride, bias=False)
            self.convolution = nn.Sequential(narrow, nn.Conv1d(rank, made, 1, bias=bias))
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Values (batch, ., T) and a clip's own of them -> the same."""
        fewer = torch.div(frames - self.kernel, self.stride, rounding_mode="floor") + 1
        return self.shaped(self.convolution(x), fewer), fewer

    def shaped(self, x: Tensor, frames: Tensor) -> Tensor:
        return functional.gelu(x)


class _First(_Convolution):
    """The convolution over samples, limited, and normalised over all of a clip's own numbers at once."""

    def __init__(self) -> None:
        super().__init__(*CONVOLUTIONS[0], bias=False)
        self.norm = ClipNorm(1, WIDTH)

    def shaped(self, x: Tensor, frames: Tensor) -> Tensor:
        normalised: Tensor = self.norm(x.tanh(), frames)
        return normalised


class ClipNorm(nn.GroupNorm):
    """A normalisation of one group, (batch, channels, T), that knows a clip's own frames from its padding.

    Wu & He (2018), "Group Normalization", equations 1 and 2.
    """

    def forward(self, x: Tensor, frames: Tensor) -> Tensor:  # type: ignore[override]
        """Values and a clip's own frames, (batch,) -> values."""
        own = frame_mask(frames, x.shape[2])[:, None]
        count = frames[:, None, None] * x.shape[1]
        mean = (x * own).sum((1, 2), keepdim=True) / count
        variance = ((x - mean) * own).square().sum((1, 2), keepdim=True) / count
        return (x - mean) * (variance + self.eps).rsqrt() * self.weight[:, None] + self.bias[:, None]


class _Layer(nn.Module):
    """Self-attention over a clip's own frames, then two dense layers over each; both add to what came."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.before_attention = nn.LayerNorm(WIDTH, bias=False)
        self.query, self.key, self.value, self.out = (nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(4))
        self.before_dense = nn.LayerNorm(WIDTH, bias=False)
        self.dense = nn.Sequential(nn.Linear(WIDTH, INSIDE), nn.GELU(), nn.Linear(INSIDE, WIDTH))
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
        """States (batch, 288, T) and a clip's own frames -> the same."""
        states = x.transpose(1, 2)
        heard = self.before_attention(states)
        query, key, value = (
            layer(heard).reshape(*heard.shape[:2], HEADS, OF_A_HEAD).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        own = frame_mask(frames, x.shape[2])[:, None, None, :] > 0
        attended = functional.scaled_dot_product_attention(_turned(query), _turned(key), value, attn_mask=own)
        states = states + self.drop(self.out(attended.transpose(1, 2).flatten(2)))
        states = states + self.drop(self.dense(self.before_dense(states)))
        return states.transpose(1, 2), frames


def _turned(x: Tensor) -> Tensor:
    """The first numbers of each head turned by its frame's place, two and two: (batch, heads, T, 36)."""
    turned, still = x[..., :TURNED], x[..., TURNED:]
    places = torch.arange(x.shape[2], device=x.device, dtype=torch.float32)
    pace = SLOWEST ** (-torch.arange(0, TURNED, 2, device=x.device, dtype=torch.float32) / TURNED)
    angle = places[:, None] * pace
    one, other = turned[..., 0::2], turned[..., 1::2]
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    both = torch.stack((one * cos - other * sin, other * cos + one * sin), dim=-1)
    return torch.cat((both.flatten(-2), still), dim=-1)


_OF_A_LAYER = {
    "input_layernorm": "before_attention",
    "self_attn.q_proj": "query",
    "self_attn.k_proj": "key",
    "self_attn.v_proj": "value",
    "self_attn.o_proj": "out",
    "post_attention_layernorm": "before_dense",
    "mlp.fc1": "dense.0",
    "mlp.fc2": "dense.2",
}
_CONVOLUTIONS = {
    "conv1": "0.convolution",
    "groupnorm": "0.norm",
    "conv2": "1.convolution",
    "conv2.narrow": "1.convolution.0",
    "conv2.widen": "1.convolution.1",
    "conv3": "2.convolution",
}


def _name(published: str) -> str:
    """A tensor's name here: layers.1.mlp.fc1.bias -> parts.4.dense.0.bias."""
    module, _, kind = published.rpartition(".")
    if module in _CONVOLUTIONS:
        return f"parts.{_CONVOLUTIONS[module]}.{kind}"
    head, _, rest = module.partition(".")
    number, _, of_layer = rest.partition(".")
    if head != "layers" or of_layer not in _OF_A_LAYER:
        return published
    return f"parts.{len(CONVOLUTIONS) + int(number)}.{_OF_A_LAYER[of_layer]}.{kind}"
