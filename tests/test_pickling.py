"""What goes to another process and comes back as it was: models, options, answers, errors."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import pickle
import shutil
from pathlib import Path

import pytest

import vocemo
from vocemo import errors
from vocemo.bundle import packaged

SAMPLE = Path(__file__).parents[1] / "samples" / "synthetic-angry.flac"


def test_a_model_comes_back_with_its_options_and_its_answers() -> None:
    model = vocemo.load(device="cpu", threads=1, threshold=0.9)
    again = pickle.loads(pickle.dumps(model))
    assert again.threshold == 0.9 and again.device == "cpu" and again.bundle.sha256 == model.bundle.sha256
    assert again.predict(SAMPLE) == model.predict(SAMPLE)
    assert len(pickle.dumps(model)) < 1000  # its path and not its weights


def test_a_pool_of_processes_shares_one_model() -> None:
    model = vocemo.load(device="cpu", threads=1)
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        assert pool.submit(model.predict, str(SAMPLE)).result() == model.predict(str(SAMPLE))


def test_a_model_whose_file_was_exchanged_on_the_way_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    shutil.copy(packaged.place(), file)
    sent = pickle.dumps(vocemo.load(file))
    with file.open("ab") as stream:
        stream.write(b"\x00")
    with pytest.raises(vocemo.BundleError):
        pickle.loads(sent)


def test_options_and_answers_come_back() -> None:
    model = vocemo.load()
    options = vocemo.TimelineOptions(window_s=2.0, change=1.0)
    answers = [model.predict(SAMPLE), model.predict_timeline(SAMPLE, options=options), vocemo.Occlusion()]
    for each in [options, *answers]:
        assert pickle.loads(pickle.dumps(each)) == each
    failed = vocemo.Failure("gone.wav", vocemo.AudioError("gone.wav: no such file"))
    assert str(pickle.loads(pickle.dumps(failed))) == str(failed)


KINDS = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_comes_back_with_all_that_it_says(kind: type[Exception]) -> None:
    given = {
        errors.UnknownNameError: ("emotion", "hapy", ["happy", "sad"]),
        errors.MissingExtraError: ("vocemo train", "lab"),
    }
    error = kind(*given.get(kind, ("what is wrong",)))
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind and str(again) == str(error) and vars(again) == vars(error)
