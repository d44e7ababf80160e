"""Downloads that are cut, changed, refused and resumed, from a server on this machine."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from vocemo.errors import DownloadError
from vocemo.lab.corpora import Archive
from vocemo.lab.corpora.download import Downloaded, download

CONTENT = bytes(range(256)) * 4000  # 1,024,000 bytes


def archive(site: Any, **published: Any) -> Archive:
    site.files["/a.zip"] = CONTENT
    return Archive("a.zip", f"{site.url}/a.zip", **published)


def get(site: Any, target: Path, **published: Any) -> Downloaded:
    return download(archive(site, **published), target, pause_s=0.0, retries=2, timeout_s=5.0)


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_whole_download(site: Any, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    came = download(
        archive(site, md5=md5(CONTENT), size_bytes=len(CONTENT)),
        tmp_path / "new" / "a.zip",
        progress=lambda done, total: seen.append((done, total)),
    )
    assert came.path.read_bytes() == CONTENT
    assert came.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert came.verified
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert left(tmp_path / "new") == {"a.zip"}


def test_what_is_there_is_not_fetched_again(site: Any, tmp_path: Path) -> None:
    get(site, tmp_path / "a.zip", md5=md5(CONTENT))
    get(site, tmp_path / "a.zip", md5=md5(CONTENT))
    assert len(site.requests) == 1
    (tmp_path / "a.zip").write_bytes(b"something else")
    assert get(site, tmp_path / "a.zip", md5=md5(CONTENT)).path.read_bytes() == CONTENT


@pytest.mark.parametrize("length", [True, False])
def test_a_cut_is_resumed_where_it_was(site: Any, tmp_path: Path, length: bool) -> None:
    site.cut_after = [300_000, 1, 200_000] if length else []
    site.length = length
    came = get(site, tmp_path / "a.zip", md5=md5(CONTENT))
    assert came.path.read_bytes() == CONTENT
    if length:
        assert [span for _, span in site.requests] == [
            None,
            "bytes=300000-",
            "bytes=300001-",
            "bytes=500001-",
        ]


def test_another_run_resumes(site: Any, tmp_path: Path) -> None:
    site.cut_after = [300_000, 0, 0, 0]
    with pytest.raises(DownloadError, match=r"300,000 of 1,024,000 bytes; gave up after 2 more tries"):
        get(site, tmp_path / "a.zip")
    assert (tmp_path / "a.zip.part").stat().st_size == 300_000
    site.requests.clear()
    assert get(site, tmp_path / "a.zip").path.read_bytes() == CONTENT
    assert site.requests == [("/a.zip", "bytes=300000-")]
    assert left(tmp_path) == {"a.zip"}


def test_progress_never_gives_up_while_bytes_come(site: Any, tmp_path: Path) -> None:
    site.cut_after = [50_000] * 20
    assert get(site, tmp_path / "a.zip").path.read_bytes() == CONTENT


def test_a_server_without_ranges_begins_anew(site: Any, tmp_path: Path) -> None:
    site.ranges, site.cut_after = False, [300_000]
    assert get(site, tmp_path / "a.zip", md5=md5(CONTENT)).path.read_bytes() == CONTENT


@pytest.mark.parametrize("ignore_if_range", [False, True])
def test_a_file_that_changed_meanwhile_begins_anew(site: Any, tmp_path: Path, ignore_if_range: bool) -> None:
    site.cut_after = [300_000, 0, 0, 0]
    with pytest.raises(DownloadError):
        get(site, tmp_path / "a.zip")
    changed = CONTENT[::-1] + b"longer"
    wanted = archive(site)
    site.files["/a.zip"], site.etag, site.ignore_if_range = changed, '"two"', ignore_if_range
    came = download(wanted, tmp_path / "a.zip", pause_s=0.0)
    assert came.path.read_bytes() == changed


def test_a_part_that_is_whole_already(site: Any, tmp_path: Path) -> None:
    (tmp_path / "a.zip.part").write_bytes(CONTENT)
    (tmp_path / "a.zip.part.json").write_text(json.dumps({"validator": '"one"', "total": len(CONTENT)}))
    assert get(site, tmp_path / "a.zip", md5=md5(CONTENT)).path.read_bytes() == CONTENT


def test_a_part_longer_than_the_file_begins_anew(site: Any, tmp_path: Path) -> None:
    (tmp_path / "a.zip.part").write_bytes(CONTENT + b"more")
    (tmp_path / "a.zip.part.json").write_text(json.dumps({"validator": '"one"', "total": None}))
    assert get(site, tmp_path / "a.zip").path.read_bytes() == CONTENT


def test_a_part_without_notes_is_not_trusted(site: Any, tmp_path: Path) -> None:
    (tmp_path / "a.zip.part").write_bytes(b"of something else")
    assert get(site, tmp_path / "a.zip").path.read_bytes() == CONTENT
    assert site.requests == [("/a.zip", None)]


@pytest.mark.parametrize(
    ("published", "what"),
    [
        ({"md5": "0" * 32}, "its MD5 is"),
        ({"sha256": "0" * 64}, "its SHA-256 is"),
        ({"size_bytes": 5}, "its size is 1024000, the publisher's 5"),
    ],
)
def test_what_is_not_the_published_file_is_removed(
    site: Any, tmp_path: Path, published: dict[str, Any], what: str
) -> None:
    with pytest.raises(DownloadError, match=what):
        get(site, tmp_path / "a.zip", **published)
    assert left(tmp_path) == set()


def test_a_refusal_is_final_and_an_overload_is_not(site: Any, tmp_path: Path) -> None:
    site.failures = [503, 429]
    assert get(site, tmp_path / "a.zip").path.read_bytes() == CONTENT
    for status in (404, 403):
        site.failures, site.requests = [status], []
        with pytest.raises(DownloadError, match=f"answers {status}"):
            get(site, tmp_path / "b.zip")
        assert len(site.requests) == 1
    site.failures = [500] * 9
    with pytest.raises(DownloadError, match=r"answers 500 .*gave up after 2"):
        get(site, tmp_path / "b.zip")


def test_nobody_there_and_no_http(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="refused"):
        download(Archive("a", "http://127.0.0.1:9/a"), tmp_path / "a", pause_s=0.0, retries=1)
    with pytest.raises(DownloadError, match="not an HTTP address"):
        download(Archive("a", "file:///etc/passwd"), tmp_path / "a", pause_s=0.0)


def test_a_file_that_the_disk_cannot_hold(site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("vocemo.lab.corpora.download.shutil.disk_usage", lambda path: usage)
    with pytest.raises(DownloadError, match="needs 1,024,000 bytes; 1,000 are free"):
        get(site, tmp_path / "a.zip")
