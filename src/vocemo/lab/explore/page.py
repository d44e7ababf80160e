"""The page of a survey: one HTML file with every picture in it, light and dark, that needs no network."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vocemo.lab.corpora import Corpus
from vocemo.lab.explore import numbers_file
from vocemo.lab.explore.pictures import Picture, pictures
from vocemo.lab.explore.rules import findings
from vocemo.lab.explore.summary import counts, speaker_of
from vocemo.lab.explore.surveying import Survey
from vocemo.lab.report import page
from vocemo.lab.report.figures import DPI, save
from vocemo.lab.report.theme import DARK, LIGHT
from vocemo.lab.report.wording import many

if TYPE_CHECKING:
    from PIL.Image import Image

TEMPLATE = "explore/page.html.jinja"
PAGE, NUMBERS, PICTURES = "explore.html", "explore.json", "pictures"
LISTED = 40  # files of one kind on the page; explore.json has them all
SPECTROGRAM_QUALITY = 88  # of WebP, at a sixth of a PNG's size
LANGUAGES = {"en": "English", "de": "German", "el": "Greek"}
SECTIONS = {
    "labels": ("Clips", ""),
    "levels": (
        "Length, level and noise",
        "Lines go from the 5th to the 95th percentile, bars over the middle half.",
    ),
    "voice": ("Pitch and energy", "Lines go from the 5th to the 95th percentile, bars over the middle half."),
    "examples": (
        "An example of each emotion",
        "The waveform, each at its own scale; the mel spectrogram over 80 dB, bright is loud; the pitch "
        "in Hz. One speaker and one sentence wherever the corpus has them. Grey stands behind a clip's end.",
    ),
    "effects": (
        "What augmentation does to one clip",
        "The same clip under the augmentations that training draws from, each stronger than is "
        "usual, so that it shows.",
    ),
}


@dataclass(frozen=True)
class Written:
    """Where the results lie."""

    page: Path
    numbers: Path
    pictures: tuple[Path, ...]


@dataclass(frozen=True)
class _Embedded:
    """A picture of the page; the sources are data URLs."""

    name: str
    caption: str
    light: str
    dark: str
    width: int
    height: int


@dataclass(frozen=True)
class _Section:
    name: str
    title: str
    text: str
    pictures: list[_Embedded]


def write(
    survey: Survey,
    folder: str | os.PathLike[str],
    *,
    seed: int = 0,
    limit: int | None = None,
    each: Callable[[], None] | None = None,
) -> Written:
    """Write explore.html, explore.json and pictures/*.png into a folder, which is made.

    each: called after each picture.
    errors: MissingExtraError where Matplotlib or Jinja is not installed.
    """
    template = page.template(TEMPLATE, "a page about a corpus")  # before pictures take their time
    out = Path(folder)
    (out / PICTURES).mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    found: dict[str, list[_Embedded]] = {name: [] for name in SECTIONS}
    for picture in pictures(survey, seed):
        written.append(save(picture.draw(LIGHT), out / PICTURES / f"{picture.name}.png"))
        found[picture.section].append(_embedded(picture, written[-1]))
        if each is not None:
            each()
    sections = [_Section(name, *SECTIONS[name], found[name]) for name in SECTIONS if found[name]]
    told = numbers_file.numbers(survey, seed=seed, limit=limit)
    text = template.render(
        title=" and ".join(corpus.title for corpus in survey.corpora),
        lead=lead(survey),
        sampled=_sampled(survey, seed),
        song_left_out=len(survey.clips) - len(survey.spoken.clips),
        corpora=survey.corpora,
        findings=findings(survey),
        sections=sections,
        lists=list(_lists(told)),
        listed=LISTED,
        numbers_name=NUMBERS,
        version=told["versions"].get("vocemo", ""),
        date=told["date"],
    )
    return Written(page.write(text, out / PAGE), numbers_file.write(told, out / NUMBERS), tuple(written))


def lead(survey: Survey) -> str:
    """What the corpus is, in a sentence."""
    voices, sexes = counts(survey, speaker_of), {}
    for each in survey.clips:
        if each.clip.speaker in voices and each.clip.sex is not None:
            sexes[each.clip.speaker] = each.clip.sex
    women, men = (list(sexes.values()).count(sex) for sex in ("female", "male"))
    who = many(len(voices), "speaker") if voices else "speakers not named"
    if sexes:
        who += f" ({many(women, 'woman', 'women')}, {many(men, 'man', 'men')})"
    hours = survey.duration_s / 3600
    long = f"{hours:.2f} hours" if hours >= 0.1 else f"{survey.duration_s / 60:.1f} minutes"
    told = [many(len(survey.clips), "clip"), long, who, many(len(survey.manifest.emotions), "emotion")]
    told += dict.fromkeys(_language(corpus) for corpus in survey.corpora if corpus.language)
    return ", ".join(told) + "."


def _language(corpus: Corpus) -> str:
    return LANGUAGES.get(corpus.language or "", corpus.language or "")


def _sampled(survey: Survey, seed: int) -> str:
    looked_at = len(survey.clips) + len(survey.unreadable) + len(survey.known_flaws)
    if looked_at >= survey.found:
        return ""
    drawn = f"{looked_at:,} of {survey.found:,} clips, drawn with seed {seed}"
    return f"A quick look: {drawn}. Counts are of these alone."


def _embedded(picture: Picture, light_file: Path) -> _Embedded:
    """The picture as the page holds it: the light one as it was saved, and the dark one."""
    from PIL import Image

    dark_file = io.BytesIO()
    dark = picture.draw(DARK)
    dark.savefig(dark_file, format="png", dpi=DPI, facecolor=dark.get_facecolor())
    with Image.open(light_file) as light_image, Image.open(dark_file) as dark_image:
        light_url, dark_url = (_data_url(image, picture.sound) for image in (light_image, dark_image))
        return _Embedded(picture.name, picture.caption, light_url, dark_url, *light_image.size)


def _data_url(image: Image, lossy: bool) -> str:
    """A picture as WebP in a data URL: exact where it is lines and words, lossy where a spectrogram."""
    packed = io.BytesIO()
    how: dict[str, Any] = {"quality": SPECTROGRAM_QUALITY} if lossy else {"lossless": True}
    image.convert("RGB").save(packed, "WEBP", method=2, **how)
    return "data:image/webp;base64," + base64.b64encode(packed.getvalue()).decode("ascii")


def _lists(told: dict[str, Any]) -> Iterator[tuple[str, Sequence[str]]]:
    """The files that want a look, by kind."""
    for title, rows in (
        ("Unreadable", [f"{row['path']}: {row['reason']}" for row in told["unreadable"]]),
        (
            "Unreadable in the publisher's release too",
            [f"{row['path']}: {row['reason']}" for row in told["known_flaws"]],
        ),
        ("Decoded, with a warning", [f"{row['path']}: {row['reason']}" for row in told["damaged"]]),
        ("Silent", list(told["silent"])),
        ("Clipped", [f"{row['path']}: {row['samples']:,} samples" for row in told["clipped"]]),
        ("Same content", [_same(row) for row in told["duplicates"]]),
        ("Not a clip of the corpus", [f"{row['path']}: {row['reason']}" for row in told["stray"]]),
    ):
        if rows:
            yield title, rows


def _same(row: dict[str, Any]) -> str:
    more = " (in the publisher's own release)" if row["known"] else ""
    more += " (labelled differently)" if row["contradictory"] else ""
    return " = ".join(row["paths"]) + more
