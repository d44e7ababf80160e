"""How well scores tell sounds that are no speech from speech, over the runs of a finished cross-validation.

Every score is fitted on a run's training clips as the network heard them; its limit is what 99 % of the run's
validation clips keep within. Speech is the run's test fold, whose speakers neither heard, and the clips of
other corpora: other speakers, microphones and languages. What is no speech is made by equation
(`lab.evaluate.other_sounds`), and nothing is fitted to it. Speech that is cut short, noisy or from a
telephone is counted apart.

    python scripts/measure_out_of_domain.py runs/crossval --bundle src/vocemo/models/dual-channel-cnn.onnx \\
        --corpus emodb:DATA/emodb --corpus aesdd:DATA/aesdd --out docs/results/uncertainty/out-of-domain.json
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KernelDensity

import vocemo
from vocemo import audio
from vocemo.lab import checkpoint, mahalanobis, network, provenance
from vocemo.lab.corpora import Clip, Manifest, read
from vocemo.lab.dataset import collate
from vocemo.lab.evaluate import other_sounds
from vocemo.lab.experiment import waveforms_for
from vocemo.lab.network import Network
from vocemo.lab.run import RunFolder
from vocemo.lab.run_info import RunInfo
from vocemo.lab.splits import folds
from vocemo.lab.training_clips import training_set
from vocemo.lab.waveforms import Samples, Waveforms
from vocemo.prepare import prepare
from vocemo.runtime.prediction import Prediction

Values = NDArray[np.float64]
SEED = 1  # of the sounds; the score was chosen on those of seed 0
SPEECH_CHANGED = (
    "first second",
    "first half second",
    "white noise at 20 dB",
    "white noise at 10 dB",
    "white noise at 0 dB",
    "telephone",
)
CHANGED_CLIPS = 60  # of each test fold
NEIGHBOURS, COMPONENTS = 10, 16
RATE_HZ = 16_000


@dataclass(frozen=True)
class Heard:
    """What a network says of clips."""

    logits: Values  # (n, emotions)
    embeddings: Values  # (n, E)
    statistics: Values  # (n, S), of the front end

    @property
    def all(self) -> Values:
        """(n, E + S), as the chosen score takes it."""
        return np.concatenate([self.embeddings, self.statistics], axis=1)


Score = Callable[[Heard], Values]
Fit = Callable[[Heard, NDArray[np.int64]], Score]


def _softmax(known: Heard, targets: NDArray[np.int64]) -> Score:
    """Hendrycks & Gimpel, ICLR 2017: how little the most probable emotion has."""

    def score(heard: Heard) -> Values:
        powers = np.exp(heard.logits - heard.logits.max(1, keepdims=True))
        return np.asarray(-(powers.max(1) / powers.sum(1)))

    return score


def _energy(known: Heard, targets: NDArray[np.int64]) -> Score:
    """Liu et al., NeurIPS 2020: -log sum exp of the logits."""
    return lambda heard: np.asarray(-np.logaddexp.reduce(heard.logits, axis=1))


def _mahalanobis(part: Callable[[Heard], Values]) -> Fit:
    def fit(known: Heard, targets: NDArray[np.int64]) -> Score:
        gaussians = mahalanobis.fit(part(known), targets)
        return lambda heard: gaussians.distance(part(heard))

    return fit


def _relative(known: Heard, targets: NDArray[np.int64]) -> Score:
    """Ren et al. 2021 (arXiv:2106.09022): what the emotions' own means gain over one mean of all."""
    by_emotion = mahalanobis.fit(known.embeddings, targets)
    of_all = mahalanobis.fit(known.embeddings, np.zeros_like(targets))
    return lambda heard: np.asarray(
        by_emotion.distance(heard.embeddings) ** 2 - of_all.distance(heard.embeddings) ** 2
    )


def _neighbours(known: Heard, targets: NDArray[np.int64]) -> Score:
    """Sun et al., ICML 2022: the distance to the tenth nearest embedding, each of length 1."""

    def unit(values: Values) -> Values:
        lengths = np.linalg.norm(values, axis=1, keepdims=True)
        return np.asarray(values / np.maximum(lengths, 1e-12))

    memory = unit(known.embeddings)
    return lambda heard: np.asarray(-np.sort(unit(heard.embeddings) @ memory.T, axis=1)[:, -NEIGHBOURS])


def _density(known: Heard, targets: NDArray[np.int64]) -> Score:
    """Kernel density of the front end's statistics in their 16 leading components, Scott's bandwidth."""
    centre, scale = known.statistics.mean(0), known.statistics.std(0) + 1e-3
    pca = PCA(COMPONENTS, whiten=True, random_state=0).fit((known.statistics - centre) / scale)
    density = KernelDensity(bandwidth="scott").fit(pca.transform((known.statistics - centre) / scale))
    return lambda heard: np.asarray(
        -density.score_samples(pca.transform((heard.statistics - centre) / scale))
    )


CHOSEN = "Mahalanobis, embedding and front end"
SCORES: dict[str, Fit] = {
    "max softmax": _softmax,
    "energy": _energy,
    "Mahalanobis, embedding": _mahalanobis(lambda heard: heard.embeddings),
    "relative Mahalanobis, embedding": _relative,
    "10 nearest, embedding": _neighbours,
    "Mahalanobis, front end": _mahalanobis(lambda heard: heard.statistics),
    "kernel density, front end": _density,
    CHOSEN: _mahalanobis(lambda heard: heard.all),
}


def main() -> None:
    """Measure, print tables and write the figures as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", type=Path, help="a folder that vocemo crossval wrote")
    parser.add_argument("--corpus", action="append", default=[], help="other speech, NAME:DIR")
    parser.add_argument("--bundle", type=Path, help="an exported model to measure as well")
    parser.add_argument("--sounds", type=int, default=40, help="of each kind")
    parser.add_argument(
        "--one-a-fold", action="store_true", help="one run of each fold alone, its seeds in turn"
    )
    parser.add_argument("--out", type=Path, help="where the figures go as JSON")
    options = parser.parse_args()
    torch.set_num_threads(1)
    folders = [RunFolder(path.parent) for path in sorted(options.runs.glob("seed-*/fold-*/run.json"))]
    info = folders[0].info()
    seeds = sorted({folder.info().seed for folder in folders})
    if options.one_a_fold:
        runs = [(folder, folder.info()) for folder in folders]
        folders = [folder for folder, run in runs if run.seed == seeds[run.fold % len(seeds)]]
    own = sum((read(spec) for spec in info.corpora), Manifest(()))
    others = {spec.partition(":")[0]: read(spec) for spec in options.corpus}
    sounds = {kind: other_sounds.make(kind, options.sounds, SEED) for kind in other_sounds.KINDS}
    store = waveforms_for(info.recipe)
    by_run = []
    for folder in folders:
        by_run.append(_of_run(folder, own, others, sounds, store))
        print(f"seed {folder.info().seed} fold {folder.info().fold}", flush=True)
    found: dict[str, Any] = {
        "recipe": info.recipe.name,
        "corpora": [spec.partition(":")[0] for spec in info.corpora],
        "protocol": info.protocol,
        "runs": len(by_run),
        "sounds_of_each_kind": options.sounds,
        "scores": {name: _over_runs([run[name] for run in by_run]) for name in SCORES},
    }
    if options.bundle:
        found["bundle"] = _of_bundle(options.bundle, others, sounds)
    found |= provenance.stamp()
    print("\n".join(tables(found)))
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        checkpoint.write_json(options.out, found)


def _of_run(
    folder: RunFolder,
    own: Manifest,
    others: Mapping[str, Manifest],
    sounds: Mapping[str, Sequence[Samples]],
    store: Waveforms,
) -> dict[str, dict[str, Any]]:
    """Every score of one run: how far apart it holds each kind and speech, and what passes its limit."""
    info = folder.info()
    trained = network.build(info.recipe, info.seed).eval()
    checkpoint.load_weights(trained, folder.weights, torch.device("cpu"))
    fold = folds(own, info.protocol, info.seed)[info.fold]
    preparation = info.recipe.preparation
    known, targets = _of_training(trained, fold.train, info, store)
    validation = _hear(trained, [store.clip(clip) for clip in fold.validation])
    longest = round(preparation.max_length_s * preparation.sample_rate)
    speech = {"test": _hear(trained, [store.clip(clip) for clip in fold.test])}
    for name, manifest in others.items():
        speech[name] = _hear(trained, [store.clip(clip)[:longest] for clip in manifest])
    step = max(1, len(fold.test) // CHANGED_CLIPS)
    changed = {
        how: _hear(trained, [_prepared(_changed(clip, how), info.recipe) for clip in fold.test[::step]])
        for how in SPEECH_CHANGED
    }
    foreign = {
        kind: _hear(trained, [_prepared(sound, info.recipe) for sound in made])
        for kind, made in sounds.items()
    }
    found = {}
    for name, fit in SCORES.items():
        score = fit(known, targets)
        limit = mahalanobis.limit(score(validation))
        values = {kind: score(heard) for kind, heard in foreign.items()}
        everything = np.concatenate(list(values.values()))
        of_speech = {which: score(heard) for which, heard in speech.items()}
        found[name] = {
            "auroc": {kind: _auroc(of_speech["test"], each) for kind, each in values.items()},
            "auroc_all": {which: _auroc(each, everything) for which, each in of_speech.items()},
            "flagged": {kind: float((each > limit).mean()) for kind, each in values.items()},
            "flagged_speech": {which: float((each > limit).mean()) for which, each in of_speech.items()}
            | {how: float((score(heard) > limit).mean()) for how, heard in changed.items()},
        }
    return found


def _of_training(
    trained: Network, clips: tuple[Clip, ...], info: RunInfo, store: Waveforms
) -> tuple[Heard, NDArray[np.int64]]:
    """Training clips as the network heard them, with the variation and the crops of an epoch."""
    parts, targets = [], []
    for batch in training_set(clips, info.recipe, store).epoch(info.seed, epoch=0):
        waves = [row[:count].numpy() for row, count in zip(batch.samples, batch.lengths, strict=True)]
        parts.append(_hear(trained, waves))
        targets.append(batch.targets.numpy())
    names = ("logits", "embeddings", "statistics")
    joined = [np.concatenate([getattr(part, name) for part in parts]) for name in names]
    return Heard(*joined), np.concatenate(targets)


def _auroc(speech: Values, foreign: Values) -> float:
    """How often a sound that is no speech has the greater score, level ones counting half."""
    return float(
        roc_auc_score(np.repeat([0, 1], [len(speech), len(foreign)]), np.concatenate([speech, foreign]))
    )


def _hear(trained: Network, waves: Sequence[Samples]) -> Heard:
    order = np.argsort([len(wave) for wave in waves], kind="stable")
    logits, embeddings, statistics = [], [], []
    for first in range(0, len(order), 32):
        part = [waves[place] for place in order[first : first + 32]]
        batch = collate(part, [0] * len(part), range(len(part)))
        with torch.inference_mode():
            output, summary = trained.summed_up(batch.samples, batch.lengths)
        logits.append(output.logits.numpy())
        embeddings.append(output.embedding.numpy())
        statistics.append(summary[:, output.embedding.shape[1] :].numpy())
    back = np.argsort(order)
    parts = [np.concatenate(each).astype(np.float64)[back] for each in (logits, embeddings, statistics)]
    return Heard(*parts)


def _prepared(samples: Samples, recipe: Any) -> Samples:
    made = prepare(samples, RATE_HZ, recipe.preparation)
    return made.samples[: made.length]


def _changed(clip: Clip, how: str) -> Samples:
    """A clip's speech at 16 kHz, cut short, in noise or through a telephone."""
    samples = audio.decode(clip.path, RATE_HZ).samples
    if how.startswith("first"):
        loud = np.flatnonzero(np.abs(samples) > 0.1 * np.abs(samples).max())[0]
        count = RATE_HZ if how == "first second" else RATE_HZ // 2
        return np.asarray(samples[loud : loud + count])
    if how == "telephone":
        narrow = audio.resample(samples, RATE_HZ, 8_000)
        peak = np.abs(narrow).max()
        law = np.sign(narrow) * np.log1p(255 * np.abs(narrow / peak)) / np.log(256)
        levels = np.rint(law * 127) / 127  # mu-law in 8 bits, ITU-T G.711
        back = np.sign(levels) * (np.power(256.0, np.abs(levels)) - 1) / 255 * peak
        return audio.resample(back.astype(np.float32), 8_000, RATE_HZ)
    snr_db = float(how.split()[-2])
    noise = np.random.default_rng(len(samples)).standard_normal(len(samples))
    level = np.sqrt(np.mean(np.square(samples, dtype=np.float64))) * 10 ** (-snr_db / 20)
    return np.asarray(samples + level * noise, np.float32)


def _over_runs(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The mean and the worst run of every figure."""
    found: dict[str, Any] = {}
    for figure in runs[0]:
        worst = max if figure == "flagged_speech" else min
        found[figure] = {
            key: {
                "mean": float(np.mean([run[figure][key] for run in runs])),
                "worst": float(worst(run[figure][key] for run in runs)),
            }
            for key in runs[0][figure]
        }
    return found


def _of_bundle(
    path: Path, others: Mapping[str, Manifest], sounds: Mapping[str, Sequence[Samples]]
) -> dict[str, Any]:
    """What an exported model says: whether it is sure by confidence alone, and as it answers."""
    predictor = vocemo.load(path, device="cpu", threads=1)
    threshold = predictor.threshold or 0.0

    def said(answers: Sequence[Any]) -> dict[str, float]:
        known = [each for each in answers if isinstance(each, Prediction)]
        return {
            "confident_by_confidence": float(np.mean([each.confidence >= threshold for each in known])),
            "confident": float(np.mean([not each.uncertain and each.emotion is not None for each in known])),
            "flagged": float(np.mean([each.unfamiliar for each in known])),
        }

    dither = 1 / 32768 * (np.random.default_rng(0).random((5, 3 * RATE_HZ)) - 0.5)
    silence = list(predictor.predict_many(list(dither), RATE_HZ, jobs=1))
    return {
        "sounds": {
            "silence": said(silence),
            **{
                kind: said(list(predictor.predict_many(made, RATE_HZ, jobs=1)))
                for kind, made in sounds.items()
            },
        },
        "speech": {
            name: said(list(predictor.predict_many([clip.path for clip in manifest], jobs=1)))
            for name, manifest in others.items()
        },
    }


def tables(found: Mapping[str, Any]) -> list[str]:
    """The figures as Markdown."""
    scores = found["scores"]
    speech = list(scores[CHOSEN]["auroc_all"])

    def row(*cells: str) -> str:
        return f"| {' | '.join(cells)} |"

    def percent(value: float) -> str:
        return f"{100 * value:.1f}"

    header = [f"AUROC, {which}" for which in speech] + ["caught"] + [f"{which} flagged" for which in speech]
    lines = [row("score", *header), row("---", *["---:"] * len(header))]
    for name, each in scores.items():
        caught = float(np.mean([kind["mean"] for kind in each["flagged"].values()]))
        lines.append(
            row(
                name,
                *(f"{each['auroc_all'][which]['mean']:.3f}" for which in speech),
                percent(caught),
                *(percent(each["flagged_speech"][which]["mean"]) for which in speech),
            )
        )
    chosen = scores[CHOSEN]
    lines += ["", row("kind", "AUROC, mean", "worst run", "caught, mean", "worst run")]
    lines.append(row("---", *["---:"] * 4))
    for kind, auroc in chosen["auroc"].items():
        caught_of = chosen["flagged"][kind]
        lines.append(
            row(
                kind,
                f"{auroc['mean']:.4f}",
                f"{auroc['worst']:.4f}",
                percent(caught_of["mean"]),
                percent(caught_of["worst"]),
            )
        )
    lines += ["", row("speech", "flagged, mean", "worst run"), row("---", "---:", "---:")]
    for which, flagged in chosen["flagged_speech"].items():
        lines.append(row(which, percent(flagged["mean"]), percent(flagged["worst"])))
    if "bundle" in found:
        names = ("confident_by_confidence", "confident", "flagged")
        lines += ["", row("exported model", "sure by confidence", "sure as answered", "flagged")]
        lines.append(row("---", *["---:"] * 3))
        for part in ("sounds", "speech"):
            for kind, said in found["bundle"][part].items():
                lines.append(row(kind, *(percent(said[name]) for name in names)))
    return lines


if __name__ == "__main__":
    main()
