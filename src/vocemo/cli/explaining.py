"""What `vocemo predict --explain` does: explains each answer and draws it, one picture a recording."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from vocemo import audio
from vocemo.errors import UnknownNameError, UsageError
from vocemo.runtime.prediction import Prediction
from vocemo.runtime.predictor import Predictor

NAME = "{name}"  # stands for a recording's name in a picture's
NOTHING_TO_EXPLAIN = "without an emotion there is nothing to explain, and no picture of it"


class Explaining:
    """Explains answers and draws them."""

    def __init__(self, target: Path, *, several: bool, emotion: str | None) -> None:
        """Settle where pictures go, before any work is done for them.

        target: a picture, for one recording alone; or for each recording a name with NAME in it; or a folder.
        Raises UsageError where several recordings would have one picture, and as `plot.check_target` does.
        """
        from vocemo.runtime.plot import check_target

        self._emotion, self._taken = emotion, set[Path]()
        if NAME in target.name:
            self._pattern = target
        elif target.is_dir() or not target.suffix:
            self._pattern = target / f"{NAME}.png"
            if target.absolute().parent.is_dir():
                target.mkdir(exist_ok=True)
        elif several:
            raise UsageError(
                f"--explain {target}: one picture for several recordings; valid: a folder, or a name with "
                f"{NAME} in it, such as {target.with_stem(NAME)}"
            )
        else:
            self._pattern = target
        check_target(self._pattern, "--explain")

    def check(self, predictor: Predictor) -> None:
        """Raise UnknownNameError for an emotion that the model does not know."""
        if self._emotion is not None and self._emotion not in predictor.emotions:
            raise UnknownNameError("emotion", self._emotion, predictor.emotions)

    def explain(self, predictor: Predictor, answer: Prediction, recording: audio.Source) -> Prediction:
        """The answer with its explanation, which is drawn; of silence a warning says that there is none."""
        if answer.emotion is None:
            return dataclasses.replace(answer, warnings=(*answer.warnings, NOTHING_TO_EXPLAIN))
        from vocemo.runtime.explain import explain
        from vocemo.runtime.explain_plot import draw
        from vocemo.runtime.plot import save

        explanation = explain(predictor, recording, emotion=self._emotion, prediction=answer)
        save(draw(explanation, recording), self._picture(answer.path))
        return dataclasses.replace(answer, explanation=explanation)

    def _picture(self, path: str | None) -> Path:
        """The next picture's path: recordings of one name in several folders are numbered."""
        stem = "recording" if path in (None, "-") else Path(str(path)).stem
        picture, count = self._named(stem), 1
        while picture in self._taken and NAME in self._pattern.name:
            count += 1
            picture = self._named(f"{stem}-{count}")
        self._taken.add(picture)
        return picture

    def _named(self, stem: str) -> Path:
        return self._pattern.with_name(self._pattern.name.replace(NAME, stem))
