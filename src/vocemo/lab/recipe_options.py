"""The options of a recipe, a dataclass for each of its tables; every default stands here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from vocemo.errors import UnknownNameError, UsageError

Enlarge = Literal["none", "all", "balance"]
Sampling = Literal["shuffled", "balanced"]
Schedule = Literal["plateau", "one-cycle"]
Layers = Literal["head", "norms", "all"]
Variation = Literal["none", "live", "full"]


@dataclass(frozen=True)
class NamedOptions:
    """An entry of a registry with its options."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as in the recipe's file."""
        return {"name": self.name, **self.options}


@dataclass(frozen=True)
class AugmentationOptions:
    """How training clips are varied: their samples, and their features behind the front end."""

    pool: int = 0  # kept variants a clip; 0: the pooled transforms are not used
    pooled: tuple[Mapping[str, Any], ...] = ()  # costly: drawn `pool` times a clip
    live: tuple[Mapping[str, Any], ...] = ()  # cheap: drawn each time a clip is seen
    spectral: tuple[Mapping[str, Any], ...] = ()  # of the features, on the device: likewise
    # of a clip, made once up to what frozen stages make of them (docs/augmentation.md); an epoch sees one of
    # them; 0: a clip is varied anew each time that it is seen
    views: int = 0
    # none: an epoch sees each clip once, as itself or as one of its variants; all: itself and every variant;
    # balance: itself, and variants until each emotion has as many as the most frequent one has with all.
    enlarge: Enlarge = "none"

    def __post_init__(self) -> None:
        if self.enlarge not in ("none", "all", "balance"):
            raise UnknownNameError("augmentation.enlarge", str(self.enlarge), ("none", "all", "balance"))
        if self.pool < 0:
            raise UsageError(f"augmentation.pool is {self.pool}; it must be 0 or more")
        if self.views < 0:
            raise UsageError(f"augmentation.views is {self.views}; it must be 0 or more")
        if any("from_view" in transform for transform in self.pooled):
            raise UsageError(
                "augmentation.pooled makes variants, which are no views: from_view is for augmentation.live"
            )
        if self.views and self.enlarge != "none":
            raise UsageError(
                f"augmentation.enlarge is '{self.enlarge}', and augmentation.views is {self.views}: an epoch "
                "sees one view of each clip; set one of the two to none or 0"
            )
        if self.enlarge != "none" and not (self.pool and self.pooled):
            raise UsageError(
                f"augmentation.enlarge is '{self.enlarge}', which adds kept variants: it needs "
                "augmentation.pool of 1 or more and augmentation.pooled transforms; without them, set "
                "augmentation.enlarge=none"
            )


@dataclass(frozen=True)
class TrainingOptions:
    """How the weights are found."""

    epochs: int = 60
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.0  # decoupled, as in AdamW
    label_smoothing: float = 0.0
    crop_s: float | None = None  # longer training clips are cropped to this at random
    # shuffled: an epoch is each example once; balanced: as many of each emotion, drawn anew each epoch
    sampling: Sampling = "shuffled"
    balance_classes: bool = False  # weigh the loss by inverse class frequency in training
    own_emotions: bool = False  # compare a clip's answer among the emotions that its corpus has, not all
    gradient_clip: float | None = 5.0  # largest norm of a step's gradient; None: as it comes
    mixup: float = 0.0  # alpha of the Beta distribution that two clips' shares come from; 0: none are mixed
    weight_average: float = 0.0  # share of it that a step's average of weights keeps, as 0.999; 0: no average
    # bfloat16: the model's products in half the width, its weights in full; auto: where the device gains
    precision: Literal["float32", "bfloat16", "auto"] = "float32"
    monitor: Literal["loss", "uar"] = "loss"  # validation figure that chooses the epoch
    keep: Literal["best", "last"] = "best"  # the epoch whose weights are kept: by the monitor, or the last
    validate_every: int = 1  # epochs; the last is always validated. More than 1 where no epoch is chosen
    patience: int = 12  # epochs without a better monitor before training stops
    # plateau: the rate falls where validation stands still; one-cycle: it rises in `warm_up`, then falls to 0
    schedule: Schedule = "plateau"
    warm_up: float = 0.2  # share of all steps, in one cycle
    plateau_patience: int = 4  # epochs without a better monitor before the rate falls
    plateau_factor: float = 0.5
    min_learning_rate: float = 1e-6

    def __post_init__(self) -> None:
        for name, words in (
            ("monitor", ("loss", "uar")),
            ("keep", ("best", "last")),
            ("precision", ("float32", "bfloat16", "auto")),
            ("sampling", ("shuffled", "balanced")),
            ("schedule", ("plateau", "one-cycle")),
        ):
            if getattr(self, name) not in words:
                raise UnknownNameError(f"training.{name}", str(getattr(self, name)), words)
        for name, fits, valid in (
            ("epochs", self.epochs >= 1, "1 or more"),
            ("batch_size", self.batch_size >= 1, "1 or more"),
            ("learning_rate", self.learning_rate > 0, "above 0"),
            ("weight_decay", self.weight_decay >= 0, "0 or more"),
            ("label_smoothing", 0 <= self.label_smoothing < 1, "from 0 to below 1"),
            ("gradient_clip", self.gradient_clip is None or self.gradient_clip > 0, "above 0, or none"),
            ("crop_s", self.crop_s is None or self.crop_s >= 0.1, "0.1 or more, or none"),
            ("mixup", self.mixup >= 0, "0 or more"),
            ("weight_average", 0 <= self.weight_average < 1, "from 0 to below 1"),
            ("warm_up", 0 <= self.warm_up < 1, "from 0 to below 1"),
            ("validate_every", self.validate_every >= 1, "1 or more"),
            ("patience", self.patience >= 1, "1 or more"),
            ("plateau_patience", self.plateau_patience >= 1, "1 or more"),
            ("plateau_factor", 0 < self.plateau_factor < 1, "above 0 and below 1"),
            ("min_learning_rate", self.min_learning_rate >= 0, "0 or more"),
        ):
            if not fits:
                raise UsageError(f"training.{name} is {getattr(self, name)}; it must be {valid}")
        if self.validate_every > 1 and (self.keep, self.schedule) != ("last", "one-cycle"):
            raise UsageError(
                f"training.validate_every is {self.validate_every}, and validation chooses this training's "
                "epoch or rates: it must be 1, or training.keep=last with training.schedule=one-cycle"
            )


@dataclass(frozen=True)
class AdaptationOptions:
    """How trained weights are trained further; docs/adaptation.md says how the defaults were chosen."""

    # head: the last layer alone; norms: also scales and shifts of batch normalisations; all: every layer
    layers: Layers = "all"
    epochs: int = 20  # 0: the initial weights as they are
    rate_factor: float = 0.33  # the highest rate of one cycle, as a multiple of training.learning_rate
    batch_size: int = 8
    # of the recipe's augmentation; none: nothing is varied; live: what is drawn each time; full: all of it
    augmentation: Variation = "live"
    keep_statistics: bool = True  # batch normalisations keep the moving statistics that they came with
    validate_from: int = 200  # clips; with fewer, and where no protocol is named, every clip trains

    def __post_init__(self) -> None:
        for name, words in (("layers", ("head", "norms", "all")), ("augmentation", ("none", "live", "full"))):
            if getattr(self, name) not in words:
                raise UnknownNameError(f"adaptation.{name}", str(getattr(self, name)), words)
        for name, fits, valid in (
            ("epochs", self.epochs >= 0, "0 or more"),
            ("rate_factor", self.rate_factor > 0, "above 0"),
            ("batch_size", self.batch_size >= 1, "1 or more"),
            ("validate_from", self.validate_from >= 1, "1 or more"),
        ):
            if not fits:
                raise UsageError(f"adaptation.{name} is {getattr(self, name)}; it must be {valid}")
