"""Whether explanations point at what moves the model: deletion curves, and models of random weights.

    python scripts/explain_faithfulness.py ravdess-speech:data/ravdess emodb:data/emodb \\
        --out docs/results/explain/faithfulness.json

Clips are drawn evenly over the speakers. Of each, the answer is explained, and then its moments are taken
away, a tenth of a second at a time: those first that the explanation names first; or in an order that has
nothing to do with the clip, the explanation's own but moved round in time, so that as many moments hang
together; or the loudest first. Counted is the mean probability of the answer while up to half of the clip
goes: the lower, the better the order (deletion: Petsiuk, Das & Saenko 2018, RISE). Bands likewise.

The explanation is also made of the same network with its weights shuffled (Adebayo et al. 2018, Sanity checks
for saliency maps): if it still looked the same, it would show the recording and not the model.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vocemo.bundle import packaged
from vocemo.errors import UsageError
from vocemo.lab import checkpoint, provenance
from vocemo.lab.corpora import Clip, read
from vocemo.lab.evaluate.confidence import interval_over_speakers, mean_influence
from vocemo.prepare import prepare
from vocemo.runtime.explain import log_odds, probability
from vocemo.runtime.explain_occlusion import Neutral, Occluder, Occlusion
from vocemo.runtime.explanation import Explanation
from vocemo.runtime.predictor import Predictor, load
from vocemo.runtime.source import stretches

Values = NDArray[np.float64]
CELL_S = 0.1  # taken away at a time
STEPS = 10  # of the curve, up to half of the clip
DRAWS = 8  # of each random order
NEUTRALS: tuple[Neutral, ...] = ("background", "silence")
OTHER_SEED = 1  # the noise that takes away is not the noise that explained
PAUSE_S = 0.4
NOISE_DB = 10.0  # signal-to-noise ratio of the clips under noise


class Specimen:
    """A clip as the model hears it, and its answer."""

    def __init__(self, model: Predictor, clip: Clip) -> None:
        self.speaker, self.path = clip.speaker, clip.path
        self.model, preparation = model, model.info.preparation
        self.rate = preparation.sample_rate
        self.answer = model.predict(clip.path)
        end = round(self.answer.duration_s * self.rate)
        (self.raw,) = stretches(clip.path, None, self.rate, [(0, end)])
        self.prepared = prepare(self.raw, self.rate, preparation)
        self.samples = self.prepared.samples[: self.prepared.length]
        self.target = model.emotions.index(self.answer.emotion or "")

    def explain(self, model: Predictor, occlusion: Occlusion) -> Explanation:
        """The explanation of this clip's answer by any model."""
        return model.explain(self.path, emotion=self.answer.emotion, occlusion=occlusion)

    def probabilities(self, clips: Sequence[NDArray[np.float32]]) -> Values:
        """Those of the answer in changed clips."""
        odds = log_odds(self.model.bundle, clips, len(self.prepared.samples), self.target)
        return np.array([probability(each) for each in odds])

    @property
    def cells(self) -> list[tuple[int, int]]:
        """Stretches of CELL_S, in samples; what is left over belongs to the last."""
        count = max(2, round(len(self.samples) / (CELL_S * self.rate)))
        edges = np.linspace(0, len(self.samples), count + 1).astype(int)
        return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))

    def importance(self, explanation: Explanation) -> Values:
        """The explanation's effect in each cell."""
        middles = np.array([(a + b) / 2 / self.rate for a, b in self.cells])
        return explanation.over_time(explanation.parts[0].start_s + middles)

    def loudness(self) -> Values:
        """The RMS of each cell."""
        return np.array([np.sqrt(np.mean(np.square(self.samples[a:b], dtype=float))) for a, b in self.cells])

    def deletion(self, occluder: Occluder, order: NDArray[np.intp]) -> float:
        """The mean probability while the first half of the cells goes, in an order."""
        fades = [occluder.fade(*self.cells[cell]) for cell in order]
        counts = np.unique(np.linspace(0, len(order) / 2, STEPS + 1).round().astype(int)[1:])
        gone = [np.minimum(np.sum(fades[:count], axis=0), 1.0) for count in counts]
        return float(self.probabilities([occluder.without(fade) for fade in gone]).mean())

    def band_deletion(self, occluder: Occluder, order: NDArray[np.intp]) -> float:
        """The mean probability while the first half of the bands goes, in an order."""
        changes = np.cumsum([occluder.without(band=int(band)) - self.samples for band in order], axis=0)
        half = changes[: len(order) // 2]
        return float(self.probabilities([self.samples + change for change in half]).mean())


def main(arguments: list[str] | None = None) -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", nargs="+", help="NAME:DIR")
    parser.add_argument("--model", help="a bundle, or a packaged model's name; by default the first of these")
    parser.add_argument("--clips", type=int, default=32, help="of each corpus")
    parser.add_argument("--shuffles", type=int, default=3, help="models of random weights")
    parser.add_argument("--out", type=Path, help="where the figures go as JSON")
    given = parser.parse_args(arguments)
    found = measure(given.corpus, given.clips, given.shuffles, given.model)
    print(json.dumps(found, indent=2))
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        checkpoint.write_json(given.out, found)


def measure(corpora: Sequence[str], clips: int, shuffles: int, asked: str | None = None) -> dict[str, Any]:
    """Every figure, with its 95 % interval over speakers."""
    model = load(asked, device="cpu")
    chosen = [clip for corpus in corpora for clip in drawn(list(read(corpus)), clips)]
    with tempfile.TemporaryDirectory() as folder:
        shuffled = []
        for seed in range(shuffles):
            path = Path(folder) / f"{seed}.onnx"
            shuffle_weights(packaged.place(asked), path, seed)
            shuffled.append(load(path, device="cpu"))
        rows = []
        for number, clip in enumerate(chosen):
            specimen = Specimen(model, clip)
            if specimen.answer.emotion is None or specimen.answer.segments:
                raise UsageError(f"{clip.path} is silent, or too long to be answered at once")
            rows.append(one(specimen, shuffled, np.random.default_rng(number)))
            print(f"{number + 1} of {len(chosen)} clips", file=sys.stderr, flush=True)
    speakers = [clip.speaker for clip in chosen]
    names = dict.fromkeys(name for row in rows for name in row)
    figures = {name: summarised(name, rows, speakers) for name in names}
    return {
        "model": model.info.name,
        "corpora": [corpus.partition(":")[0] for corpus in corpora],
        "clips": len(chosen),
        "speakers": len(set(speakers)),
        "shuffled_models": shuffles,
        "figures": figures,
        **provenance.stamp(),
    }


def one(
    specimen: Specimen, shuffled: Sequence[Predictor], generator: np.random.Generator
) -> dict[str, float]:
    """The figures of one clip."""
    found: dict[str, float] = {"probability": specimen.answer.confidence}
    explained = {
        neutral: specimen.explain(specimen.model, Occlusion(neutral=neutral)) for neutral in NEUTRALS
    }
    for gone in NEUTRALS:
        occluder = Occluder(specimen.samples, specimen.rate, Occlusion(neutral=gone, seed=OTHER_SEED))
        for neutral in NEUTRALS:
            importance = specimen.importance(explained[neutral])
            # Moved round in time: as long stretches as the explanation's own, elsewhere.
            shifts = generator.integers(1, len(importance), DRAWS)
            moved = [specimen.deletion(occluder, most_first(np.roll(importance, s))) for s in shifts]
            first = specimen.deletion(occluder, most_first(importance))
            found[f"deleted as {gone}: explained by {neutral}"] = first
            found[f"deleted as {gone}: explained by {neutral}, moved round"] = float(np.mean(moved))
            found[f"deleted as {gone}: gain of {neutral}"] = float(np.mean(moved)) - first
        loudest = specimen.deletion(occluder, most_first(specimen.loudness()))
        found[f"deleted as {gone}: loudest first"] = loudest
        own = found[f"deleted as {gone}: explained by {gone}"]
        found[f"deleted as {gone}: gain over loudest first"] = loudest - own
        effects = np.array([band.effect for band in explained[gone].bands])
        first = specimen.band_deletion(occluder, most_first(effects))
        orders = [generator.permutation(len(effects)) for _ in range(DRAWS)]
        others = float(np.mean([specimen.band_deletion(occluder, order) for order in orders]))
        found |= {
            f"bands deleted as {gone}: explained": first,
            f"bands deleted as {gone}: any order": others,
            f"bands deleted as {gone}: gain": others - first,
        }
    found |= emptied_pauses(specimen)
    return found | likenesses(specimen, explained["background"], shuffled)


def emptied_pauses(specimen: Specimen) -> dict[str, float]:
    """What it costs to exchange nothing for nothing: the change of the log-odds, by either neutral.

    The clip is followed by PAUSE_S of its own recording's pause, which preparation had cut off before the
    speech, and the middle of that pause is taken away; once as recorded, and once under noise, as a call has
    it. The nearer to 0, the more neutral. Empty where there is no such pause.
    """
    start, pause = round(specimen.prepared.start_s * specimen.rate), round(PAUSE_S * specimen.rate)
    if start < 2 * pause:
        return {}
    gain = np.std(specimen.samples) / np.std(specimen.raw[start : start + len(specimen.samples)])
    before = specimen.raw[start // 2 - pause // 2 : start // 2 - pause // 2 + pause]
    clean = np.concatenate([specimen.samples, ((before - before.mean()) * gain).astype(np.float32)])
    noise = np.random.default_rng(0).standard_normal(len(clean)) * np.std(specimen.samples)
    noisy = clean + (10.0 ** (-NOISE_DB / 20.0) * noise).astype(np.float32)
    first = len(specimen.samples) + pause // 8
    found = {}
    for where, clip in (("", clean), (f" in noise at {NOISE_DB:g} dB", noisy)):
        occluders = [Occluder(clip, specimen.rate, Occlusion(neutral=neutral)) for neutral in NEUTRALS]
        emptied = [each.without(each.fade(first, first + 3 * pause // 4)) for each in occluders]
        odds = log_odds(specimen.model.bundle, [clip, *emptied], len(clip), specimen.target)
        for neutral, after in zip(NEUTRALS, odds[1:], strict=True):
            found[f"change of log-odds by an emptied pause{where}, {neutral}"] = float(abs(odds[0] - after))
    return found


def likenesses(
    specimen: Specimen, explanation: Explanation, shuffled: Sequence[Predictor]
) -> dict[str, float]:
    """Rank correlations of the explanation with those of other noise and of shuffled weights."""
    again = specimen.explain(specimen.model, Occlusion(seed=OTHER_SEED))
    others = [specimen.explain(model, Occlusion()) for model in shuffled]
    found: dict[str, float] = {}
    for name in ("moments", "bands", "map"):
        own = effects_of(explanation, name)
        found[f"rank correlation with other noise, {name}"] = rank_correlation(own, effects_of(again, name))
        if others:
            values = [rank_correlation(own, effects_of(other, name)) for other in others]
            found[f"rank correlation with shuffled weights, {name}"] = float(np.mean(values))
    return found


def effects_of(explanation: Explanation, name: str) -> Values:
    """The effects of moments, bands or map, as one row."""
    if name == "map":
        return np.array([column.effects for column in explanation.map]).ravel()
    return np.array([each.effect for each in getattr(explanation, name)])


def rank_correlation(one: Values, other: Values) -> float:
    """Spearman's, without ties.

    >>> rank_correlation(np.array([1.0, 2.0, 9.0]), np.array([0.1, 0.4, 0.2]))
    0.5
    """
    first, second = (np.argsort(np.argsort(each)) - (len(each) - 1) / 2 for each in (one, other))
    return float(round(first @ second / np.sqrt((first @ first) * (second @ second)), 12))


def most_first(values: Values) -> NDArray[np.intp]:
    """Indices, that of the greatest value first."""
    return np.argsort(-values, kind="stable")


def drawn(clips: Sequence[Clip], count: int) -> list[Clip]:
    """Clips drawn evenly over speakers: as many of each as possible, and one more of some."""
    generator = np.random.default_rng(0)
    by_speaker: dict[str, list[Clip]] = {}
    for clip in sorted(clips, key=lambda clip: clip.path.name):
        by_speaker.setdefault(clip.speaker, []).append(clip)
    shuffled = [[of[i] for i in generator.permutation(len(of))] for of in by_speaker.values()]
    rounds = [of[turn] for turn in range(count) for of in shuffled if turn < len(of)]
    return rounds[:count]


def shuffle_weights(source: Path, target: Path, seed: int) -> None:
    """Write a bundle whose network has its weights in random order, layer by layer; the front end stays.

    Weights are stored in 32 or 16 bits, or as the bytes in which they were published.
    """
    import onnx
    from onnx import TensorProto, numpy_helper

    stored = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.UINT8)

    model, generator, changed = onnx.load(source), np.random.default_rng(seed), 0
    for weights in model.graph.initializer:
        of_the_network = weights.name.startswith("network.model.") or weights.name.endswith("_bytes")
        if of_the_network and weights.data_type in stored:
            values = numpy_helper.to_array(weights)
            mixed = generator.permutation(values.ravel()).reshape(values.shape)
            weights.CopyFrom(numpy_helper.from_array(mixed, weights.name))
            changed += 1
    if not changed:
        raise UsageError(f"{source} has no weights under network.model.")
    onnx.save(model, target)


def summarised(name: str, rows: Sequence[dict[str, float]], speakers: Sequence[str]) -> dict[str, Any]:
    """The mean over the clips that have a figure, with its 95 % interval over speakers."""
    have = [(row[name], speaker) for row, speaker in zip(rows, speakers, strict=True) if name in row]
    values, of = [value for value, _ in have], [speaker for _, speaker in have]
    mean = float(np.mean(values))
    interval = interval_over_speakers(mean, mean_influence(values), of, bounds=(-np.inf, np.inf))
    ends = None if interval is None else [round(interval.low, 4), round(interval.high, 4)]
    return {"mean": round(mean, 4), "ci95": ends, "clips": len(values)}


if __name__ == "__main__":
    main()
