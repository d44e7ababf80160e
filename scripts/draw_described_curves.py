"""Draw a described system's training curves beside those that its project reports.

    python scripts/draw_described_curves.py RUN

RUN is a run folder of a recipe in docs/results/described/curves.json. Its epochs go to docs/results/curves,
and the picture, with the learning rate, to docs/pictures, both under RECIPE-PROTOCOL.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

from vocemo.lab.history import best
from vocemo.lab.report.described_curves import described_figure, read_curves
from vocemo.lab.report.figures import save
from vocemo.lab.run import RunFolder
from vocemo.lab.splits import PROTOCOLS

DOCS = Path(__file__).resolve().parents[1] / "docs"


def main(arguments: Sequence[str] | None = None, docs: Path = DOCS) -> None:
    """Keep the epochs and draw them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, help="a run folder, under way or complete")
    run = RunFolder(parser.parse_args(arguments).run)
    info, history = run.info(), run.history()
    recipe = info.recipe.name
    reported = read_curves(docs / "results" / "described" / "curves.json", recipe)
    name = f"{recipe}-{info.protocol}"
    kept = docs / "results" / "curves" / f"{name}.jsonl"
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(run.metrics, kept)
    figure = described_figure(
        history,
        reported,
        title=recipe,
        protocol=info.protocol,
        leaky=PROTOCOLS[info.protocol].leaky,
        best_epoch=best(history, info.recipe.training).epoch,
    )
    picture = save(figure, docs / "pictures" / f"{name}.png")
    print(f"Wrote {kept} and {picture}")


if __name__ == "__main__":
    main()
