"""What a result comes to, in sentences: first whether it can be believed at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vocemo.lab.evaluate import Metric, Results
from vocemo.lab.report.html.calibration import overconfidence
from vocemo.lab.report.html.material import Material
from vocemo.lab.report.wording import capital

TRUSTED_ECE = 0.05  # vocemo's own goal for a model that it ships
NEAR_CHANCE = 0.02  # above what perfect calibration scores: few clips have a high ECE by chance alone


@dataclass(frozen=True)
class Verdict:
    """`warning` comes before all else, with what can be done about it; then the sentences."""

    warning: str
    remedy: str
    sentences: tuple[str, ...]


def verdict(material: Material) -> Verdict:
    """The verdict on a result."""
    results = material.results
    warning, remedy = _warning(results)
    remark = f"{capital(results.remark.rstrip('.'))}." if results.remark else ""
    sentences = (_headline(results), _probabilities(material), _confusion(results), _sexes(results), remark)
    return Verdict(warning, remedy, tuple(each for each in sentences if each))


def honest_protocol(results: Results) -> str:
    """A protocol that keeps the test's voices unheard, for the corpora of a result."""
    if all(corpus.startswith("ravdess") for corpus in results.corpora):
        return "emobox-6 or loso"
    return "loso or speakers-70-20-10"


def _warning(results: Results) -> tuple[str, str]:
    if results.leak_status == "none found":
        return "", ""
    honest = (
        "An honest protocol keeps every test speaker out of training and of validation, and an audit holds "
        f"it to that: --protocol {honest_protocol(results)}."
    )
    if results.leak_status == "leaky":
        why = results.leak or "Voices of the test, or its very recordings, were in training or validation."
        why = capital(why.rstrip(".")) + "."
        return f"LEAKY. {why} The figures say how well it remembers, and nothing of a new voice.", honest
    return (
        "NOT SHOWN TO BE HONEST. Nobody says what these answers were trained on, so the voices of the test "
        "may have been heard.",
        honest,
    )


def _headline(results: Results) -> str:
    uar = results.metrics["uar"]
    classes = emotions_there(results)
    where = {
        "leaky": "On voices or recordings that it knows",
        "none found": "On voices it has never heard",
        "not stated": "On these clips",
    }[results.leak_status]
    interval = f" ({_whole(uar.ci95[0])} to {_whole(uar.ci95[1])})" if uar.ci95 else ""
    alike = ", each emotion counted alike" if classes > 1 else ""
    told = f"{where}, it names the right one of {classes} emotions in {_whole(uar.mean)} of 100 clips"
    told += f"{interval}{alike}; guessing would give {100 / classes:.3g}."
    if uar.ci95 and uar.ci95[0] <= 1 / classes <= uar.ci95[1]:
        told += " As far as these speakers can tell, that is no better than guessing."
    return told


def _probabilities(material: Material) -> str:
    ece = material.results.metrics.get("ece")
    if ece is None:
        return ""
    figure = f"(ECE {100 * ece.mean:.1f} %" + (
        f", chance alone {100 * ece.calibrated:.1f})" if ece.calibrated is not None else ")"
    )
    if ece.mean <= TRUSTED_ECE:
        return f"Its probabilities can be believed {figure}."
    if believable(ece):
        return f"No fault of its probabilities shows, and so few clips would hardly show one {figure}."
    if material.predictions is None:
        return f"Its probabilities cannot be taken at their word {figure}."
    excess = overconfidence(material.predictions)
    if abs(excess) < ece.mean / 2:  # too sure here and too unsure there
        return f"Its probabilities cannot be taken at their word {figure}."
    return f"Its probabilities claim too {'much' if excess > 0 else 'little'} {figure}."


def believable(ece: Metric) -> bool:
    """Whether probabilities mean about what they say: a low ECE, or one that chance nearly gives."""
    return ece.mean <= max(TRUSTED_ECE, (ece.calibrated or 0) + NEAR_CHANCE)


def _confusion(results: Results) -> str:
    """The confusion that the largest share of an emotion's clips meets."""
    if results.confusion is None:
        return ""
    counts = np.asarray(results.confusion, np.float64)
    clips = counts.sum(1, keepdims=True)
    shares = np.divide(counts, clips, out=np.zeros_like(counts), where=clips > 0)
    np.fill_diagonal(shares, 0)
    if not shares.any():
        return "It made no mistake on these clips."
    target, answer = np.unravel_index(int(shares.argmax()), shares.shape)
    emotions = results.emotions
    return (
        f"It confuses {emotions[target]} with {emotions[answer]} most: {_whole(float(shares.max()))} of 100 "
        f"{emotions[target]} clips are called {emotions[answer]}."
    )


def _sexes(results: Results) -> str:
    told = []
    for gap in results.gaps.get("sex", ()):
        if gap.counts and gap.ci95 is not None:
            better, worse = (gap.first, gap.second) if gap.difference > 0 else (gap.second, gap.first)
            low, high = sorted(abs(100 * end) for end in gap.ci95)
            told.append(
                f"It recognises {better} voices better than {worse} ones, by "
                f"{abs(100 * gap.difference):.1f} points ({low:.1f} to {high:.1f})."
            )
    return " ".join(told)


def emotions_there(results: Results) -> int:
    """How many emotions the test has clips of, which is what guessing is held against."""
    if results.confusion is None:
        return len(results.emotions)
    return sum(1 for row in results.confusion if sum(row)) or len(results.emotions)


def _whole(share: float) -> str:
    return f"{100 * share:.0f}"
