"""Files that once raised what is no error of vocemo's, took for ever or were believed (scripts/fuzz.py)."""

from __future__ import annotations

import io
import json
import struct
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import fabricate_bundle
import fabricate_tflite
from recordings import encode, encode_media, tone
from vocemo import audio
from vocemo.bundle import Bundle, BundleInfo, flatbuffer, seal
from vocemo.errors import BundleError, EmptyAudioError, NonFiniteAudioError, NotAudioError
from vocemo.runtime.prediction import Failure, Prediction
from vocemo.runtime.predictor import load

RATE_HZ = 16_000
TONE = tone(1.0, RATE_HZ)
FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")  # of an ASF file, by their GUID


@pytest.mark.parametrize("data", [b"ID3", b"ID3\x04\x00", b"ID3\x03\x00\x00\x7f\x7f\x7f\x7f" + bytes(50)])
def test_a_tag_with_nothing_behind_it(data: bytes) -> None:
    for attempt in (audio.decode, audio.probe, lambda given: list(audio.decode_chunks(given))):
        with pytest.raises(NotAudioError, match="looks like MP3"):
            attempt(data)


@pytest.mark.parametrize("as_file", [True, False])
def test_a_chunk_that_ends_where_no_file_does(
    tmp_path: Path, as_file: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    data = bytearray(encode(TONE, RATE_HZ, "CAF"))
    data[56:64] = struct.pack(">q", 2**62)
    path = tmp_path / "a.caf"
    path.write_bytes(data)
    with pytest.raises(NotAudioError, match="looks like CAF"):
        audio.decode(path if as_file else bytes(data))
    assert capfd.readouterr() == ("", "")  # FFmpeg's binding prints what a file's seek raises


@pytest.mark.parametrize("beyond", [2**46, 2**62])
def test_a_file_and_its_bytes_agree_wherever_a_header_points(tmp_path: Path, beyond: int) -> None:
    """A file on a disk cannot be sought so far, one in memory can: only one of them was decoded."""
    data = bytearray(encode_media(tone(1.0, 44_100), 44_100, "asf", "pcm_s16le"))
    properties = data.index(FILE_PROPERTIES)
    data[properties + 16 : properties + 24] = struct.pack("<Q", beyond)  # how long they are
    path = tmp_path / "a.wma"
    path.write_bytes(data)
    assert np.array_equal(audio.decode(path).samples, audio.decode(bytes(data)).samples)


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")  # what would be printed
def test_a_chunk_whose_name_is_none_prints_no_trace(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """libsndfile then goes to the byte before the first."""
    data = bytearray(encode(TONE, RATE_HZ, "AIFF", "FLOAT"))
    chunk = data.index(b"PEAK")
    data[chunk + 1] = 0xFF
    path = tmp_path / "a.aiff"
    path.write_bytes(data)
    for source in (path, bytes(data)):
        assert audio.decode(source).duration_s == 1.0
    assert capfd.readouterr() == ("", "")


def test_channels_so_loud_that_their_sum_is_none_are_refused_without_a_warning() -> None:
    planes = np.full((2, 1000), 3e38, np.float32)
    with pytest.raises(NonFiniteAudioError), warnings.catch_warnings():
        warnings.simplefilter("error")
        audio.decode(encode(planes, RATE_HZ, "WAV", "FLOAT"))


def test_a_length_below_zero_is_not_believed() -> None:
    data = bytearray(encode_media(tone(1.0, 44_100), 44_100, "asf", "pcm_s16le"))
    properties = data.index(FILE_PROPERTIES)
    data[properties + 64 : properties + 72] = struct.pack("<Q", 10**6)  # 0.1 s, less 3.1 s to fill a buffer
    info, whole = audio.probe(bytes(data)), audio.decode(bytes(data))
    assert info.duration_s == pytest.approx(whole.duration_s) and whole.duration_s > 0.9
    assert whole.warnings == ()


@pytest.mark.parametrize("head", [b"RIFF\xff\xff\xff\xffWAVE", b"riff\x2e\x91\xcf\x11".ljust(40, b"\0")])
def test_a_long_file_of_zeros_behind_its_first_bytes_is_refused_at_once(head: bytes) -> None:
    """What a recorder leaves that makes its file before it records."""
    begun = time.process_time()
    with pytest.raises(EmptyAudioError):
        audio.probe(io.BytesIO(head + bytes(2**26)))
    assert time.process_time() - begun < 1.0  # chunk by chunk it was 20 s


@pytest.mark.parametrize("large", [3e38, -1e30, 1e13])
def test_samples_that_no_sound_has_are_the_fault_of_their_recording_alone(
    tmp_path: Path, large: float
) -> None:
    """They became none in the model, and ended a job of many recordings as if its bundle were broken."""
    model = load(device="cpu")
    samples = TONE.copy()
    samples[4_000::50] = large
    path = tmp_path / "a.wav"
    path.write_bytes(encode(samples, RATE_HZ, "WAV", "FLOAT"))
    for attempt in (lambda: model.predict(path), lambda: model.predict(samples, RATE_HZ)):
        with pytest.raises(NonFiniteAudioError, match="which no sound is"):
            attempt()
    with pytest.raises(NonFiniteAudioError, match=r"a\.wav: a sample at 0\.250 s"):
        audio.decode(path)
    one, failed, other = model.predict_many([TONE, path, TONE], RATE_HZ)
    assert isinstance(failed, Failure) and isinstance(one, Prediction) and isinstance(other, Prediction)


# --- bundles --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": 5}, "name is str, given 5"),
        ({"name": "\ud800"}, "name is str"),
        ({"emotions": ["happy", 3]}, "emotions is"),
        ({"emotions": [["happy"], ["sad"]]}, "emotions is"),
        ({"threshold": "high"}, "threshold is float | None, given 'high'"),
        ({"threshold": 1.5}, "threshold is from 0 to 1, given 1.5"),
        ({"threshold": float("nan")}, "threshold is float | None, given nan"),
        ({"threshold_risk": True}, "threshold_risk is float"),
        ({"temperature": 0}, "temperature is above 0, given 0"),
        ({"distance_limit": 1e-320}, "distance_limit is above 0, at least 1e-06, given 1e-320"),
        ({"distance_limit": float("inf")}, "distance_limit is float"),
        ({"attribution": [None]}, "attribution is"),
        ({"results": [5]}, "results is"),
        ({"relabel": ["calm"]}, "relabel is"),
        ({"training": [["seed", 1]]}, "training is an object"),
        ({"training": {"duration_p05_s": "long"}}, "duration_p05_s is float, given 'long'"),
        ({"training": {"clips": 10**30}}, "clips is int"),
        ({"training": {"corpora": [1]}}, "corpora is"),
        ({"preparation": ["level"]}, "preparation is an object"),
        ({"preparation": {"sample_rate": 10**400}}, "valid: a whole number of Hz"),
        ({"preparation": {"max_length_s": 10**400}}, "valid: a number from 0.1 to 600"),
        ({"preparation": {"length_s": 1e12}}, "valid: a number from 6.25e-05 to 600"),
        ({"preparation": {"length_s": 60.0, "sample_rate": 192_000}}, "valid: up to 10,000,000 samples"),
        ({"preparation": {"offset_s": 1e308}}, "valid: a number from 0 to 600"),
    ],
)
def test_a_description_of_other_types_is_refused_by_name(changes: dict[str, object], says: str) -> None:
    text = json.dumps({"name": "x", "emotions": ["happy", "sad"]} | changes)
    with pytest.raises(BundleError) as caught:
        BundleInfo.from_json(text)
    assert says in str(caught.value) and len(str(caught.value)) < 400


def test_a_description_that_is_nested_without_end_is_refused() -> None:
    with pytest.raises(BundleError, match="no JSON"):
        BundleInfo.from_json('{"results": ' + "[" * 100_000)


@pytest.mark.parametrize("where", [b"tiny", b"embedding", b"n_samples"])
def test_an_onnx_file_whose_text_is_none_is_refused(
    tmp_path: Path, where: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    """In its description, in the name of an output, in that of an axis."""
    path = fabricate_bundle.write(tmp_path / "a.onnx")
    path.write_bytes(path.read_bytes().replace(where, b"\xff" * len(where)))
    with pytest.raises(BundleError, match=r"a\.onnx"):
        Bundle.open(path, device="cpu")
    assert capfd.readouterr().out == ""  # ONNX Runtime says there that it tries again


@pytest.mark.parametrize(
    ("name", "wrong", "says"),
    [
        ("probabilities", lambda given: given * 3, "no probability"),
        ("probabilities", lambda given: given - 0.5, "no probability"),
        ("probabilities", lambda given: given[:, :3], r"of shape \(1, 3\) for 1 clips"),
        ("logits", lambda given: given * np.nan, "logits that are no numbers"),
        ("embedding", lambda given: given[:, None], "embedding of shape"),
        ("embedding", lambda given: given / 0, "no numbers"),
        ("distance", lambda given: given[:, None], "distance of shape"),
        ("distance", lambda given: given * np.inf, "no numbers"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*encountered.*:RuntimeWarning")
def test_an_answer_that_is_none_is_refused(
    tmp_path: Path, name: str, wrong: Callable[[np.ndarray], np.ndarray], says: str
) -> None:
    about = fabricate_bundle.info(distance_limit=1.0)
    model = load(fabricate_bundle.write(tmp_path / "a.onnx", about, distance=True), device="cpu")
    assert model.predict(TONE, RATE_HZ).emotion
    run = model.bundle._engine.run
    model.bundle._engine.run = lambda *given: (out := dict(run(*given))) | {name: wrong(out[name])}
    with pytest.raises(BundleError, match=says):
        model.predict(TONE, RATE_HZ)


def test_paths_that_are_none() -> None:
    for path in ("a\0b.onnx", "x" * 5000):
        with pytest.raises(BundleError):
            Bundle.open(path)


def test_metadata_that_share_their_bytes_cannot_fill_the_memory() -> None:
    """The entries of a TFLite file may all point to one buffer."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    held = schema.BufferT()
    held.data = np.zeros(10_000, np.uint8)
    model = schema.ModelT()
    model.buffers, model.metadata = [schema.BufferT(), held], []
    for number in range(20):
        entry = schema.MetadataT()
        entry.name, entry.buffer = f"entry {number}", 1
        model.metadata.append(entry)
    builder = flatbuffers.Builder(2**15)
    builder.Finish(model.Pack(builder), flatbuffer.IDENTIFIER)
    with pytest.raises(BundleError, match="metadata hold more than the file"):
        flatbuffer.metadata(bytes(builder.Output()))


def test_a_tflite_file_whose_outputs_are_no_tensors_is_refused(tmp_path: Path) -> None:
    from ai_edge_litert import schema_py_generated as schema

    path = fabricate_tflite.write(tmp_path / "a.tflite")
    data = bytearray(path.read_bytes())
    output = schema.Model.GetRootAs(bytes(data), 0).SignatureDefs(0).Outputs(0)
    place = output._tab.Pos + output._tab.Offset(6)  # of its number among the tensors
    for number in (65_563, 2**32 - 1):
        data[place : place + 4] = struct.pack("<I", number)
        path.write_bytes(seal.sealed(bytes(data[:-46])))
        with pytest.raises(BundleError, match="no TFLite model that can be run"):
            Bundle.open(path)


@pytest.mark.parametrize("damage", ["a word", "the end", "the checksum"])
def test_a_damaged_tflite_file_never_comes_before_litert(
    tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would bring the process down, as with this word of its first table."""
    path = fabricate_tflite.write(tmp_path / "a.tflite")
    data = bytearray(path.read_bytes())
    if damage == "a word":
        data[16:20] = bytes(4)
    elif damage == "the end":
        del data[-46:]
    else:
        data[-1] ^= 1
    path.write_bytes(data)
    monkeypatch.setattr("vocemo.bundle.tflite_engine._interpreter", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(BundleError, match=r"a\.tflite is .*(damaged|cut off|did not write)"):
        Bundle.open(path)
