"""Several networks that listen to the same picture and are answered for together.

Each member learns by itself: its own answers are held against the targets, and none leans on another. The
committee's probabilities are the mean of theirs, or where a gate tells whom to ask, a weighed mean. Networks
that err differently are better together than the best of them, and one file holds them all.

Dietterich (2000), "Ensemble Methods in Machine Learning"; Lakshminarayanan, Pritzel & Blundell (2017),
"Simple and Scalable Predictive Uncertainty Estimation using Deep Ensembles", section 2.4; Genest & Zidek
(1986), "Combining Probability Distributions: A Critique and an Annotated Bibliography", section 3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from vocemo.errors import UsageError
from vocemo.lab.models.encoder_head import EncoderHead
from vocemo.lab.models.encoders import Credit, Partway
from vocemo.lab.models.gate import Gate
from vocemo.lab.models.lesson import OF_A_LESSON, Lesson
from vocemo.lab.models.output import Output
from vocemo.lab.models.registry import MODELS, build, settled

NAME = "committee"
MEANS = ("arithmetic", "geometric")
OF_A_MEMBER = ("name", "part", *OF_A_LESSON)  # a committee reads them, no member does


@MODELS.register(NAME)
class Committee(nn.Module):
    """Features (batch, channels, bands, frames) -> emotions, by all members.

    `members` are tables as `[model]` itself: a `name`, and that model's options. A name may stand there
    several times: members begin with different weights. Each may also have a `part`, the place of the picture
    that it sees, from 0, where the front end gives several (`joined`), and a `learning_rate_factor`.

    By `own_batches` each member learns from batches of its own: members that see the same clips in the same
    order, mixed alike, grow alike. A member may then also have `views`, the first of a clip's kept views that
    it learns from and one past the last, a `mixup` and `clip_weights` of its own (`lesson.Lesson`): one may
    grow up in quiet, another in all sorts of places, a third on speech more than on song.

    Where members have other `views` than others, a `gate` of so many hidden numbers learns which of these
    views a recording is like, by what the first member's encoder makes of it, and members count by that
    (`gate.Gate`); 0: all count alike.

    `mean` is arithmetic or geometric (a logarithmic opinion pool): by the latter an emotion that one member
    all but excludes is all but excluded.

    Members with the same trained encoder whose first stages stay frozen share these, which are then kept and
    computed once: branches on one trunk (Lee et al. 2015, "Why M Heads are Better than One").
    """

    def __init__(
        self,
        *,
        channels: int,
        bands: int,
        frames: int | None,
        emotions: int,
        parts: Sequence[slice],
        members: Sequence[Mapping[str, Any]] = ({"name": "residual-cnn"}, {"name": "residual-cnn"}),
        own_batches: bool = False,
        gate: int = 0,
        mean: str = MEANS[0],
    ) -> None:
        super().__init__()
        if not isinstance(own_batches, bool):
            raise UsageError(f"model.own_batches is {own_batches!r}; valid: true, false")
        if mean not in MEANS:
            raise UsageError(f"model.mean is {mean!r}; valid: {', '.join(MEANS)}")
        self.own_batches, self.mean = own_batches, mean
        self.parts, self.lessons, built = [], [], []
        for table in _checked(members):
            name, options = _read(table)
            part = _part(table, parts)
            seen = part.stop - part.start
            built.append(
                build(name, options, channels=channels, bands=seen, frames=frames, emotions=emotions)
            )
            self.parts.append(part)
            self.lessons.append(Lesson.of(table, own_batches=own_batches))
        self.members = nn.ModuleList(built)
        self.roots = _roots(built, self.parts)
        for number, (member, root) in enumerate(zip(built, self.roots, strict=True)):
            if isinstance(member, EncoderHead) and root not in (None, number):
                member.stand_on_another()
        self.gate = self._gate(gate)  # built last: members begin as they do without one

    def forward(self, features: Tensor, lengths: Tensor) -> Output:
        """Features (batch, channels, bands, frames), valid frames (batch,) -> Output, votes and all."""
        outputs, trunks = list[Output](), dict[int, Partway]()
        for member, part, root in zip(self.members, self.parts, self.roots, strict=True):
            seen = features[:, :, part]
            if root is None or not isinstance(member, EncoderHead):
                outputs.append(member(seen, lengths))
                continue
            if root not in trunks:  # the first of them is the root itself
                trunks[root] = member.trunk(seen, lengths)
            outputs.append(member.on_trunk(trunks[root]))
        votes = torch.stack([output.logits.float() for output in outputs], dim=1)
        said = torch.log_softmax(votes, dim=2)
        if self.gate is None:
            counts = said.new_full((1, len(outputs), 1), -math.log(len(outputs)))
        else:
            counts = self.gate(*self.states(trunks[0])).unsqueeze(2)
        # The logarithm of a mean of probabilities: softmax gives the mean back.
        if self.mean == "geometric":
            logits = (counts.exp() * said).sum(dim=1)
        else:
            logits = torch.logsumexp(said + counts, dim=1)
        embedding = torch.cat([output.embedding.float() for output in outputs], dim=1)
        return Output(logits, embedding, votes=votes)

    def of_member(self, number: int, features: Tensor, lengths: Tensor) -> Output:
        """What one member alone makes of what `forward` takes."""
        member, root = self.members[number], self.roots[number]
        seen = features[:, :, self.parts[number]]
        if root is None or not isinstance(member, EncoderHead):
            alone: Output = member(seen, lengths)
            return alone
        first = self.members[root]
        assert isinstance(first, EncoderHead)
        return member.on_trunk(first.trunk(seen, lengths))

    def states(self, trunk: Partway) -> tuple[Tensor, Tensor]:
        """What a gate listens to, from the first member's trunk: (batch, D, T), own frames (batch,)."""
        first = self.members[0]
        assert isinstance(first, EncoderHead)
        states = first.states(trunk)
        return states.hidden[:, 0].float(), states.frames

    def begin(self) -> None:
        """Put trained weights into the members that begin with such."""
        for member in self.members:
            begin = getattr(member, "begin", None)
            if begin is not None:
                begin()

    def parameter_groups(self) -> list[tuple[list[nn.Parameter], float]]:
        """Parameters to train, each group with what its learning rate is multiplied by."""
        groups: list[tuple[list[nn.Parameter], float]] = []
        for member, lesson in zip(self.members, self.lessons, strict=True):
            own = getattr(member, "parameter_groups", None)
            for parameters, share in own() if own is not None else [(list(member.parameters()), 1.0)]:
                groups.append((parameters, lesson.learning_rate_factor * share))
        return groups if self.gate is None else [*groups, (list(self.gate.parameters()), 1.0)]

    def credits(self) -> tuple[Credit, ...]:
        """Whom a trained committee must name, each once."""
        found = [credit for member in self.members for credit in _credits(member)]
        return tuple(dict.fromkeys(found))

    def _gate(self, hidden: int) -> Gate | None:
        """None of 0. Raises UsageError where there is nothing to tell apart, or nothing to tell it by."""
        if hidden < 0:
            raise UsageError(f"model.gate is {hidden!r}; valid: a number of neurons, 0 for none")
        if not hidden:
            return None
        kinds = [lesson.views for lesson in self.lessons]
        if len(set(kinds)) < 2:
            raise UsageError("model.gate tells apart members' views, and no member has others than another")
        first = self.members[0]
        heard = {kind for kind, root in zip(kinds, self.roots, strict=True) if root == 0}
        if heard != set(kinds) or not isinstance(first, EncoderHead) or not first.frozen or first.mix:
            raise UsageError(
                "model.gate listens to the first member's encoder, which must be frozen, of one state, and "
                "shared by members with each of the views that it tells apart"
            )
        return Gate(first.encoder.width, [list(dict.fromkeys(kinds)).index(kind) for kind in kinds], hidden)

    @staticmethod
    def settled(options: Mapping[str, Any]) -> dict[str, Any]:
        """The options, each member's with what it must be told to be built again anywhere."""
        if "members" not in options:
            return dict(options)
        members = []
        for table in _checked(options["members"]):
            name, own = _read(table)
            members.append({**table, **settled(name, own)})
        return {**options, "members": members}


def _checked(members: object) -> list[Mapping[str, Any]]:
    """Tables with a name each. Raises UsageError for anything else, and for a committee in a committee."""
    if isinstance(members, str | Mapping) or not isinstance(members, Sequence) or not members:
        raise UsageError(f"model.members is {members!r}; valid: a list of tables, each with a name")
    for member in members:
        if not isinstance(member, Mapping) or not isinstance(member.get("name"), str):
            raise UsageError(f"a member of the committee is {member!r}; valid: a table with a name")
        if member["name"] == NAME:
            raise UsageError("a committee is no member of a committee; list its members themselves")
    return list(members)


def _read(member: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """A member's name, and what its own architecture is told."""
    return str(member["name"]), {key: value for key, value in member.items() if key not in OF_A_MEMBER}


def _roots(members: Sequence[nn.Module], parts: Sequence[slice]) -> list[int | None]:
    """Whose frozen first stages each member stands on, the first's of several with the same; None: it shares
    none with another.
    """
    roots: list[int | None] = []
    for number, member in enumerate(members):
        alike = [
            place
            for place, other in enumerate(members)
            if isinstance(member, EncoderHead)
            and isinstance(other, EncoderHead)
            and parts[place] == parts[number]
            and member.begins_as(other)
        ]
        roots.append(alike[0] if len(alike) > 1 else None)
    return roots


def _part(member: Mapping[str, Any], parts: Sequence[slice]) -> slice:
    """The bands that a member sees. Raises UsageError where its part does not exist, or is not said."""
    part = member.get("part", 0 if len(parts) == 1 else None)
    if isinstance(part, bool) or not isinstance(part, int) or not 0 <= part < len(parts):
        raise UsageError(
            f"{member['name']} of the committee has part {part}; the front end gives {len(parts)}: "
            + f"valid: {', '.join(map(str, range(len(parts))))}"
        )
    return parts[part]


def _credits(member: nn.Module) -> tuple[Credit, ...]:
    given = getattr(member, "credits", None)
    return () if given is None else tuple(given())
