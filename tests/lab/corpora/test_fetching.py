"""Fetching whole corpora from a server on this machine."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import fabricate
from vocemo.errors import CorpusError, DownloadError, UnknownNameError, UsageError
from vocemo.lab.corpora import CORPORA, Corpus, Listing, Step, fetch, read
from vocemo.lab.corpora.download import Downloaded


def zipped(root: Path) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        for path in sorted(root.rglob("*.wav")):
            opened.write(path, path.relative_to(root).as_posix())
    return packed.getvalue()


@pytest.fixture
def ravdess(site: Any, tmp_path: Path) -> Corpus:
    """RAVDESS as published, but small, and on this machine."""
    root = fabricate.ravdess(tmp_path / "publisher", speakers=1, clips_per_emotion=1, seconds=0.05)
    archives = []
    for archive in CORPORA["ravdess"].archives:
        content = zipped(root / archive.folder)
        site.files[f"/{archive.name}"] = content
        archives.append(
            replace(
                archive,
                url=f"{site.url}/{archive.name}",
                size_bytes=len(content),
                md5=hashlib.md5(content).hexdigest(),
            )
        )
    return replace(CORPORA["ravdess"], archives=tuple(archives))


def test_archives_are_fetched_checked_and_unpacked(ravdess: Corpus, tmp_path: Path) -> None:
    steps: list[Step] = []
    fetched = fetch(ravdess, tmp_path / "data", progress=steps.append)
    assert fetched.clips == 8 + 6
    assert all(file.verified for file in fetched.files)
    manifest = read(f"ravdess:{tmp_path / 'data'}")
    assert {clip.channel for clip in manifest} == {"speech", "song"}
    name = "Audio_Speech_Actors_01-24.zip"
    record = (tmp_path / "data" / f"{name}.sha256").read_text()
    assert record == f"{fetched.files[0].sha256}  {name}\n"
    assert not (tmp_path / "data" / name).exists()
    assert {(step.doing, step.name) for step in steps} >= {("download", name), ("unpack", name)}
    assert all(step.total is not None and 0 <= step.done <= step.total for step in steps)


def test_archives_are_kept_when_asked(ravdess: Corpus, tmp_path: Path) -> None:
    fetch(ravdess, tmp_path / "data", keep_archives=True)
    assert (tmp_path / "data" / "Audio_Song_Actors_01-24.zip").exists()


@pytest.mark.parametrize("name", ["emodb", "ravdess-song"])
def test_what_is_complete_is_not_fetched_again(site: Any, tmp_path: Path, name: str) -> None:
    corpus = CORPORA[name]
    names = sorted(corpus.names(frozenset()))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        for clip in names:
            opened.writestr(f"{clip}.wav", b"as whole as its name")
    site.files["/all.zip"] = packed.getvalue()
    archive = replace(corpus.archives[0], url=f"{site.url}/all.zip", size_bytes=None, md5=None)
    corpus = replace(corpus, archives=(archive,))
    assert len(fetch(corpus, tmp_path / "data").files) == 1
    assert fetch(corpus, tmp_path / "data").files == ()
    assert len(site.requests) == 1
    (tmp_path / "data" / archive.folder / f"{names[7]}.wav").unlink()
    assert len(fetch(corpus, tmp_path / "data").files) == 1


def test_an_archive_of_something_else(site: Any, tmp_path: Path) -> None:
    site.files["/x.zip"] = zipped(fabricate.savee(tmp_path / "savee", clips_per_emotion=1, seconds=0.02))
    archive = replace(CORPORA["emodb"].archives[0], url=f"{site.url}/x.zip")
    with pytest.raises(CorpusError, match="holds no clips of corpus 'emodb'"):
        fetch(replace(CORPORA["emodb"], archives=(archive,)), tmp_path / "data")


def test_a_publisher_that_is_gone(site: Any, ravdess: Corpus, tmp_path: Path) -> None:
    site.files.clear()
    with pytest.raises(DownloadError, match=r"Audio_Speech.*answers 404"):
        fetch(ravdess, tmp_path / "data")


def test_a_changed_archive_is_not_unpacked(site: Any, ravdess: Corpus, tmp_path: Path) -> None:
    name = "/Audio_Speech_Actors_01-24.zip"
    content = site.files[name]
    site.files[name] = content[:-30] + b"x" + content[-29:]
    with pytest.raises(DownloadError, match="its MD5 is"):
        fetch(ravdess, tmp_path / "data")
    assert list((tmp_path / "data").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("savee", "register at http"),
        ("aesdd", r"m3c\.web\.auth\.gr"),
        ("crema-d", "git clone https"),
        ("folder", "yours"),
    ],
)
def test_where_no_file_is_offered_the_message_says_where_to_go(name: str, where: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=where):
        fetch(name, tmp_path)
    with pytest.raises(UnknownNameError, match="did you mean 'savee'"):
        fetch("savvee", tmp_path)


def dataverse(site: Any, root: Path) -> tuple[Corpus, list[dict[str, Any]]]:
    """TESS as its publisher lists it, and the list."""
    entries: list[dict[str, Any]] = []
    for number, path in enumerate(sorted(root.rglob("*.wav")), start=100):
        content = path.read_bytes()
        site.files[f"/api/access/datafile/{number}"] = content
        checksum = hashlib.md5(content).hexdigest()
        entries.append(
            {
                "label": path.name,
                "directoryLabel": path.parent.name,
                "restricted": False,
                "dataFile": {"id": number, "filesize": len(content), "md5": checksum},
            }
        )
    entries.append({"label": "readme.txt", "dataFile": {"id": 1, "filesize": 1, "md5": ""}})
    corpus = replace(CORPORA["tess"], listing=Listing(site.url, "doi:10.5683/SP2/E8H2MF"))
    return corpus, entries


def offer(site: Any, body: object) -> None:
    path = "/api/datasets/:persistentId/versions/:latest/files?persistentId=doi:10.5683/SP2/E8H2MF"
    site.files[path] = json.dumps(body).encode()


def test_a_data_set_file_by_file(site: Any, tmp_path: Path) -> None:
    root = fabricate.tess(tmp_path / "publisher", clips_per_emotion=1, seconds=0.05)
    corpus, entries = dataverse(site, root)
    offer(site, {"status": "OK", "data": entries})
    steps: list[Step] = []
    fetched = fetch(corpus, tmp_path / "data", progress=steps.append)
    assert fetched.clips == len(fetched.files) == 14
    assert all(isinstance(file, Downloaded) and file.verified for file in fetched.files)
    assert steps[-1].done == steps[-1].total
    gone = tmp_path / "data" / "OAF_angry" / "OAF_back_angry.wav"
    gone.unlink()
    again = fetch(corpus, tmp_path / "data")
    assert [file.path for file in again.files] == [gone]


def test_a_list_that_means_harm_or_is_none(site: Any, tmp_path: Path) -> None:
    corpus, entries = dataverse(site, fabricate.tess(tmp_path / "publisher", 1, 1, 0.05))
    offer(site, {"data": [entries[0] | {"directoryLabel": "../../up"}]})
    with pytest.raises(DownloadError, match="unsafe path"):
        fetch(corpus, tmp_path / "data")
    offer(site, {"status": "ERROR"})
    with pytest.raises(DownloadError, match="no list of files"):
        fetch(corpus, tmp_path / "data")
    offer(site, {"data": []})
    with pytest.raises(DownloadError, match="no audio file among 0"):
        fetch(corpus, tmp_path / "data")
    site.files.clear()
    with pytest.raises(DownloadError, match=r"no list of files \(Not Found\)"):
        fetch(corpus, tmp_path / "data")
