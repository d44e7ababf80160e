"""A sound library in the shape of python-sounddevice 0.5, for machines without a sound card.

It has what vocemo calls: query_devices, InputStream, PortAudioError. `InputStream.opened` is the stream
that was opened last, whose `say` calls back as PortAudio does.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest


class PortAudioError(Exception):
    """What a driver refuses."""


def install(monkeypatch: pytest.MonkeyPatch, devices: Sequence[dict[str, Any]], default: int = -1) -> Any:
    """Let `import sounddevice` give the fake; gives it."""
    fake = types.ModuleType("sounddevice")

    def query_devices(device: Any = None, kind: str | None = None) -> Any:
        if kind is None:
            return tuple(devices)
        if default < 0:
            raise PortAudioError("Error querying device -1")
        return devices[default] | {"index": default}

    class InputStream:
        opened: Any = None
        refuses = False

        def __init__(self, *, callback: Callable[..., None], **options: Any) -> None:
            if InputStream.refuses:
                raise PortAudioError("Invalid number of channels [PaErrorCode -9998]")
            self.options, self.callback = options, callback
            self.started = self.closed = False
            InputStream.opened = self

        def start(self) -> None:
            self.started = True

        def close(self) -> None:
            self.closed = True

        def say(self, samples: np.ndarray, *, late_s: float | None = 0.0, overflow: bool = False) -> None:
            """Call back with (frames, channels), whose last frame was heard so long ago."""
            block_s = len(samples) / self.options["samplerate"]
            adc = 0.0 if late_s is None else 5.0 - late_s - block_s
            times = types.SimpleNamespace(inputBufferAdcTime=adc, currentTime=5.0)
            lent = samples.copy()
            self.callback(lent, len(lent), times, types.SimpleNamespace(input_overflow=overflow))
            lent[:] = np.nan  # PortAudio's memory, after the call: nobody may have kept it

    fake.query_devices, fake.InputStream, fake.PortAudioError = query_devices, InputStream, PortAudioError
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    return fake


def device(name: str, inputs: int, rate: float = 44_100.0) -> dict[str, Any]:
    """A device, as the library describes it."""
    return {"name": name, "max_input_channels": inputs, "max_output_channels": 2, "default_samplerate": rate}
