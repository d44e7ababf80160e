"""Draw what `vocemo listen` shows on a terminal: docs/pictures/listening.svg, from the spoken samples.

python scripts/draw_listening.py
"""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
from rich.console import Console

from vocemo import audio
from vocemo.cli.live_view import LiveView
from vocemo.runtime.live import CHUNK_S, Chunk, Listening
from vocemo.runtime.predictor import load

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "pictures" / "listening.svg"
VOICES = ("calm", "happy", "angry", "surprised", "sad", "neutral", "fearful", "happy")
WIDTH = 84  # characters


class _Terminal(io.StringIO):
    """Something that a view can be drawn on, and nobody sees."""

    def isatty(self) -> bool:
        return True


def main() -> None:
    """Let a stream hear the samples and draw the view in the midst of the last."""
    predictor = load(threads=1)
    rate = predictor.info.preparation.sample_rate
    pause = np.zeros(rate // 2, np.float32)
    parts = [audio.decode(ROOT / "samples" / f"synthetic-{name}.flac", rate).samples for name in VOICES]
    heard = np.concatenate([each for part in parts for each in (part, pause)])[: -round(1.3 * rate)]
    listening = Listening(predictor.stream(rate), rate, clock=lambda: 0.0)
    view = LiveView(_Terminal(), listening, f"Listening to spoken samples, model {predictor.info.name}")
    size = round(CHUNK_S * rate)
    for place in range(0, len(heard), size):
        moment = listening.hear(Chunk(heard[place : place + size], 0.0))
        view.show(moment, now_s=place / rate)
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(view.picture(moment))
    drawn = console.export_svg(title="vocemo listen", unique_id="listening")
    # A page that is read offline asks nobody for a typeface.
    OUT.write_text(re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL), encoding="utf-8")
    print(f"wrote {OUT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
