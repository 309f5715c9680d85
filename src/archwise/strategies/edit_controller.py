"""The controller of edits: reads a network's choices and says which of them to change to what."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from archwise.spaces.architecture import Candidate, Label
from archwise.strategies.controller import BOUND, HIDDEN, Controller, apart
from archwise.strategies.edits import moves

Place = tuple[str, Label]
"""An edit as the controller knows it: a choice's path, and the label of the option that it takes then."""


class EditController(Controller):
    """A policy over the edits of a candidate: a bidirectional LSTM reads its choices and rates every edit.

    It reads which choices were made and how, forwards and backwards, and weighs each other option of each choice by
    what was read around it. All edits of a candidate together have probability 1.

    Source: Cai et al. 2018, Efficient architecture search by network transformation (encoder and actors; theirs tell
    apart widening and inserting, here each edit is an option of a choice).

    Args:
        space, seed, learning_rate, entropy: as for `Controller`.

    Example:
        >>> from archwise.evaluators.recipe import training_recipe
        >>> from archwise.spaces.joint import JointSpace
        >>> from archwise.spaces.mlp import mlp
        >>> space = JointSpace(mlp(), training_recipe("table"))
        >>> controller = EditController(space, seed=0)
        >>> before = controller.probabilities(space.default)
        >>> controller.reinforce_edits([space.default], [("depth", 3)], [1.0])
        >>> controller.probabilities(space.default)["depth", 3] > before["depth", 3]
        True
    """

    def _reader(self) -> nn.LSTM:
        return nn.LSTM(HIDDEN, HIDDEN // 2, batch_first=True, bidirectional=True)

    @apart()
    @torch.no_grad()
    def probabilities(self, candidate: Candidate) -> dict[Place, float]:
        """Return how likely each edit of a candidate is."""
        places, rows = self._places_of(candidate)
        if not places:
            return {}
        chances = self._logs([candidate])[0, rows].softmax(-1).tolist()
        return dict(zip(places, chances, strict=True))

    @apart()
    def reinforce_edits(
        self, parents: Sequence[Candidate], edits: Sequence[Place], advantages: Sequence[float]
    ) -> None:
        """Take one step of the policy gradient.

        Args:
            parents: the candidates that were edited.
            edits: the edit that was made of each.
            advantages: by how much each did better than expected.
        """
        logits = self._logs(parents)
        climbed = torch.zeros(())
        for i, (parent, edit, advantage) in enumerate(zip(parents, edits, advantages, strict=True)):
            places, rows = self._places_of(parent)
            logs = logits[i, rows].log_softmax(-1)
            climbed = climbed + advantage * logs[places.index(edit)] - self.entropy * (logs.exp() * logs).sum()
        self._optimizer.zero_grad()
        (-climbed / len(parents)).backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()

    def _logs(self, candidates: Sequence[Candidate]) -> Tensor:
        """Return logits of all options at all places of candidates, `(candidates, length * options)`."""
        batch = self._batch(candidates)
        lengths = (batch.choices != self._nothing[0]).sum(1)
        packed = nn.utils.rnn.pack_padded_sequence(
            self.choices(batch.choices) + self.before(batch.taken), lengths, batch_first=True, enforce_sorted=False
        )
        read, _ = nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        logits = self.options(read) + self.kinds(read)[..., self._kind_of]
        return (BOUND * torch.tanh(logits / BOUND)).flatten(1)

    def _places_of(self, candidate: Candidate) -> tuple[list[Place], np.ndarray]:
        """Return the edits of a candidate, and where their logits are."""
        places: list[Place] = []
        rows: list[int] = []
        open_ = [decision for decision in self.space.decisions(candidate) if len(decision.allowed) > 1]
        for position, decision in enumerate(open_):
            for index in moves(decision):
                places.append((decision.path, decision.choice.labels[index]))
                rows.append(position * self.options.out_features + self._places[decision.path][1] + index)
        return places, np.array(rows, dtype=np.int64)
