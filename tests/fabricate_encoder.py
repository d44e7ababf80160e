"""Encoders as they are published, with random weights: tiny ones of Transformers, and the small ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

POSITIONS = 60  # of the tiny Whisper, which hears 1.2 s at most

OF_SAMPLES: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": [8] * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
    "vocab_size": 8,
}
LAYER_NORM = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}


def save(kind: str, folder: Path, **changes: Any) -> Path:
    """A folder as `save_pretrained` writes it: wav2vec2, hubert, wavlm or whisper."""
    import transformers

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        if kind == "whisper":
            config = transformers.WhisperConfig(
                vocab_size=60,
                num_mel_bins=80,
                d_model=16,
                encoder_layers=2,
                encoder_attention_heads=2,
                decoder_layers=1,
                decoder_attention_heads=2,
                encoder_ffn_dim=32,
                decoder_ffn_dim=32,
                max_source_positions=POSITIONS,
                max_target_positions=20,
                pad_token_id=0,
                bos_token_id=1,
                eos_token_id=2,
                decoder_start_token_id=3,
            )
            model = transformers.WhisperModel(config)
        else:
            config = transformers.AutoConfig.for_model(kind, **{**OF_SAMPLES, **LAYER_NORM, **changes})
            model = transformers.AutoModel.from_config(config)
        for tensor in model.parameters():
            if tensor.requires_grad:
                with torch.no_grad():
                    tensor.add_(0.1 * torch.randn_like(tensor))
    model.save_pretrained(folder)
    assert (folder / "model.safetensors").is_file()
    return folder


def save_moonshine(path: Path, rank: int | None = None) -> Path:
    """A state dict of moonshine's encoder by the names of Transformers, perhaps in its narrower form."""
    import transformers

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        encoder = moonshine_of_transformers(transformers)
        for name, value in encoder.state_dict().items():
            value.add_(torch.randn_like(value), alpha=0.02 if name.endswith("weight") else 0.1)
    state = dict(encoder.state_dict())
    if rank is not None:
        left, sizes, right = torch.linalg.svd(state.pop("conv2.weight").flatten(1), full_matrices=False)
        state["conv2.narrow.weight"] = right[:rank].reshape(rank, 288, 7).clone()
        state["conv2.widen.weight"] = (left * sizes)[:, :rank, None].clone()
        state["conv2.widen.bias"] = state.pop("conv2.bias")
    torch.save(state, path)
    return path


def moonshine_of_transformers(transformers: Any) -> Any:
    """The library's own encoder, of Moonshine tiny's sizes."""
    config = transformers.MoonshineConfig()
    return transformers.models.moonshine.modeling_moonshine.MoonshineEncoder(config).eval()


def save_published(kind: str, path: Path) -> Path:
    """A state dict of efficientat-mn04, byol-s or ge2e as it is published, no two of its tensors alike."""
    from vocemo.lab.models.encoders import ENCODERS

    bands = {"efficientat-mn04": 128, "byol-s": 64, "ge2e": 40}[kind]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        encoder = ENCODERS[kind](channels=1, bands=bands)
        for name, value in encoder.state_dict().items():
            if name.endswith(("running_mean", "bias")):
                value.normal_(0, 0.1)
    state = {_published(name): value for name, value in encoder.state_dict().items()}
    torch.save({"step": 1, "model_state": state} if kind == "ge2e" else state, path)
    return path


def _published(name: str) -> str:
    """BYOL-S has one list of modules for all blocks, four in each; Resemblyzer one LSTM of three layers."""
    if name.startswith("lstms."):
        _, layer, rest = name.split(".")
        return f"lstm.{rest[: -len('_l0')]}_l{layer}"
    if not name.startswith("blocks."):
        return name
    _, block, module, rest = name.split(".")
    return f"features.{4 * int(block) + int(module)}.{rest}"
