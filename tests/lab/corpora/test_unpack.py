"""Archives that mean harm write nothing."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vocemo.errors import DownloadError
from vocemo.lab.corpora.unpack import safe_path, unpack


def archive(tmp_path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", method) as opened:
        for name, content in members.items():
            opened.writestr(zipfile.ZipInfo(name), content, compress_type=method)
    return path


def below(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_a_good_archive(tmp_path: Path) -> None:
    path = archive(
        tmp_path,
        {
            "Actor_01/": b"",
            "Actor_01/a.wav": b"a" * 1000,
            "b (1).wav": b"b",
            "__MACOSX/Actor_01/._a.wav": b"x",
            "Actor_01/.DS_Store": b"x",
        },
    )
    seen: list[tuple[int, int]] = []
    written = unpack(path, tmp_path / "out", progress=lambda done, total: seen.append((done, total)))
    assert below(tmp_path / "out") == {"Actor_01/a.wav", "b (1).wav"}
    assert [p.name for p in written] == ["a.wav", "b (1).wav"]
    assert (tmp_path / "out" / "Actor_01" / "a.wav").read_bytes() == b"a" * 1000
    assert seen[-1] == (1001, 1001)
    unpack(path, tmp_path / "out")  # again is harmless


@pytest.mark.parametrize(
    "name",
    ["../evil", "a/../../evil", "/etc/evil", "..\\evil", "C:\\evil", "C:/evil", "\\\\host\\evil", "a/.."],
)
def test_a_path_that_leaves_the_target(tmp_path: Path, name: str) -> None:
    path = archive(tmp_path, {"good.wav": b"good", name: b"evil"})
    with pytest.raises(DownloadError, match="unsafe path"):
        unpack(path, tmp_path / "deep" / "out")
    assert below(tmp_path) == {"a.zip"}


@given(name=st.text(alphabet="ab./\\:~", min_size=1, max_size=12))
def test_every_accepted_path_stays_below(name: str) -> None:
    try:
        path = safe_path(name)
    except DownloadError:
        return
    assert Path("/target", path).resolve().is_relative_to("/target")


def test_a_link_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as opened:
        link = zipfile.ZipInfo("out")
        link.external_attr = 0o120777 << 16
        opened.writestr(link, "/etc")
        opened.writestr("out/passwd", "evil")
    with pytest.raises(DownloadError, match="a link or device"):
        unpack(path, tmp_path / "out")
    assert below(tmp_path) == {"a.zip"}


def test_a_link_that_lies_in_the_target_is_not_followed_out(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    with pytest.raises(DownloadError, match="leads out of"):
        unpack(archive(tmp_path, {"sub/a.wav": b"a"}), tmp_path / "out")
    assert below(tmp_path / "elsewhere") == set()


def test_a_link_in_the_place_of_a_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.wav").symlink_to(tmp_path / "precious")
    (tmp_path / "out" / "a.wav.part").symlink_to(tmp_path / "precious")
    unpack(archive(tmp_path, {"a.wav": b"a"}), tmp_path / "out")
    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert (tmp_path / "out" / "a.wav").read_bytes() == b"a"


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    bomb = archive(tmp_path, {"zeros": bytes(50_000_000)})
    with pytest.raises(DownloadError, match="would unpack to 50,000,000 bytes"):
        unpack(bomb, tmp_path / "out")
    honest = archive(tmp_path, {"a": b"abc" * 1000})
    with pytest.raises(DownloadError, match="would unpack to 3,000 bytes, more than 100"):
        unpack(honest, tmp_path / "out", limit_bytes=100)
    assert not (tmp_path / "out").exists()


def test_a_member_that_is_more_than_it_declares(tmp_path: Path) -> None:
    path = archive(tmp_path, {"a.wav": b"x" * 5000}, zipfile.ZIP_STORED)
    raw = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = raw.index(signature) + offset
        raw[at : at + 4] = (10).to_bytes(4, "little")
    path.write_bytes(bytes(raw))
    with pytest.raises(DownloadError):
        unpack(path, tmp_path / "out")
    assert "a.wav" not in below(tmp_path / "out")


def test_names_that_are_one_on_many_disks(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="twice in the archive"):
        unpack(archive(tmp_path, {"A.wav": b"1", "a.wav": b"2"}), tmp_path / "out")


def test_what_is_no_archive_or_a_broken_one(tmp_path: Path) -> None:
    (tmp_path / "page.zip").write_bytes(b"<html>please log in</html>")
    with pytest.raises(DownloadError, match="no intact ZIP archive"):
        unpack(tmp_path / "page.zip", tmp_path / "out")
    path = archive(tmp_path, {"a.wav": bytes(range(256)) * 100}, zipfile.ZIP_STORED)
    raw = bytearray(path.read_bytes())
    raw[5000] ^= 0xFF
    path.write_bytes(bytes(raw))
    with pytest.raises(DownloadError, match="no intact ZIP archive"):
        unpack(path, tmp_path / "out")
    path.write_bytes(bytes(raw[:20_000]))
    with pytest.raises(DownloadError, match="no intact ZIP archive"):
        unpack(path, tmp_path / "out")


def test_an_encrypted_archive(tmp_path: Path) -> None:
    path = archive(tmp_path, {"a.wav": b"a"})
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(raw))
    with pytest.raises(DownloadError, match="encrypted"):
        unpack(path, tmp_path / "out")


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr("vocemo.lab.corpora.unpack.shutil.disk_usage", lambda path: usage)
    with pytest.raises(DownloadError, match="10 are free"):
        unpack(archive(tmp_path, {"a": b"a" * 11}), tmp_path / "out")


def test_an_empty_archive_is_nothing(tmp_path: Path) -> None:
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    (tmp_path / "a.zip").write_bytes(empty.getvalue())
    assert unpack(tmp_path / "a.zip", tmp_path / "out") == ()
