"""Where tensors live."""

from __future__ import annotations

import torch

from vocemo.errors import UnknownNameError, UsageError

DEVICES = ("auto", "cpu", "cuda", "mps")


def choose(name: str = "auto") -> torch.device:
    """The named device; `auto` takes CUDA, then Apple's MPS, then the processor.

    Raises UnknownNameError for another name, UsageError for a device that this machine lacks.
    """
    if name not in DEVICES:
        raise UnknownNameError("device", name, DEVICES)
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next(candidate for candidate in ("cuda", "mps", "cpu") if present[candidate])
    if not present[name]:
        here = ", ".join(candidate for candidate, there in present.items() if there)
        raise UsageError(f"device '{name}' is not on this machine; here: {here}")
    return torch.device(name)


def describe(device: torch.device) -> str:
    """The device's name for people: `cpu`, or `cuda (NVIDIA H200)`."""
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    return device.type


def gains_by_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 in hardware: without it, autocast is many times slower."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        capabilities = torch.cpu.get_capabilities()
        return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return False
