"""What each training of a matrix hears, and that a killed matrix goes on where it stood."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import soundfile

import fabricate
import fabricate_matrix
import fabricate_run
from vocemo.errors import CorpusError, LeakError, RunError, UnknownNameError
from vocemo.lab import matrix as lab
from vocemo.lab.corpora.clip import Clip
from vocemo.lab.run import RunFolder
from vocemo.lab.splits import PROTOCOLS
from vocemo.lab.splits.fold import speakers
from vocemo.lab.training_state import Step, TrainingState


def keys(clips: tuple[Clip, ...]) -> set[str]:
    return {clip.key for clip in clips}


def of_kind(todo: tuple[lab.MatrixJob, ...], kind: str) -> list[lab.MatrixJob]:
    return [job for job in todo if job.kind == kind]


def test_the_trainings_of_a_matrix(three: dict[str, str], tmp_path: Path) -> None:
    found = fabricate_matrix.gathered(three)
    todo = lab.jobs(found, (0, 1), tmp_path, count=2)
    assert len(todo) == 2 * (3 + 2 * 3 + 3)
    assert len({job.folder.path for job in todo}) == len(todo)
    assert len({job.label for job in todo}) == len(todo)
    assert {job.seed for job in todo[: len(todo) // 2]} == {0}
    assert {str(job.folder.path.relative_to(tmp_path)) for job in todo if job.seed == 0} == {
        *(f"train-on-{name}/seed-0" for name in three),
        *(f"within-{name}/seed-0/fold-{n}" for name in three for n in (0, 1)),
        *(f"train-on-all-but-{name}/seed-0" for name in three),
    }
    for job in todo:
        assert not job.fold.leaky and PROTOCOLS[job.fold.protocol].speaker_independent
    lab.audit(todo)


def test_off_the_diagonal_all_of_a_corpus_trains_and_all_of_the_others_is_tested(
    three: dict[str, str], tmp_path: Path
) -> None:
    found = fabricate_matrix.gathered(three)
    clips = {part.name: part.clips for part in found.parts}
    for job in of_kind(lab.jobs(found, (0,), tmp_path), "off_diagonal"):
        assert job.trained_on == (three[job.train],)
        assert set(job.tests) == set(three) - {job.train}
        heard = keys(job.fold.train) | keys(job.fold.validation)
        assert heard == keys(clips[job.train])
        assert not speakers(job.fold.train) & speakers(job.fold.validation)
        assert keys(job.fold.test) == set().union(*(keys(clips[name]) for name in job.tests))


def test_the_diagonal_tests_each_clip_once_and_never_a_speaker_that_it_heard(
    three: dict[str, str], tmp_path: Path
) -> None:
    found = fabricate_matrix.gathered(three)
    todo = of_kind(lab.jobs(found, (0, 1, 2), tmp_path, count=3), "diagonal")
    for part in found.parts:
        for seed in (0, 1, 2):
            own = [job.fold for job in todo if (job.train, job.seed) == (part.name, seed)]
            assert len(own) == min(3, part.speakers)
            tested = [clip.key for fold in own for clip in fold.test]
            assert sorted(tested) == sorted(clip.key for clip in part.clips)
            for fold in own:
                heard = speakers(fold.train) | speakers(fold.validation)
                assert not heard & speakers(fold.test)
                assert keys(fold.train) | keys(fold.validation) | keys(fold.test) == keys(part.clips)


def test_in_the_last_row_all_other_corpora_train(three: dict[str, str], tmp_path: Path) -> None:
    found = fabricate_matrix.gathered(three)
    clips = {part.name: part.clips for part in found.parts}
    joint = of_kind(lab.jobs(found, (0,), tmp_path), "all_others")
    assert [job.tests for job in joint] == [(name,) for name in three]
    for job in joint:
        (tested,) = job.tests
        assert keys(job.fold.test) == keys(clips[tested])
        assert set(job.trained_on) == {three[name] for name in three if name != tested}
        for name in set(three) - {tested}:
            heard = keys(job.fold.train) | keys(job.fold.validation)
            assert keys(clips[name]) <= heard
            assert keys(clips[name]) & keys(job.fold.validation)
    assert not of_kind(lab.jobs(found, (0,), tmp_path, joint=False), "all_others")
    two = fabricate_matrix.gathered(three, "emodb", "aesdd")
    assert not of_kind(lab.jobs(two, (0,), tmp_path), "all_others")  # the same as off the diagonal


def test_two_tables_are_two_corpora(three: dict[str, str], tmp_path: Path) -> None:
    source = fabricate_matrix.gathered(three, "emodb", "aesdd")
    given = []
    for part in source.parts:
        lines = [f"{c.path},{c.emotion},{part.name}-{c.speaker.rpartition('/')[2]}" for c in part.clips]
        file = tmp_path / f"{part.name}.csv"
        file.write_text("\n".join(["path,emotion,speaker", *lines]), encoding="utf-8")
        given.append(f"table:{file}")
    found = fabricate_matrix.gathered(dict(zip(("one", "two"), given, strict=True)))
    todo = lab.jobs(found, (0,), tmp_path)
    first, second = of_kind(todo, "off_diagonal")
    assert keys(first.fold.test) == keys(found.parts[1].clips)
    assert keys(second.fold.test) == keys(found.parts[0].clips)
    assert {clip.corpus for job in todo for clip in job.fold.test} == {"table"}


def test_a_corpus_without_speakers_has_no_diagonal(three: dict[str, str], tmp_path: Path) -> None:
    for clip in fabricate_matrix.gathered(three, "aesdd", "emodb").parts[0].clips:
        (tmp_path / clip.emotion).mkdir(exist_ok=True)
        shutil.copy(clip.path, tmp_path / clip.emotion / f"{clip.path.stem}-.wav")
    found = fabricate_matrix.gathered({"folder": f"folder:{tmp_path}", "emodb": three["emodb"]})
    todo = lab.jobs(found, (0,), tmp_path, count=3)
    assert {job.train for job in of_kind(todo, "diagonal")} == {"emodb"}
    lab.audit(todo)  # unknown speakers of another corpus are a note, no leak


def test_a_voice_that_a_table_plants_under_another_name_is_refused(
    three: dict[str, str], tmp_path: Path
) -> None:
    other = fabricate.folder(tmp_path / "own", ("ann", "bob", "cat"), seconds=0.4)
    specs = {"folder": f"folder:{other}", "emodb": three["emodb"]}
    lab.audit(lab.jobs(fabricate_matrix.gathered(specs), (0,), tmp_path / "out", count=2))
    spoken = fabricate_matrix.gathered(specs).parts[1].clips[0]
    soundfile.write(other / "sad" / "bob" / "bob1_sad.flac", *soundfile.read(spoken.path))
    found = fabricate_matrix.gathered(specs)
    todo = lab.jobs(found, (0,), tmp_path / "out", count=2)
    with pytest.raises(LeakError, match=r"same recording is under 2 names|share recordings"):
        lab.audit(todo)
    with pytest.raises(LeakError):  # as it is by the training itself
        next(lab.run(todo, found.recipe, device=fabricate_run.CPU))
    assert not (tmp_path / "out").exists()


def test_a_corpus_in_two_tables_and_a_number_of_folds_that_no_protocol_has(
    three: dict[str, str], tmp_path: Path
) -> None:
    found = fabricate_matrix.gathered(three, "emodb", "aesdd")
    with pytest.raises(UnknownNameError, match="speaker-folds-5"):
        lab.jobs(found, (0,), tmp_path, count=11)
    twice = lab.Gathered(found.recipe, (found.parts[0], found.parts[0]))
    with pytest.raises(CorpusError, match="2 times"):
        lab.jobs(twice, (0,), tmp_path)


class _Killed(Exception):
    pass


class _Kill:
    """A callback that ends a training after its first epoch."""

    def on_batch(self, step: Step) -> None:
        pass

    def on_epoch(self, state: TrainingState) -> None:
        raise _Killed


def test_a_killed_matrix_goes_on_to_the_same_weights(three: dict[str, str], tmp_path: Path) -> None:
    found = fabricate_matrix.gathered(three, "emodb", "aesdd")

    def todo(out: str) -> tuple[lab.MatrixJob, ...]:
        return lab.jobs(found, (0,), tmp_path / out, count=2)[:3]

    for _ in lab.run(todo("whole"), found.recipe, device=fabricate_run.CPU):
        pass
    with pytest.raises(_Killed):
        # The kill comes before the state of that epoch is on the disk, in the second training.
        killing = lab.run(
            todo("killed"),
            found.recipe,
            device=fabricate_run.CPU,
            callbacks=lambda number: [_Kill()] if number == 1 else [],
        )
        for _ in killing:
            pass
    first = todo("killed")[0].folder
    before = first.weights.stat().st_mtime_ns
    assert first.complete and not todo("killed")[1].folder.complete
    again = [job for job, _ in lab.run(todo("killed"), found.recipe, device=fabricate_run.CPU)]
    assert len(again) == 3 and first.weights.stat().st_mtime_ns == before
    for one, other in zip(todo("whole"), todo("killed"), strict=True):
        pair = (fabricate_run.weights(one.folder.weights), fabricate_run.weights(other.folder.weights))
        assert fabricate_run.same(*pair)


def test_another_matrix_in_the_same_folder_is_refused(
    trained: tuple[lab.Gathered, tuple[lab.MatrixJob, ...]],
) -> None:
    _, todo = trained
    other = fabricate_run.recipe("training.learning_rate=1e-5")
    with pytest.raises(RunError, match="cannot be resumed"):
        next(lab.run(todo, other, device=fabricate_run.CPU))
    assert RunFolder(todo[0].folder.path).info().corpora == todo[0].trained_on
