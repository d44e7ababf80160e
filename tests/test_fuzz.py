"""Some hundred broken files, the same each time, and proof that a fault among them would be seen."""

from __future__ import annotations

import collections
import importlib.util
import json
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from fuzzing import ogg, protobuf
from fuzzing.cases import KINDS, case
from fuzzing.originals import Originals, originals
from fuzzing.planted import FAULTS, Planted
from fuzzing.pool import Pool
from fuzzing.trials import Trials

SCRIPTS = Path(__file__).parent.parent / "scripts"
ROUNDS = 2
A_ROUND = sum(times for _, times in KINDS.values())


@pytest.fixture(scope="module")
def given() -> Originals:
    return originals()


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz", SCRIPTS / "fuzz.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_valid_is_answered(given: Originals) -> None:
    """Else what is made of it would be refused at its first bytes."""
    trials = Trials()
    for name, data in (given.recordings | given.onnx).items():
        index, kind = (0, "bundle") if name in given.onnx else (0, "recording")
        tried = type(case(given, 0, 0))(index, kind, data)
        assert trials(tried).said == "answered", name


def test_broken_files_are_answered_or_refused_and_nothing_worse(given: Originals) -> None:
    outcomes = collections.defaultdict(collections.Counter)
    for report in Pool(given, 7, Trials).run(range(ROUNDS * A_ROUND)):
        assert not report.outcome.finding, f"case {report.case}: {report.outcome}"
        outcomes[case(given, 7, report.case).kind][report.outcome.said] += 1
    assert {kind: said.total() for kind, said in outcomes.items()} == {
        kind: ROUNDS * times for kind, (_, times) in KINDS.items()
    }
    # Some get through to an answer: what is refused at once tries little.
    assert sum(said["answered"] for said in outcomes.values()) > ROUNDS * A_ROUND / 5


def test_a_run_sees_faults_keeps_their_cases_and_fails(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it begins it sees each of the planted faults; here two more are in what it tries."""
    monkeypatch.setattr(script, "Trials", Planted)
    out, kept = tmp_path / "inputs.json", tmp_path / "kept"
    asked = ["--first", "3", "--cases", "4", "--seed", "5", "--workers", "1"]
    assert script.main([*asked, "--out", str(out), "--findings", str(kept)]) == 1
    found = json.loads(out.read_text(encoding="utf-8"))
    assert found["inputs"] == 4 and found["planted_faults_seen"] == len(FAULTS)
    assert [each["said"].split(":")[0] for each in found["findings"]] == ["memory", "raised", "not sane"]
    assert found["command"] and found["date"] and found["limits"]["memory_mib"] == 1024
    cases = sorted(kept.glob("*.bin"))
    assert [path.name.split("-")[0] for path in cases] == ["3", "4", "5"]
    assert cases[1].read_bytes() == case(originals(), 5, 4).data  # by other originals, made anew
    assert "KeyError" in cases[1].with_suffix(".txt").read_text(encoding="utf-8")


def test_a_run_that_does_not_see_a_fault_does_not_begin(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "Pool", lambda *_: SimpleNamespace(run=lambda _: []))
    with pytest.raises(RuntimeError, match="were seen as"):
        script.see_planted()


def test_a_kept_case_is_put_again(
    script: ModuleType, given: Originals, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "12-recording-cut-off.bin"
    path.write_bytes(given.recordings["FLAC-PCM_16"][:20])
    assert script.main(["--replay", str(path)]) == 0
    assert capsys.readouterr().out.startswith("NotAudioError")


def test_the_same_seed_makes_the_same_files(given: Originals) -> None:
    some = [case(given, 3, index).data for index in range(A_ROUND)]
    assert some == [case(given, 3, index).data for index in range(A_ROUND)]
    others = [case(given, 4, index).data for index in range(A_ROUND)]
    assert sum(one == other for one, other in zip(some, others, strict=True)) < 5


def test_pages_of_ogg_are_sealed_as_their_own_library_seals_them(given: Originals) -> None:
    for name in ("OGG-VORBIS", "OGG-OPUS", "ogg-flac-7"):
        data = given.recordings[name]
        spoilt = bytearray(data)
        for start, _ in ogg.pages(data):
            spoilt[start + 22 : start + 26] = bytes(4)
        assert ogg.sealed(bytes(spoilt)) == data != spoilt


def test_a_message_is_put_together_as_it_was_taken_apart(given: Originals) -> None:
    import onnx

    for data in given.onnx.values():
        assert protobuf.serialised(protobuf.parsed(data)) == data
        changed = onnx.load_from_string(protobuf.with_metadata(data, b"vocemo", b"{}"))
        assert [(each.key, each.value) for each in changed.metadata_props] == [("vocemo", "{}")]
        assert changed.graph == onnx.load_from_string(data).graph
    rng = np.random.default_rng(0)
    tiny = given.onnx["tiny"]
    parsed = [protobuf.parsed(protobuf.altered(tiny, rng)) for _ in range(50)]
    assert sum(each is not None for each in parsed) > 40  # lengths are right again: it is read, not refused
