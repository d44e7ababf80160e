"""How well timelines tell which emotion when, on recordings stitched from clips of unseen speakers.

    python scripts/measure_timeline.py CROSSVAL_DIR --corpus ravdess:DATA/ravdess \\
        --out docs/results/timeline/NAME.json

Every fold's own model is exported and hears recordings of its validation speakers, then others of its test
speakers, none of whom it was trained on. Windows, hops and smoothing are ranked on the validation ones. Each
fold's test is heard with what its own validation ranked first, beside what all folds together ranked first,
which is the default to be, with and without its smoothing.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vocemo import audio
from vocemo.lab import experiment, provenance
from vocemo.lab.checkpoint import write_json
from vocemo.lab.corpora import Clip, read
from vocemo.lab.evaluate.stitched import Stitched, TimelineScores, scored, stitched
from vocemo.lab.export.run import export_run
from vocemo.lab.run import RunFolder
from vocemo.lab.splits import folds
from vocemo.runtime.hearing import listened
from vocemo.runtime.predictor import Predictor, load
from vocemo.runtime.timeline import concluded
from vocemo.runtime.timeline_options import TimelineOptions

VALIDATION, TEST = 0, 1
WINDOWS_S = (1.0, 1.5, 2.0, 3.0)
HOPS_S = (0.5,)
SMOOTHINGS: tuple[dict[str, Any], ...] = (
    {"smoothing": "none"},
    *({"smoothing": "median", "median_s": median_s} for median_s in (1.5, 3.5, 5.5)),
    *({"smoothing": "hmm", "change": change} for change in (0.5, 1.0, 1.5, 2.5, 4.0)),
)
UNSMOOTHED: Mapping[str, Any] = {"smoothing": "none"}


def main() -> None:
    """Rank on validation speakers, measure on test speakers, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("crossval", type=Path)
    parser.add_argument("--corpus", required=True, metavar="NAME:DIR")
    parser.add_argument("--recordings", type=int, default=2, help="of each speaker")
    parser.add_argument("--blocks", type=int, default=8, help="emotions one after another in a recording")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    first = RunFolder(options.crossval / "seed-0" / "fold-0").info()
    recipe, protocol = first.recipe, first.protocol
    splits = folds(experiment.select(read(options.corpus), recipe).manifest, protocol, 0)
    if any(fold.leaky for fold in splits):
        raise SystemExit(f"protocol {protocol} leaks: its models have heard the voices of their tests")
    settings = [
        TimelineOptions(window_s=window_s, hop_s=hop_s, **smoothing)
        for window_s, hop_s, smoothing in itertools.product(WINDOWS_S, HOPS_S, SMOOTHINGS)
    ]
    ranked: dict[TimelineOptions, list[Any]] = defaultdict(list)
    own: list[TimelineOptions] = []
    with tempfile.TemporaryDirectory() as folder:
        models: list[Predictor] = []
        for fold in splits:
            run = RunFolder(options.crossval / "seed-0" / f"fold-{fold.index}")
            if run.info().clips != (len(fold.train), len(fold.validation), len(fold.test)):
                raise SystemExit(f"{run.path} was trained on other clips")
            bundle = Path(folder) / f"{fold.index}.onnx"
            export_run(run.path, bundle)
            models.append(load(bundle, device="cpu"))
        for model, fold in zip(models, splits, strict=True):
            of_fold: dict[TimelineOptions, list[Any]] = defaultdict(list)
            for recording in _recordings(fold.validation, model, options, VALIDATION):
                _hear(model, recording, settings, of_fold)
            own.append(_first({each: scored(pairs) for each, pairs in of_fold.items()}))
            for each, pairs in of_fold.items():
                ranked[each] += pairs
            print(f"validation of fold {fold.index} heard: {own[-1]}", flush=True)
        validation = {each: scored(pairs) for each, pairs in ranked.items()}
        chosen = _first(validation)
        plain = dataclasses.replace(chosen, **UNSMOOTHED)
        tested: dict[str, list[Any]] = defaultdict(list)
        spoken_s = 0.0
        for model, fold, of_its_own in zip(models, splits, own, strict=True):
            for recording in _recordings(fold.test, model, options, TEST):
                spoken_s += recording.duration_s
                by_setting: dict[TimelineOptions, list[Any]] = defaultdict(list)
                _hear(model, recording, list(dict.fromkeys([of_its_own, chosen, plain])), by_setting)
                for name, each in (("own", of_its_own), ("all", chosen), ("plain", plain)):
                    tested[name] += by_setting[each]
            print(f"test of fold {fold.index} heard", flush=True)
    by_name = {name: _shares(scored(pairs)) for name, pairs in tested.items()}
    found = {
        "recipe": recipe.name,
        "corpus": options.corpus.partition(":")[0],
        "protocol": protocol,
        "recordings_a_speaker": options.recordings,
        "blocks": options.blocks,
        "seed": options.seed,
        "tested_s": round(spoken_s, 1),
        "tried": len(settings),
        "chosen": _plain(chosen),
        "validation": [{**_plain(each), **_shares(score)} for each, score in validation.items()],
        "chosen_by_fold": [_plain(each) for each in own],
        "test": [
            {"by": "fold", **by_name["own"]},
            {"by": "all", **_plain(chosen), **by_name["all"]},
            {"by": "all, unsmoothed", **_plain(plain), **by_name["plain"]},
        ],
        **provenance.stamp(),
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write_json(options.out, found)
    for each in found["test"]:
        print(each)


def _first(scores: Mapping[TimelineOptions, TimelineScores]) -> TimelineOptions:
    return max(scores, key=lambda each: scores[each].frame_accuracy)


def _recordings(
    clips: Sequence[Clip], model: Predictor, options: argparse.Namespace, part: int
) -> Iterator[Stitched]:
    """Recordings of each speaker: those of validation are no test's, whose speakers are another fold's."""
    rate = model.info.preparation.sample_rate
    by_speaker: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        if clip.channel == "speech":
            by_speaker[clip.speaker].append(clip)
    for speaker, own in sorted(by_speaker.items()):
        voices = [(clip.emotion, audio.decode(clip.path, rate).samples) for clip in own]
        digits = int("".join(c for c in speaker if c.isdigit()) or 0)
        for number in range(options.recordings):
            rng = np.random.default_rng([options.seed, digits, number, part])
            yield stitched(voices, rate, options.blocks, rng)


def _hear(
    model: Predictor,
    recording: Stitched,
    settings: Sequence[TimelineOptions],
    into: dict[TimelineOptions, list[Any]],
) -> None:
    """One hearing for all settings that hear alike."""
    heard_alike = sorted(settings, key=lambda each: (each.window_s, each.hop_s))
    for (window_s, hop_s), alike in itertools.groupby(
        heard_alike, key=lambda each: (each.window_s, each.hop_s)
    ):
        heard = listened(model.answerer, [recording.samples], TimelineOptions(window_s=window_s, hop_s=hop_s))
        for each in alike:
            into[each].append((recording, concluded(model.answerer, heard, each)[0]))


def _plain(options: TimelineOptions) -> dict[str, Any]:
    told: dict[str, Any] = {
        "window_s": options.window_s,
        "hop_s": options.hop_s,
        "smoothing": options.smoothing,
    }
    if options.smoothing == "hmm":
        told["change"] = options.change
    if options.smoothing == "median":
        told["median_s"] = options.median_s
    return told


def _shares(scores: TimelineScores) -> dict[str, float]:
    told = {**dataclasses.asdict(scores), "eder": scores.eder}
    return {name: round(value, 4) for name, value in told.items()}


if __name__ == "__main__":
    main()
