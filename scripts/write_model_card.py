"""Write the model card of the model inside the package: docs/model-card.md.

python scripts/write_model_card.py RUN [BUNDLE [CARD]]

RUN is the run folder that the bundle was made of: it knows the time, the machine and the command.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from vocemo.bundle import packaged
from vocemo.lab.report import model_card

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Write the card."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("bundle", type=Path, nargs="?", default=packaged.place())
    parser.add_argument("card", type=Path, nargs="?", default=ROOT / "docs/model-card.md")
    given = parser.parse_args()
    model_card.write(given.bundle, given.card, given.run)
    print(f"Wrote {given.card}")


if __name__ == "__main__":
    main()
