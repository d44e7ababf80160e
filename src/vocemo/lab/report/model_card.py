"""A model card in Markdown: what a model is, may be used for, learnt from and was measured at.

The sections are those of Mitchell et al., "Model Cards for Model Reporting", FAT* 2019, 220-229,
doi:10.1145/3287560.3287596. All of it is rendered from what the bundle says of itself and, where it is at
hand, from the run that it was made of. What is not known is called so.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vocemo.bundle import Bundle, BundleInfo
from vocemo.errors import UsageError
from vocemo.lab import energy
from vocemo.lab.corpora import CORPORA, Corpus
from vocemo.lab.report import model_card_figures as figures
from vocemo.lab.report import model_card_text as text
from vocemo.lab.report.model_card_figures import NOT_MEASURED
from vocemo.lab.run import RunFolder

MARK = "<!-- written by vocemo export: it is written anew with the model -->"


@dataclass(frozen=True)
class Training:
    """What the run knows beside the bundle: how long and on what it trained, and the command."""

    seconds: float
    energy: energy.Energy
    made: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: RunFolder) -> Training:
        """From a complete run; a training that was resumed is the sum of its epochs."""
        made, records, seconds = folder.info().made, folder.history(), folder.outcome().train_seconds
        return cls(seconds, energy.of_training(seconds, made, [record.energy_j for record in records]), made)


def write(bundle: Path, path: Path, run: Path | None = None) -> None:
    """Write the card of a bundle; `run` is the run folder that it was made of.

    Raises UsageError where the file is somebody's own.
    """
    check_free(path)
    training = Training.of(RunFolder(run)) if run else None
    opened = Bundle.open(bundle, device="cpu")
    digest = hashlib.sha256(bundle.read_bytes()).hexdigest()
    size = bundle.stat().st_size
    path.write_text(render(opened.info, bundle.name, size, digest, training), encoding="utf-8")


def check_free(path: Path) -> None:
    """Raise UsageError for a file that is there and no card of vocemo's."""
    if path.is_dir() or (path.is_file() and MARK not in path.read_text(encoding="utf-8", errors="replace")):
        raise UsageError(
            f"the model card would be written to {path}, which is there and no card: move it, choose another "
            "--out, or leave the card out with --no-card"
        )


def render(
    info: BundleInfo, file: str, size_bytes: int, sha256: str, training: Training | None = None
) -> str:
    """The card as Markdown."""
    sections = (
        ("", [f"# {info.name}", MARK, _verdict(info)]),
        ("Model details", _details(info, file, size_bytes)),
        ("Intended use", [*text.INTENDED, "### Uses to refuse", *text.REFUSED]),
        ("Factors", _factors(info)),
        ("Metrics", text.METRICS),
        (
            "Evaluation data",
            [_protocol(result) for result in info.results] or [f"{NOT_MEASURED.capitalize()}."],
        ),
        ("Training data", _training_data(info)),
        ("Quantitative analyses", figures.analyses(info)),
        ("Ethical considerations", text.ETHICS),
        ("Caveats and recommendations", _caveats(info)),
        ("Energy and time", _cost(info, training)),
        ("How to verify", _verify(info, file, sha256, training)),
    )
    lines: list[str] = []
    for title, paragraphs in sections:
        lines += [f"## {title}"] * bool(title)
        lines += paragraphs
    return "\n\n".join(lines) + "\n"


def _verdict(info: BundleInfo) -> str:
    """The headline in a sentence."""
    task = f"An emotion for a recording of speech, one of {len(info.emotions)}: {', '.join(info.emotions)}."
    known = [result for result in info.results if figures.independent(result)]
    if known:
        best = known[0]
        count = f" ({speakers} of them)" if (speakers := figures.tested_speakers(best)) else ""
        which = "it" if best.get("protocol") == figures.HELD_OUT else "a model trained in the same way"
        if best.get("recipe") not in (info.name, info.training.recipe):
            which = f"a model of recipe {best.get('recipe')}"
        return (
            f"{task} On speakers that it has not heard{count}, {which} has an unweighted average recall "
            f"(UAR) of **{figures.metric(best, 'uar')}**; chance is {100 / len(info.emotions):.1f} %."
        )
    if info.results:
        other = info.results[0]
        why = "LEAKY: on voices that were in training" if other.get("leaky", True) else "On voices of which "
        why += "" if other.get("leaky", True) else "nobody knows whether they were in training"
        return (
            f"{task} {why}, its UAR is {figures.metric(other, 'uar')}. On speakers that it has not heard it "
            f"is **{NOT_MEASURED}**."
        )
    return f"{task} How good it is, is **{NOT_MEASURED}**: the file carries no result."


def _details(info: BundleInfo, file: str, size_bytes: int) -> list[str]:
    made = info.training
    recipe = f"`{made.recipe}`, SHA-256 `{made.recipe_sha256}`" if made.recipe else "not stated"
    rows = [
        ("File", f"`{file}`, {size_bytes / 1e6:.2f} MB, weights stored as {info.stored}"),
        (
            "Made by",
            f"vocemo {info.vocemo_version or 'of an unknown version'}, commit {made.commit or 'not stated'}",
        ),
        ("Date", made.date or "not stated"),
        ("Recipe", recipe),
        ("Parameters", f"{made.parameters:,}" if made.parameters else "not stated"),
        (
            "Takes",
            f"mono samples at {info.preparation.sample_rate:,} Hz, up to {info.preparation.max_length_s:g} s"
            " at a time; vocemo brings any recording to that",
        ),
        ("Gives", "a probability for each emotion, the logits and an embedding"),
        ("Licence of the weights", info.licence or "not stated: ask whoever trained it"),
    ]
    attribution = [f"- {each}" for each in info.attribution]
    return [
        figures.table(("", ""), rows),
        *(["Whoever passes the weights on names:", "\n".join(attribution)] if attribution else []),
        "Questions and corrections go to whoever gave you this file; vocemo's own go to its repository.",
    ]


def _factors(info: BundleInfo) -> list[str]:
    known = [corpus for corpus in map(_corpus, info.training.corpora) if corpus and corpus.people]
    lines = [
        f"- {corpus.title}: {corpus.people} ({corpus.setting}), as its authors describe it "
        f"({_source(corpus)})"
        for corpus in known
    ]
    heard = (
        ["Who is heard in training:", "\n".join(lines)]
        if lines
        else ["Who is heard in training is not stated."]
    )
    return [
        "How well an emotion is recognised depends on who speaks (sex, age, language, accent, culture), on "
        "how it is expressed (acted or felt, weak or strong), and on the recording (room, distance, "
        "channel, noise).",
        *heard,
        "Figures for groups stand under Quantitative analyses, as far as they were measured.",
    ]


def _protocol(result: Mapping[str, Any]) -> str:
    if result.get("leaky", True):
        leak = (
            " **LEAKY: voices of the test were in training, so that its figures say nothing of new voices.**"
        )
    elif result.get("protocol") == figures.HELD_OUT:
        leak = " The model was trained on other corpora."
    elif figures.independent(result):
        leak = " No test speaker is in training or validation; the leak audit held each fold to that."
    else:
        leak = " Whether its speakers were in training is not known."
    seeds = result.get("seeds", [])
    return (
        f"Protocol `{result.get('protocol', 'not stated')}` on {figures.listed(result.get('corpora', []))}: "
        f"{result.get('folds', '?')} fold{'s' * (result.get('folds') != 1)}, {len(seeds)} "
        f"seed{'s' * (len(seeds) != 1)}, {result.get('clips', '?')} test clips"
        + (f" of {speakers} speakers" if (speakers := figures.tested_speakers(result)) else "")
        + f", {result.get('date', 'date not stated')}.{leak}"
    )


def _training_data(info: BundleInfo) -> list[str]:
    made = info.training
    protocol = made.protocol or "not stated"
    if made.protocol == "all":
        protocol = (
            "`all`: every clip trains, none tests it; the figures here are of its cross-validation's models"
        )
    lines = [
        f"{made.clips:,} clips of {made.speakers} speakers, median {made.duration_median_s:g} s. Protocol: "
        f"{protocol}."
    ]
    rows = []
    for name in made.corpora:
        corpus = _corpus(name)
        licence = corpus.licence if corpus else "not stated"
        what = f"{corpus.title}: {corpus.summary}" if corpus else name
        rows.append((what, licence, text.meaning(licence)))
    return [
        *lines,
        figures.table(("corpus", "licence", "what it means for the weights"), rows),
        text.NO_LAWYER,
    ]


def _caveats(info: BundleInfo) -> list[str]:
    known = [corpus for corpus in map(_corpus, info.training.corpora) if corpus]
    limits = []
    if known and all("acted" in corpus.setting for corpus in known):
        limits.append(
            "Every emotion in training was acted. Felt ones are weaker and mixed; expect lower figures."
        )
    languages = sorted({text.LANGUAGES.get(c.language, c.language) for c in known if c.language})
    if languages:
        limits.append(f"It heard no language but {figures.listed(languages)}. Others: {NOT_MEASURED}.")
    if known and all(corpus.setting for corpus in known):
        settings = dict.fromkeys(f"{corpus.name}: {corpus.setting}" for corpus in known)
        limits.append(
            f"How its clips were recorded: {'; '.join(settings)}. Telephones, crowds and rooms differ."
        )
    if info.training.speakers:
        limits.append(
            f"{info.training.speakers} speakers are few. Children, old people and accents that are not "
            f"among them: {NOT_MEASURED}."
        )
    return ["\n".join(f"- {limit}" for limit in [*limits, *text.CAVEATS])]


def _cost(info: BundleInfo, training: Training | None) -> list[str]:
    lines = []
    if training:
        called = "measured" if training.energy.measured else "estimated"
        lines.append(
            f"- Training of this model: {_duration(training.seconds)} on {_machine(training.made)}; "
            f"{_amount(training.energy.kwh)}, **{called}**: {training.energy.how}"
        )
    else:
        lines.append("- Training of this model: not recorded")
    for result in info.results:
        if "train_seconds" not in result:
            continue
        seconds = float(result["train_seconds"])
        line = f"- Cross-validation by `{result.get('protocol')}`: {_duration(seconds)} of training"
        same = training and str(result.get("device", "")) == str(training.made.get("device", ""))
        if same and training:
            estimate = energy.of_training(seconds, training.made)
            line += f"; {_amount(estimate.kwh)}, **estimated** as for the same machine: {estimate.how}"
        lines.append(line)
    return ["\n".join(lines), text.ENERGY, text.ANSWER_TIME]


def _verify(info: BundleInfo, file: str, sha256: str, training: Training | None) -> list[str]:
    commands = [f"sha256sum {shlex.quote(file)}   # {sha256}", f"vocemo info {shlex.quote(file)}"]
    commands += [str(result["command"]) for result in info.results if result.get("command")]
    if training and training.made.get("command"):
        commands.append(str(training.made["command"]))
    versions = training.made.get("versions", {}) if training else {}
    found = [f"```\n{chr(10).join(dict.fromkeys(commands))}\n```"]
    if info.training.recipe_sha256:
        found.append(f"The recipe's SHA-256 is `{info.training.recipe_sha256}`; seed {info.training.seed}.")
    if versions:
        found.append(
            "Trained with " + ", ".join(f"{name} {version}" for name, version in versions.items()) + "."
        )
    return found


def _machine(made: Mapping[str, Any]) -> str:
    threads = f", {made['threads']} threads" if "threads" in made else ""
    return f"{made.get('device', 'a device that is not recorded')}{threads}"


def _duration(seconds: float) -> str:
    return (
        f"{seconds / 3600:.1f} h"
        if seconds >= 5400
        else f"{seconds / 60:.0f} min"
        if seconds >= 90
        else f"{seconds:.0f} s"
    )


def _corpus(name: str) -> Corpus | None:
    known = name in CORPORA  # a bundle may name a corpus that this vocemo does not know
    return CORPORA[name] if known else None


def _source(corpus: Corpus) -> str:
    return f"doi:{corpus.doi}" if corpus.doi else corpus.homepage or "its own description"


def _amount(kwh: float) -> str:
    return f"{kwh:.2f} kWh" if kwh >= 0.1 else f"{1000 * kwh:.1f} Wh"
