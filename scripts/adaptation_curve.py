"""What an adaptation gains by the number of clips, on speakers of corpora that the model has never heard.

For each speaker, k clips of that speaker, or of the corpus's other speakers, are drawn by emotion in turn;
the speaker's other clips are tested, over the emotions that model and corpus share. `--chosen-on` names
speakers that the adaptation's options were chosen on: they are left out.

    python scripts/adaptation_curve.py dual-channel-cnn --init default --corpus aesdd:DATA/aesdd \\
        --corpus emodb:DATA/emodb --chosen-on aesdd/1,emodb/03,emodb/08,emodb/09,emodb/10 --tried 12 \\
        --out docs/results/adaptation/dual-channel-cnn.json --picture docs/pictures/adaptation.png
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

import torch

from vocemo.lab import adaptation, adaptation_curve, checkpoint, initial, provenance
from vocemo.lab import recipe as recipes
from vocemo.lab.corpora import read
from vocemo.lab.experiment import waveforms_for
from vocemo.lab.recipe import Recipe
from vocemo.lab.report.adaptation_figure import adaptation_figure
from vocemo.lab.report.figures import save


def main() -> None:
    """Measure corpus by corpus, write the figures after each, and draw them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe")
    parser.add_argument("--init", required=True, help="a run's folder, a bundle, or default")
    parser.add_argument("--corpus", action="append", required=True, metavar="NAME:DIR")
    parser.add_argument("--clips", type=int, nargs="+", default=[5, 20, 50])
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="settings")
    parser.add_argument("--chosen-on", default="", help="speakers to leave out, with commas between them")
    parser.add_argument("--tried", type=int, help="how many settings the choice was made among")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    chosen_on = [name for name in options.chosen_on.split(",") if name]
    recipe = adaptation.applied(recipes.load(options.recipe, options.settings), options.settings)
    begun, recipe = initial.take(options.init, recipe, options.settings)
    found: dict[str, Any] = {
        "recipe": recipe.name,
        "initial": {
            "name": begun.info.name,
            "sha256": begun.info.sha256,
            "corpora": list(begun.info.corpora),
        },
        "options": dataclasses.asdict(recipe.adaptation) | {"learning_rate": recipe.training.learning_rate},
        "chosen_on": chosen_on,
        "tried": options.tried,
        "draws": options.draws,
        "seed": options.seed,
        "corpora": [],
        **provenance.stamp(),
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    for spec in options.corpus:
        found["corpora"].append(_of_corpus(spec, begun, recipe, chosen_on, options))
        checkpoint.write_json(options.out, found)
    if options.picture:
        options.picture.parent.mkdir(parents=True, exist_ok=True)
        save(adaptation_figure(found), options.picture)


def _of_corpus(
    spec: str, begun: initial.Initial, recipe: Recipe, chosen_on: list[str], options: argparse.Namespace
) -> dict[str, Any]:
    manifest, emotions = adaptation_curve.shared(read(spec), begun.info.emotions)
    voices = [speaker for speaker in manifest.speakers if speaker not in chosen_on]
    adaptation_curve.audit(manifest, voices, begun)
    mine = adaptation_curve.for_emotions(recipe, emotions)
    waveforms, device = waveforms_for(mine), torch.device("cpu")
    measured = []
    for draw in adaptation_curve.draws(manifest, voices, options.clips, options.draws, options.seed):
        done = adaptation_curve.measure(
            draw, begun, mine, waveforms, seed=options.seed + draw.number, device=device
        )
        measured.append(done)
        print(
            f"{draw.speaker}: {draw.clips} clips, {draw.whose}, draw {draw.number}: "
            f"UAR {done.uar_before:.1%} -> {done.uar:.1%} on {len(draw.tested)}",
            flush=True,
        )
    return {
        "corpus": spec.partition(":")[0],
        "emotions": list(emotions),
        "speakers": voices,
        "least_tested": adaptation_curve.LEAST_TESTED,
        "rows": adaptation_curve.summary(measured),
    }


if __name__ == "__main__":
    main()
