"""Encoders of Hugging Face Transformers from a folder on this machine: wav2vec 2.0, HuBERT, WavLM, Whisper.

Nothing is downloaded, and no pickle is read: the folder holds config.json and weights as safetensors. The
library's own variation in training, time masks drawn by another generator than torch's and layers left out at
random, is off: a run depends on its seed alone.

A clip alone is the clip in a padded batch, with one exception: where config.json says feat_extract_norm
"group", as for wav2vec2-base and hubert-base, the first convolution is normalised over time, padding
included. Such encoders were trained so, and hear a little of the batch that they are in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from vocemo.errors import MissingExtraError, UnknownNameError, UsageError
from vocemo.lab.models.encoders.encoder import ENCODERS, Credit, Encoder, States
from vocemo.lab.models.masking import frame_mask

OF_SAMPLES = ("wav2vec2", "hubert", "wavlm")
KINDS = (*OF_SAMPLES, "whisper")
NEVER_USED = "masked_spec_embed"  # stands in for masked frames in training; some checkpoints leave it out

# Each draws from a generator that is not the run's.
UNVARIED = {"apply_spec_augment": False, "layerdrop": 0.0, "encoder_layerdrop": 0.0, "add_adapter": False}


@ENCODERS.register("transformers")
class LocalTransformers(Encoder):
    """The encoder that a config.json describes, with the states of all its layers, and the first's input.

    `config` is what config.json holds. wav2vec 2.0, HuBERT and WavLM stand behind the front end `waveform`,
    Whisper behind `whisper-mel`; of Whisper the decoder is left out, and a clip shorter than 30 s is not
    filled up: the encoder attends to its own frames alone.
    """

    weights_expected: ClassVar[str] = (
        "a folder with config.json and model.safetensors of a wav2vec2, hubert, wavlm or whisper model"
    )

    def __init__(self, *, channels: int, bands: int, config: Mapping[str, Any]) -> None:
        super().__init__()
        transformers = _transformers()
        self.kind = kind_of(config)
        values = {key: value for key, value in config.items() if key != "model_type"}
        self.config = transformers.AutoConfig.for_model(self.kind, **{**values, **UNVARIED})
        wanted = (1, self.config.num_mel_bins if self.kind == "whisper" else 1)
        if (channels, bands) != wanted:
            front_end = "whisper-mel" if self.kind == "whisper" else "waveform"
            raise UsageError(
                f"a {self.kind} encoder takes 1 channel, here of {wanted[1]} band(s), not {channels} of "
                f"{bands}: set front_end.name={front_end}"
                + (f" and front_end.bands={wanted[1]}" if self.kind == "whisper" else "")
            )
        if self.kind == "whisper":
            whisper = transformers.models.whisper.modeling_whisper.WhisperEncoder
            self.encoder: nn.Module = whisper._from_config(self.config, attn_implementation="sdpa")
            self.layers, self.width = self.config.encoder_layers + 1, self.config.d_model
        else:
            self.encoder = transformers.AutoModel.from_config(self.config)
            self.layers, self.width = self.config.num_hidden_layers + 1, self.config.hidden_size

    def forward(self, features: Tensor, lengths: Tensor) -> States:
        """Features (batch, 1, bands, T), valid frames (batch,) -> States of every layer."""
        of = self._of_mel if self.kind == "whisper" else self._of_samples
        return of(features, lengths)

    def _of_samples(self, features: Tensor, lengths: Tensor) -> States:
        samples = features[:, 0, 0]
        attended = frame_mask(lengths, samples.shape[1]).long()
        states = self.encoder(samples, attention_mask=attended, output_hidden_states=True).hidden_states
        # torch's stubs take whatever a module has for a tensor or a module.
        frames = self.encoder._get_feat_extract_output_lengths(lengths).clamp(min=1)  # type: ignore[operator]
        return States(torch.stack(states, dim=1).transpose(2, 3), frames)

    def _of_mel(self, features: Tensor, lengths: Tensor) -> States:
        encoder: Any = self.encoder
        frames, longest = features.shape[-1], 2 * self.config.max_source_positions
        if frames > longest:
            raise UsageError(
                f"a clip of {frames / 100:g} s; Whisper hears at most {longest / 100:g} s: "
                f"set preparation.max_length_s={longest // 100} or less"
            )
        mask = frame_mask(lengths, frames)[:, None, :]
        x = functional.gelu(encoder.conv1(features[:, 0] * mask))
        x = functional.gelu(encoder.conv2(x * mask)).transpose(1, 2)
        own = mask[:, 0, ::2]  # (batch, frames)
        x = x + encoder.embed_positions.weight[: x.shape[1]]
        x = functional.dropout(x, encoder.dropout, encoder.training)
        attended = own[:, None, None, :].expand(-1, -1, x.shape[1], -1) > 0
        states = [x]
        for layer in encoder.layers:
            x = layer(x, attended)
            states.append(x)
        states[-1] = encoder.layer_norm(x)
        return States(torch.stack(states, dim=1).transpose(2, 3), own.sum(1).long())

    def load(self, path: Path) -> None:
        """Read the safetensors of the folder."""
        transformers = _transformers()
        _check_folder(path)
        if not any(path.glob("*.safetensors")):
            raise UsageError(
                f"{path} has no weights as safetensors; others are not read, since a pickle can run code; "
                f"expected: {self.weights_expected}"
            )
        loader = transformers.WhisperModel if self.kind == "whisper" else transformers.AutoModel
        try:
            whole, told = loader.from_pretrained(
                path,
                config=self.config,
                local_files_only=True,
                use_safetensors=True,
                output_loading_info=True,
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise UsageError(f"{path} cannot be read as {self.weights_expected}: {error}") from error
        encoder = whole.encoder if self.kind == "whisper" else whole
        prefix = "encoder." if self.kind == "whisper" else ""
        missing = [
            name for name in told["missing_keys"] if name.startswith(prefix) and not name.endswith(NEVER_USED)
        ]
        if missing:
            raise UsageError(f"{path} lacks weights that its config.json promises: {missing[0]}")
        self.encoder.load_state_dict(encoder.state_dict())

    def credit(self, path: Path) -> Credit:
        """The folder's name: what its model card says of licence and citation is for its user to add."""
        return Credit(
            f"the licence of the encoder {path.name} ({self.kind}), as its model card says",
            f"Encoder {path.name} ({self.kind}); its model card names its makers",
        )

    @classmethod
    def described(cls, config: Mapping[str, Any] | None, weights: Path | None) -> Mapping[str, Any]:
        """What config.json holds. Raises UsageError where there is none."""
        if config is not None:
            return {"config": config}
        if weights is None:
            raise UsageError(
                "encoder transformers is what its folder says: set model.weights=PATH, "
                + cls.weights_expected
            )
        _check_folder(weights)
        try:
            read = json.loads((weights / "config.json").read_text(encoding="utf-8"))
            kind_of(read)
        except (ValueError, AttributeError) as error:
            if isinstance(error, UnknownNameError):
                raise
            raise UsageError(f"{weights / 'config.json'} describes no encoder: {error}") from error
        # Keys with an underscore say where it was saved, and with what.
        return {"config": {key: value for key, value in read.items() if not key.startswith("_")}}


def kind_of(config: Mapping[str, Any]) -> str:
    """Which of the known encoders a config.json describes. Raises UnknownNameError for another."""
    kind = str(config.get("model_type", ""))
    if kind not in KINDS:
        raise UnknownNameError("model_type of config.json", kind, KINDS)
    return kind


def _check_folder(path: Path) -> None:
    if not (path / "config.json").is_file():
        raise UsageError(
            f"no encoder at {path}; expected: {LocalTransformers.weights_expected}. Nothing is downloaded: "
            "fetch it beforehand, such as with `hf download MODEL --local-dir DIR`"
        )


def _transformers() -> ModuleType:
    try:
        import transformers
    except ImportError:
        raise MissingExtraError("encoder transformers", "encoders") from None
    module: ModuleType = transformers
    return module
