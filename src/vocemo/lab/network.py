"""Front end and architecture as one module: what was trained is what runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Self

import torch
from torch import Tensor, nn

from vocemo.lab import front_ends, models
from vocemo.lab.models import Output
from vocemo.lab.models.committee import Committee
from vocemo.lab.models.encoders import Partway
from vocemo.lab.models.lesson import Lesson
from vocemo.lab.models.masking import frame_mask, masked_mean
from vocemo.lab.recipe import Recipe
from vocemo.lab.recipe_options import AdaptationOptions, NamedOptions

LEAST_DEVIATION = 1e-3  # of a front end's band over time, whose numbers are about 1 over a corpus


class Network(nn.Module):
    """Samples (batch, N) and their true lengths (batch,) -> Output.

    In training, and where `half_width` is set, the model's products run in bfloat16 by autocast; features and
    weights stay float32, and so does every answer. Where `keeps_statistics` is set, batch normalisations keep
    their moving statistics in training too.
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.half_width = False
        self.keeps_statistics = False
        self.front_end = front_ends.build(
            recipe.front_end.name, recipe.front_end.options, sample_rate_hz=recipe.preparation.sample_rate
        )
        self.model = models.build(
            recipe.model.name,
            recipe.model.options,
            channels=self.front_end.channels,
            bands=self.front_end.bands,
            parts=self.parts,
            frames=self.front_end.frames(recipe.preparation.length),
            emotions=len(recipe.emotions),
        )

    @property
    def parts(self) -> tuple[slice, ...]:
        """The bands of each picture that the front end gives, one above the other; one of most front ends."""
        whole = (slice(0, self.front_end.bands),)
        return getattr(self.front_end, "parts", whole)

    @property
    def pictures(self) -> tuple[slice, ...]:
        """The bands of each picture that is varied by itself: a part of the front end may have several, or be
        none itself.
        """
        return getattr(self.front_end, "pictures", self.parts)

    def train(self, mode: bool = True) -> Self:
        """Training mode, or with False that of answers."""
        super().train(mode)
        if self.keeps_statistics:
            for layer in _norms(self):
                layer.eval()
        return self

    def forward(self, samples: Tensor, lengths: Tensor) -> Output:
        """Samples (batch, N) float32, lengths (batch,) int64 -> Output."""
        return self.answer(*self.features(samples, lengths))

    def features(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Samples (batch, N), lengths (batch,) -> features (batch, channels, bands, T), frames (batch,)."""
        with torch.no_grad():  # nothing in front of the model is learnt by descent
            features, frames = self.front_end(samples, lengths)
        return features, frames

    def answer(self, features: Tensor, frames: Tensor) -> Output:
        """What the model makes of features (batch, channels, bands, T) and valid frames (batch,)."""
        with self._width(features):
            half: Output = self.model(features, frames)
        if not (self.training and self.half_width):
            return half
        attention = None if half.attention is None else half.attention.float()
        votes = None if half.votes is None else half.votes.float()
        return Output(half.logits.float(), half.embedding.float(), attention, votes)

    @torch.no_grad()
    def partway(self, features: Tensor, frames: Tensor) -> tuple[Partway, ...]:
        """What each frozen trunk of a model with `models.branches` makes of what `answer` takes."""
        return models.trunks(self.model, features, frames)

    def frozen_state(self) -> dict[str, Tensor]:
        """The numbers that `features` and `partway` depend on."""
        return {
            **{f"front_end.{name}": value for name, value in self.front_end.state_dict().items()},
            **{f"trunk.{name}": value for name, value in models.trunk_state(self.model).items()},
        }

    def learners(self) -> int:
        """How many batches a step takes: a committee's members may learn from their own."""
        model = self.model
        return len(model.members) if isinstance(model, Committee) and model.own_batches else 1

    def votes(self, features: Tensor, frames: Tensor, learner: int) -> tuple[Tensor, ...]:
        """The logits (batch, emotions) that are held against the targets of a learner's batch, in training.

        features (batch, channels, bands, T), frames (batch,).
        """
        if self.learners() > 1:
            assert isinstance(self.model, Committee)
            with self._width(features):
                return (self.model.of_member(learner, features, frames).logits.float(),)
        output = self.answer(features, frames)
        # Each member of a committee learns by itself.
        return (output.logits,) if output.votes is None else output.votes.unbind(1)

    def heard_by(self, learner: int) -> tuple[models.Branch, ...]:
        """The branches that learn from a learner's batch, of a model with `models.branches`."""
        branches = models.branches(self.model)
        return branches[learner : learner + 1] if self.learners() > 1 else branches

    def lesson(self, learner: int) -> Lesson:
        """How a learner learns, where it does so in a way of its own."""
        model = self.model
        return model.lessons[learner] if isinstance(model, Committee) and model.own_batches else Lesson()

    def votes_on_trunks(self, partways: Mapping[int, Partway], learner: int) -> tuple[Tensor, ...]:
        """As `votes`, from behind the trunks, by their numbers, that the learner's branches stand on."""
        branches = self.heard_by(learner)
        with self._width(partways[branches[0].trunk].x):
            return tuple(branch.member.on_trunk(partways[branch.trunk]).logits.float() for branch in branches)

    @property
    def has_gate(self) -> bool:
        """Whether its members count by what a recording is like (`models.gate`)."""
        return isinstance(self.model, Committee) and self.model.gate is not None

    def learnt_together(self) -> list[list[nn.Parameter]]:
        """Parameters whose gradients are of one loss: a gate's is no other's."""
        model = self.model
        gate = model.gate if isinstance(model, Committee) else None
        own = [] if gate is None else list(gate.parameters())
        apart = {id(parameter) for parameter in own}
        others = [parameter for parameter in self.parameters() if id(parameter) not in apart]
        return [others, own] if own else [others]

    def lesson_loss(self, of_learners: Sequence[Mapping[int, Partway]]) -> Tensor | None:
        """How ill a committee's gate tells its learners' batches apart, in nats; None: no gate learns.

        of_learners: for each learner, what `votes_on_trunks` takes.
        """
        model = self.model
        if not isinstance(model, Committee) or model.gate is None:
            return None
        gate = model.gate
        if not any(parameter.requires_grad for parameter in gate.parameters()):
            return None
        return gate.loss([gate.pooled(*model.states(own[0])) if 0 in own else None for own in of_learners])

    def summed_up_on_trunks(self, partways: Mapping[int, Partway], statistics: Tensor) -> Tensor:
        """Each clip's vector of `summary`, from behind all trunks and `band_statistics` in front of them."""
        heard = [branch.member.on_trunk(partways[branch.trunk]) for branch in models.branches(self.model)]
        return torch.cat([*(output.embedding.float() for output in heard), statistics], dim=1)

    def _width(self, x: Tensor) -> AbstractContextManager[Any]:
        """Half the width in training, where that is wanted."""
        half = self.training and self.half_width
        return torch.autocast(x.device.type, torch.bfloat16) if half else nullcontext()

    def summed_up(self, samples: Tensor, lengths: Tensor) -> tuple[Output, Tensor]:
        """What `forward` gives, for the same, and each clip's vector of `summary`, (batch, D)."""
        features, frames = self.features(samples, lengths)
        output: Output = self.model(features, frames)
        return output, summary(pictured(features, self.pictures), frames, output.embedding)

    def parameter_counts(self) -> tuple[int, int]:
        """Trainable parameters, and those that are not (frozen, moving statistics), of the model alone."""
        trainable = sum(p.numel() for p in self.model.parameters() if p.requires_grad)
        # Batch normalisation's count of batches is bookkeeping, no parameter.
        moving = sum(
            b.numel() for n, b in self.model.named_buffers() if not n.endswith("num_batches_tracked")
        )
        frozen = sum(p.numel() for p in self.model.parameters() if not p.requires_grad)
        return trainable, frozen + moving

    def begin(self) -> None:
        """Put trained weights into what begins with such. Raises UsageError where they are missing."""
        begin = getattr(self.model, "begin", None)
        if begin is not None:
            begin()

    @property
    def heads(self) -> dict[str, nn.Linear]:
        """The last layers, whose rows are emotions, by their names in here."""
        return {f"model.{name}": layer for name, layer in models.heads(self.model).items()}

    def adapt(self, options: AdaptationOptions) -> None:
        """Let those parameters alone be trained that an adaptation may change."""
        self.keeps_statistics = options.keep_statistics
        if options.layers == "all":
            return
        self.requires_grad_(False)
        for layer in [*self.heads.values(), *(_norms(self.model) if options.layers == "norms" else ())]:
            layer.requires_grad_(True)

    def parameter_groups(self) -> list[tuple[list[nn.Parameter], float]]:
        """Parameters to train, each group with what its learning rate is multiplied by."""
        groups = getattr(self.model, "parameter_groups", None)
        return [(list(self.parameters()), 1.0)] if groups is None else groups()

    def credits(self) -> tuple[models.Credit, ...]:
        """Whom a bundle must name beside the corpora: the makers of weights that the model began with."""
        credited = getattr(self.model, "credits", None)
        return () if credited is None else credited()


def _norms(module: nn.Module) -> list[nn.Module]:
    return [each for each in module.modules() if isinstance(each, nn.BatchNorm1d | nn.BatchNorm2d)]


def pictured(features: Tensor, pictures: Sequence[slice]) -> Tensor:
    """The bands that belong to a picture, of which alone a mean over time says something; all where none do.

    Shape: features (batch, channels, bands, T) -> the same, of as many bands.
    """
    if not pictures or sum(one.stop - one.start for one in pictures) == features.shape[2]:
        return features
    return torch.cat([features[:, :, one] for one in pictures], dim=2)


def summary(features: Tensor, frames: Tensor, embedding: Tensor) -> Tensor:
    """A clip in one vector: its embedding, and each band's mean and log deviation over the clip's own frames.

    Shape: features (batch, channels, bands, T), frames (batch,), embedding (batch, E) ->
    (batch, E + 2 channels bands).
    """
    return torch.cat([embedding, band_statistics(features, frames)], dim=1)


def band_statistics(features: Tensor, frames: Tensor) -> Tensor:
    """Each band's mean and log deviation over a clip's own frames.

    Shape: features (batch, channels, bands, T), frames (batch,) -> (batch, 2 channels bands).
    """
    mask = frame_mask(frames, features.shape[-1])[:, None, None, :]
    mean = masked_mean(features, mask)
    variance = masked_mean((features - mean.unsqueeze(-1)).square(), mask)
    spread = 0.5 * torch.log(variance.clamp(min=LEAST_DEVIATION**2))
    return torch.cat([mean.flatten(1), spread.flatten(1)], dim=1)


def settled(recipe: Recipe) -> Recipe:
    """The recipe with what its model must be told to be built again once the files it begins with are gone.

    Raises UsageError where they are missing now.
    """
    options = models.settled(recipe.model.name, recipe.model.options)
    return dataclasses.replace(recipe, model=NamedOptions(recipe.model.name, options))


def build(recipe: Recipe, seed: int) -> Network:
    """A network with fresh weights that the seed alone decides; the global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Network(recipe)
