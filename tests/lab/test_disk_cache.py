"""Samples on the disk: whole or not at all, never trusted where broken, and bounded."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from vocemo.errors import UsageError
from vocemo.lab.disk_cache import Arrays, DiskCache

ROOMY = 10**9
KEYS = [f"{n:02x}" + f"{n:062x}" for n in range(40)]
ENTRY_BYTES = 4_000 + 128 + 32  # of a thousand samples: numbers, NumPy's header, digest


def thousand(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(1_000, dtype=np.float32)


def one(arrays: Arrays | None) -> np.ndarray | None:
    """The array of an entry of one."""
    if arrays is None:
        return None
    (array,) = arrays
    return array


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@given(samples=arrays.arrays(np.float32, st.integers(0, 50), elements=st.floats(width=32)))
def test_what_is_kept_comes_back_bit_for_bit(tmp_path_factory, samples: np.ndarray) -> None:
    folder = tmp_path_factory.mktemp("cache")
    DiskCache(folder, ROOMY).put(KEYS[0], samples)
    again = one(DiskCache(folder, ROOMY).get(KEYS[0]))
    assert again is not None and again.dtype == np.float32
    assert again.tobytes() == samples.tobytes()


def test_arrays_of_any_kind_stand_side_by_side(tmp_path: Path) -> None:
    arrays = (np.arange(6, dtype=np.float16).reshape(2, 3), np.array(7), np.zeros((0, 4), np.float64))
    DiskCache(tmp_path, ROOMY).put(KEYS[0], *arrays)
    again = DiskCache(tmp_path, ROOMY).get(KEYS[0])
    assert again is not None and len(again) == 3
    for had, kept in zip(arrays, again, strict=True):
        assert kept.dtype == had.dtype and kept.shape == had.shape and np.array_equal(kept, had)


def test_keys_are_told_apart(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, ROOMY)
    for n, key in enumerate(KEYS):
        assert cache.get(key) is None
        cache.put(key, thousand(n))
    for n, key in enumerate(KEYS):
        assert np.array_equal(one(cache.get(key)), thousand(n))
    assert all(path.stat().st_size == ENTRY_BYTES for path in files(tmp_path))


@pytest.mark.parametrize("harm", ["cut short", "one bit", "empty", "other entry's end", "no file of ours"])
def test_a_broken_entry_is_nothing_and_is_made_again(tmp_path: Path, harm: str) -> None:
    cache = DiskCache(tmp_path, ROOMY)
    cache.put(KEYS[0], thousand(0))
    (path,) = files(tmp_path)
    data = bytearray(path.read_bytes())
    if harm == "one bit":
        data[2_000] ^= 1
    broken = {"cut short": data[:-100], "empty": b"", "other entry's end": data[:-8] + b"12345678"}
    path.write_bytes(b"RIFF" * 500 if harm == "no file of ours" else bytes(broken.get(harm, data)))
    assert cache.get(KEYS[0]) is None
    assert not path.exists()
    cache.put(KEYS[0], thousand(0))
    assert np.array_equal(one(cache.get(KEYS[0])), thousand(0))


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, 10 * ENTRY_BYTES)
    for n, key in enumerate(KEYS[:10]):
        cache.put(key, thousand(n))
        os.utime(tmp_path / key[:2] / f"{key[2:]}.npy", (n, n))
    assert cache.get(KEYS[0]) is not None  # the oldest, but used just now
    cache.put(KEYS[10], thousand(10))
    left = [n for n, key in enumerate(KEYS[:11]) if cache.get(key) is not None]
    assert left == [0, 3, 4, 5, 6, 7, 8, 9, 10]


@pytest.mark.parametrize("limit_entries", [1, 3, 20])
def test_it_is_never_above_its_limit(tmp_path: Path, limit_entries: int) -> None:
    limit = limit_entries * ENTRY_BYTES
    caches = [DiskCache(tmp_path, limit) for _ in range(2)]  # each knows only what it wrote itself
    for n, key in enumerate(KEYS):
        caches[0].put(key, thousand(n))
        assert sum(path.stat().st_size for path in files(tmp_path)) <= limit
    assert files(tmp_path)
    if limit_entries == 20:  # and two that write in turn stay within a sixteenth each
        for n, key in enumerate(KEYS):
            caches[n % 2].put(key, thousand(n))
            assert sum(path.stat().st_size for path in files(tmp_path)) <= limit + 4 * ENTRY_BYTES
    DiskCache(tmp_path, ENTRY_BYTES)  # a smaller limit holds at once
    assert sum(path.stat().st_size for path in files(tmp_path)) <= ENTRY_BYTES


def test_what_is_larger_than_the_limit_is_not_kept(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, ENTRY_BYTES - 1)
    cache.put(KEYS[0], thousand(0))
    assert files(tmp_path) == []


def test_what_a_killed_process_left_is_cleared_in_time(tmp_path: Path) -> None:
    (tmp_path / "00").mkdir()
    abandoned, under_way = tmp_path / "00" / ".partial-1", tmp_path / "00" / ".partial-2"
    for path in (abandoned, under_way):
        path.write_bytes(b"half")
    os.utime(abandoned, (time.time() - 7_200,) * 2)
    DiskCache(tmp_path, ROOMY)
    assert files(tmp_path) == [under_way]


def _write_and_read(folder: Path, failures: multiprocessing.Queue[str]) -> None:
    cache = DiskCache(folder, 12 * ENTRY_BYTES)
    for turn in range(300):
        n = turn % len(KEYS)
        found = one(cache.get(KEYS[n]))
        if found is None:
            cache.put(KEYS[n], thousand(n))
        elif not np.array_equal(found, thousand(n)):
            failures.put(KEYS[n])
    failures.put("done")


def test_processes_share_a_folder(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    failures: multiprocessing.Queue[str] = context.Queue()
    workers = [context.Process(target=_write_and_read, args=(tmp_path, failures)) for _ in range(3)]
    for worker in workers:
        worker.start()
    said = [failures.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
    assert said == ["done"] * 3
    assert all(path.name.endswith(".npy") for path in files(tmp_path))


def test_threads_share_a_cache(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, ROOMY)
    wrong: list[str] = []

    def job() -> None:
        for n, key in enumerate(KEYS):
            found = one(cache.get(key))
            if found is None:
                cache.put(key, thousand(n))
            elif not np.array_equal(found, thousand(n)):
                wrong.append(key)

    threads = [threading.Thread(target=job) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and len(files(tmp_path)) == len(KEYS)


def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for place in (file, file / "below"):
        with pytest.raises(UsageError, match="cannot be written to"):
            DiskCache(place, ROOMY)


def test_a_disk_that_becomes_full_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = DiskCache(tmp_path, ROOMY)
    cache.put(KEYS[0], thousand(0))

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.warns(UserWarning, match=r"takes no more \(No space left on device\); training goes on"):
        cache.put(KEYS[1], thousand(1))
    cache.put(KEYS[2], thousand(2))  # said once
    assert cache.get(KEYS[1]) is None
    assert np.array_equal(one(cache.get(KEYS[0])), thousand(0))
    assert len(files(tmp_path)) == 1
