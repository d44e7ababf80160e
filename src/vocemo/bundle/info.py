"""What a bundle says of itself: one JSON object, kept in the file whatever its format."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from vocemo.bundle.typed import check_types
from vocemo.errors import BundleError
from vocemo.prepare import Preparation

FORMAT = 1  # raised when an older vocemo would misread a bundle
METADATA_KEY = "vocemo"
LEAST_LIMIT = 1e-6  # of a distance, which is divided by it
# How a file keeps its weights; mixed: float16, but for convolutions that are computed in integers.
Weights = Literal["float32", "float16", "int8", "mixed"]


@dataclass(frozen=True)
class TrainingInfo:
    """What a model was trained on and how: enough to name it and to train it again."""

    corpora: tuple[str, ...] = ()
    clips: int = 0
    speakers: int = 0
    protocol: str = ""
    seed: int = 0
    fold: int | None = None  # of the protocol; None: not stated
    recipe: str = ""
    recipe_sha256: str = ""
    parameters: int = 0
    duration_p05_s: float = 0.0
    duration_median_s: float = 0.0
    commit: str = ""
    date: str = ""

    def __post_init__(self) -> None:
        """Refuse values of other types."""
        check_types(self)


@dataclass(frozen=True)
class BundleInfo:
    """All that a bundle says of itself, kept as JSON in the file.

    `temperature` is the calibration that the graph already applies to its logits; `threshold`, where
    it is given, is the confidence below which an answer is called uncertain, chosen so that of those at or
    above it no more than the share `threshold_risk` are wrong; `distance_limit`, where it is given, is the
    value of the graph's output `distance` past which a recording sounds unlike the speech that the model
    knows; `weights` is how the file stores the model's weights (the front end's constants are float32 in
    any); `relabel` says which emotions of a corpus counted as another in training, such as calm as neutral.

    >>> info = BundleInfo(name="tiny", emotions=("happy", "sad"))
    >>> BundleInfo.from_json(info.to_json()) == info
    True
    >>> BundleInfo.from_json('{"format": 99, "name": "later", "emotions": ["happy", "sad"]}')
    Traceback (most recent call last):
        ...
    vocemo.errors.BundleError: the bundle has format 99; this vocemo reads format 1: upgrade vocemo
    """

    name: str
    emotions: tuple[str, ...]
    vocemo_version: str = ""
    preparation: Preparation = dataclasses.field(default_factory=Preparation)
    temperature: float = 1.0
    threshold: float | None = None
    threshold_risk: float | None = None
    distance_limit: float | None = None
    licence: str = ""
    attribution: tuple[str, ...] = ()
    training: TrainingInfo = dataclasses.field(default_factory=TrainingInfo)
    results: tuple[Mapping[str, Any], ...] = ()
    weights: Weights = "float32"
    relabel: Mapping[str, str] = dataclasses.field(default_factory=dict)
    format: int = FORMAT

    def __post_init__(self) -> None:
        """Refuse values of other types, no name, labels that cannot be told apart, and no probabilities."""
        check_types(self)
        if not self.name:
            raise BundleError("a bundle needs a name")
        if len(self.emotions) < 2 or len(set(self.emotions)) != len(self.emotions):
            raise BundleError(f"a bundle needs two or more different emotions, given {list(self.emotions)}")
        if self.weights not in get_args(Weights):
            raise BundleError(f"weights are stored as {', '.join(get_args(Weights))}, given {self.weights!r}")
        for name, share in (("threshold", self.threshold), ("threshold_risk", self.threshold_risk)):
            if share is not None and not 0.0 <= share <= 1.0:
                raise BundleError(f"{name} is from 0 to 1, given {share}")
        if not self.temperature > 0:
            raise BundleError(f"temperature is above 0, given {self.temperature}")
        if self.distance_limit is not None and not self.distance_limit >= LEAST_LIMIT:
            raise BundleError(
                f"distance_limit is above 0, at least {LEAST_LIMIT}, given {self.distance_limit}"
            )

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of this description."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return values | {
            "emotions": list(self.emotions),
            "attribution": list(self.attribution),
            "preparation": self.preparation.to_dict(),
            "training": dataclasses.asdict(self.training) | {"corpora": list(self.training.corpora)},
            "results": [dict(result) for result in self.results],
            "relabel": dict(self.relabel),
        }

    @property
    def stored(self) -> str:
        """How the weights are stored, for people.

        >>> BundleInfo("mine", ("happy", "sad"), weights="mixed").stored
        'float16, its large convolutions computed in 8-bit integers'
        """
        mixed = self.weights == "mixed"
        return "float16, its large convolutions computed in 8-bit integers" if mixed else self.weights

    def to_json(self) -> str:
        """The JSON text that the file holds."""
        return json.dumps(self.to_dict(), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> BundleInfo:
        """The description in a JSON text.

        Raises BundleError where the text is no JSON object, has a newer format, or lacks or adds fields.
        """
        try:
            given = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BundleError(f"the bundle's metadata is no JSON: {error}") from error
        if not isinstance(given, dict):
            raise BundleError(f"the bundle's metadata is a JSON {type(given).__name__}, not an object")
        form = given.get("format", FORMAT)
        if form != FORMAT:
            raise BundleError(
                f"the bundle has format {form}; this vocemo reads format {FORMAT}: upgrade vocemo"
            )
        try:
            for name in ("emotions", "attribution", "results"):
                given[name] = tuple(_listed(name, given.get(name, [])))
            training = dict(_object("training", given.get("training", {})))
            training["corpora"] = tuple(_listed("corpora", training.get("corpora", [])))
            given["training"] = TrainingInfo(**training)
            given["preparation"] = Preparation.from_dict(_object("preparation", given.get("preparation", {})))
            return cls(**given)
        except (TypeError, ValueError, OverflowError) as error:
            raise BundleError(f"the bundle's metadata does not describe a model: {error}") from error


def _listed(name: str, given: object) -> list[Any]:
    if not isinstance(given, list):
        raise TypeError(f"{name} is a list, given {repr(given)[:80]}")
    return given


def _object(name: str, given: object) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise TypeError(f"{name} is an object, given {repr(given)[:80]}")
    return given
