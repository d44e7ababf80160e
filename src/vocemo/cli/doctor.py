"""`vocemo doctor`: what is installed and works, and which pip install brings the rest."""

from __future__ import annotations

import importlib
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass

import typer

from vocemo import __version__
from vocemo.bundle.quiet import without_notices
from vocemo.errors import MicrophoneError

# Each optional part: the modules that it stands on, and what it is for.
EXTRAS: dict[str, tuple[tuple[str, ...], str]] = {
    "plot": (("matplotlib",), "pictures of predictions"),
    "denoise": (("noisereduce",), "noise reduction in the preparation"),
    "media": (("av",), "m4a, mp4 and webm"),
    "mic": (("sounddevice",), "vocemo listen with a microphone"),
    "export": (("onnx", "onnxscript"), "writing bundles"),
    "tflite": (("ai_edge_litert", "litert_torch"), "running and writing .tflite files"),
    "encoders": (("transformers",), "wav2vec 2.0, HuBERT, WavLM and Whisper as encoders"),
    "tensorboard": (("tensorboard",), "training curves for TensorBoard"),
    "lab": (("torch", "audiomentations", "sklearn"), "training and evaluation"),
}


@dataclass(frozen=True)
class Check:
    """One part: whether it works, and what there is to say of it."""

    name: str
    works: bool
    remark: str


def doctor() -> None:
    """Say what is installed and works; exit 1 where something that every answer needs does not."""
    needed = [_try("model", _model), _try("audio", _audio)]
    print(f"vocemo {__version__}, Python {platform.python_version()}, {platform.platform()}")
    _show("Needed for every answer", needed)
    _show("Optional", [_extra(name) for name in EXTRAS])
    _show("Devices", [_try("ONNX Runtime", _providers), *_microphones(), *_torch_devices()])
    if not all(check.works for check in needed):
        raise typer.Exit(1)


def _show(title: str, checks: list[Check]) -> None:
    print(f"{title}:")
    for check in checks:
        print(f"  {'ok ' if check.works else 'no '} {check.name:<13} {check.remark}")


def _try(name: str, probe: Callable[[], str]) -> Check:
    """A check by doing: what the probe says, or why it failed."""
    try:
        return Check(name, True, probe())
    except Exception as error:  # whatever breaks in a library is what this verb is there to tell
        return Check(name, False, f"{type(error).__name__}: {' '.join(str(error).split())}")


def _model() -> str:
    """Answer a second of a made-up voice with the model inside the package."""
    import numpy as np

    from vocemo.runtime.predictor import load

    predictor = load(device="cpu")
    rate = predictor.info.preparation.sample_rate
    time_s = np.arange(rate) / rate
    voice = sum(np.sin(2 * np.pi * 140 * k * time_s) / k for k in range(1, 8)) * (0.05 + 0.05 * time_s)
    predictor.predict(np.asarray(voice, np.float32), rate)
    return f"{predictor.info.name} answers ({len(predictor.emotions)} emotions)"


def _audio() -> str:
    """Decode what was just encoded."""
    import io

    import numpy as np
    import soundfile

    from vocemo import audio

    for container in ("WAV", "FLAC", "OGG", "MP3"):
        file = io.BytesIO()
        soundfile.write(file, np.zeros(8_000, np.float32), 8_000, format=container)
        audio.decode(file.getvalue(), 16_000)
    return f"WAV, FLAC, OGG and MP3 decode (libsndfile {soundfile.__libsndfile_version__})"


def _extra(name: str) -> Check:
    modules, purpose = EXTRAS[name]
    versions, broken = [], []
    for module in modules:
        try:
            with without_notices(2):
                found = importlib.import_module(module)
            versions.append(f"{module} {getattr(found, '__version__', '')}".strip())
        except ModuleNotFoundError:
            return Check(name, False, f"{purpose}: pip install 'vocemo[{name}]'")
        except Exception as error:  # an installed library that does not import
            broken.append(f"{module} is installed but does not import: {' '.join(str(error).split())}")
    return Check(name, not broken, "; ".join(broken) or f"{purpose} ({', '.join(versions)})")


def _providers() -> str:
    import onnxruntime

    names = {"CPUExecutionProvider": "cpu", "CUDAExecutionProvider": "cuda"}
    usable = [names[each] for each in onnxruntime.get_available_providers() if each in names]
    return f"{onnxruntime.__version__} runs models on {', '.join(sorted(usable))}"


def _microphones() -> list[Check]:
    """What `vocemo listen` can hear, if the library for it is there."""
    if "sounddevice" not in sys.modules:
        return []
    from vocemo.runtime.microphone import microphones

    def names() -> str:
        found = microphones()
        if not found:
            raise MicrophoneError("none on this machine")
        return ", ".join(f"{each.name} (default)" if each.default else each.name for each in found)

    return [_try("microphone", names)]


def _torch_devices() -> list[Check]:
    """Where training can run, if torch is there (the optional parts were imported before)."""
    torch = sys.modules.get("torch")
    if torch is None:
        return []
    usable = ["cpu"]
    if torch.cuda.is_available():
        usable.append("cuda")
    if torch.backends.mps.is_available():
        usable.append("mps")
    return [Check("torch", True, f"{torch.__version__} trains on {', '.join(usable)}")]
