"""The page: one file that stands alone, with every picture and every fault in it."""

from __future__ import annotations

import base64
import html
import io
import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib import image as matplotlib_image
from PIL import Image

from pages import Page
from vocemo.lab.explore import Survey, survey, write_page
from vocemo.lab.explore.examples import EXAMPLE_RATE_HZ, choose, effects, example
from vocemo.lab.explore.page import lead


@pytest.fixture(scope="module")
def written(surveyed: Survey, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page") / "out"
    write_page(surveyed, folder, seed=1)
    return folder


def test_the_page_is_whole_and_needs_no_network(written: Path) -> None:
    text = (written / "explore.html").read_text(encoding="utf-8")
    page = Page(text)
    page.stands_alone("data:image/webp;base64,")
    assert "url(" not in text and "@import" not in text


def test_every_picture_is_in_it_light_and_dark(written: Path) -> None:
    page = Page((written / "explore.html").read_text(encoding="utf-8"))
    files = sorted(path.stem for path in (written / "pictures").iterdir())
    images, sources = page.all("img"), page.all("source")
    assert len(files) == len(images) == len(sources)
    assert {"clips-by-emotion", "clips-by-speaker", "durations", "speech-level", "peak", "noise-floor"} < set(
        files
    )
    assert {"pitch", "pitch-and-energy", "pitch-range", "voiced-share"} < set(files)
    assert {f"example-{emotion}" for emotion in ("neutral", "happy", "sad", "angry")} < set(files)
    assert {f"effect-{name}" for name in ("original", "noise", "stretch", "shift", "pitch")} < set(files)
    for attributes, brighter in ((images, True), (sources, False)):
        for each in attributes:
            url = each["src" if brighter else "srcset"] or ""
            pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("L"))
            assert (pixels[2, 2] > 128) == brighter
            if brighter:
                assert pixels.shape == (int(each["height"] or 0), int(each["width"] or 0))
                assert len(each["alt"] or "") > 15
    assert all(each["media"] == "(prefers-color-scheme: dark)" for each in sources)
    assert matplotlib_image.imread(written / "pictures" / "pitch.png").shape[1] == 832


def test_faults_and_facts_stand_in_it(written: Path, surveyed: Survey) -> None:
    words = " ".join(Page((written / "explore.html").read_text(encoding="utf-8")).words)
    assert lead(surveyed) in words
    for name in ("silent.wav", "clipped.wav", "copy.flac", "neutral-too.wav", "broken.wav", "loose.wav"):
        assert name in words
    told = json.loads((written / "explore.json").read_text(encoding="utf-8"))
    for finding in told["findings"]:
        assert finding["text"] in words
    assert told["seed"] == 1


def test_names_from_the_disk_are_escaped_and_the_page_is_the_same_again(tmp_path: Path) -> None:
    import fabricate

    root = fabricate.folder(tmp_path / "corpus", emotions=("happy",), clips_per_emotion=1, seconds=0.3)
    nasty = "<img src=x onerror=alert(1)>&$x$"
    (root / "happy").rename(root / nasty)
    (root / nasty / "anna" / "<b>.wav").write_bytes(b"text")
    found = survey([f"folder:{root}"])
    text = write_page(found, tmp_path / "out").page.read_text(encoding="utf-8")
    assert "<img src=x" not in text
    assert html.escape("<b>.wav") in text
    assert write_page(found, tmp_path / "again").page.read_text(encoding="utf-8") == text


def test_the_lead_counts_people(ravdess: Path) -> None:
    found = survey([f"ravdess:{ravdess}"])
    assert lead(found).startswith(f"{len(found.clips)} clips, ")
    assert "2 speakers (1 woman, 1 man), 8 emotions, English." in lead(found)


def test_examples_keep_to_one_speaker_and_sentence(ravdess: Path) -> None:
    found = survey([f"ravdess:{ravdess}"])
    chosen = choose(found, seed=0)
    assert list(chosen) == list(found.manifest.emotions)
    assert len({clip.speaker for clip in chosen.values()}) == 1
    assert len({clip.sentence for clip in chosen.values()}) == 1
    assert {clip.channel for clip in chosen.values()} == {"speech"}
    speakers = {next(iter(choose(found, seed=seed).values())).speaker for seed in range(8)}
    assert len(speakers) == 2


def test_effects_are_what_they_are_called(surveyed: Survey) -> None:
    clip = choose(surveyed)["happy"]
    made = {each.name: each.samples for each in effects(example("happy", "happy", clip), seed=0)}
    original = made["original"].astype(np.float64)
    noise = made["noise"] - original
    assert 10 * np.log10(np.mean(original**2) / np.mean(noise**2)) == pytest.approx(10, abs=1.0)
    assert len(made["stretch"]) == pytest.approx(len(original) / 0.8, rel=0.01)
    shift = min(round(0.4 * EXAMPLE_RATE_HZ), len(original) // 2)
    np.testing.assert_array_equal(made["shift"][shift:], made["original"][: len(original) - shift])
    assert len(made["pitch"]) == len(original)
