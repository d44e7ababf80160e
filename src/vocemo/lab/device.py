"""Where tensors live."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

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


CUBLAS_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"


@contextmanager
def deterministic(device: torch.device, *, wanted: bool = True) -> Iterator[None]:
    """Let torch use no algorithm whose outcome may differ from run to run; afterwards all is as it was.

    An operation that has no such algorithm raises RuntimeError, which names it.

    Raises UsageError on CUDA where the environment does not fix the size of cuBLAS's workspace:
    https://docs.nvidia.com/cuda/cublas/#results-reproducibility
    """
    if not wanted:
        yield
        return
    if device.type == "cuda" and os.environ.get(CUBLAS_WORKSPACE) not in (":4096:8", ":16:8"):
        raise UsageError(
            f"deterministic training on CUDA needs {CUBLAS_WORKSPACE}=:4096:8 (or :16:8) in the environment, "
            "set before the command starts"
        )
    before = torch.are_deterministic_algorithms_enabled()
    warned_only = torch.is_deterministic_algorithms_warn_only_enabled()
    tried_out = torch.backends.cudnn.benchmark  # whichever algorithm is fastest at the moment
    try:
        torch.use_deterministic_algorithms(True)
        torch.backends.cudnn.benchmark = False
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warned_only)
        torch.backends.cudnn.benchmark = tried_out
