"""The controller: a recurrent network that writes candidates choice by choice, and learns which ones to write."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from archwise.spaces.architecture import Candidate, Label
from archwise.spaces.choice import Choice
from archwise.spaces.joint import RECIPE, JointSpace
from archwise.spaces.occurrences import occurrences

HIDDEN = 32
"""Units of the LSTM."""
BOUND = 2.5
"""Logits stay between -BOUND and BOUND, so that no option is ever given up."""
PASSES = 3
"""Steps that the proximal update takes on the same candidates."""
CLIP = 0.2
"""How far from 1 the proximal update pushes the ratio of an option's probabilities after and before it."""

State = tuple[Tensor, Tensor]
"""The LSTM's hidden state and its cell's."""


@contextmanager
def apart() -> Iterator[None]:
    """Compute alike whatever the program around it has set in PyTorch, and leave that as it is."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        torch.set_num_threads(threads)


class _Batch(NamedTuple):
    """Candidates as the controller writes them, padded to one length; `(candidates, length)`, and options last."""

    choices: Tensor
    """What is asked at each place."""
    before: Tensor
    """The option taken at the place before."""
    closed: Tensor
    """The options that are not open there."""
    taken: Tensor
    """The option taken there."""


class Controller(nn.Module):
    """A policy over the candidates of a space: an LSTM that decides choice after choice, the recipe's last.

    At each choice that the walk down the tree meets, it reads which choice that is and which option was taken at the
    one before, and gives every open option a probability; a choice with one open option is not asked about. An option
    has output weights of its own, and others that it shares with the options called the same at choices called the
    same, so that copies of a part learn from each other.

    The weights depend on the space, the seed and the lessons alone; PyTorch's own generator and number of threads stay
    as they are.

    Source: Zoph & Le 2017, Neural architecture search with reinforcement learning; Pham et al. 2018, Efficient neural
    architecture search via parameter sharing (initial weights, bounded logits); Schulman et al. 2017, Proximal policy
    optimization algorithms.

    Args:
        space: the candidates.
        seed: decides the initial weights, with which all open options are about equally likely.
        learning_rate: of Adam; larger follows the lessons faster and settles sooner.
        entropy: weight of the policy's entropy beside the advantages; larger explores longer.

    Example:
        >>> from archwise.evaluators.recipe import training_recipe
        >>> from archwise.spaces.mlp import mlp
        >>> controller = Controller(JointSpace(mlp(), training_recipe("table")), seed=0)
        >>> candidate = controller.write(np.random.default_rng(0))
        >>> before = controller.log_probability(candidate)
        >>> controller.reinforce([candidate], [1.0])
        >>> controller.log_probability(candidate) > before
        True
    """

    @apart()
    def __init__(self, space: JointSpace, seed: int, learning_rate: float = 0.01, entropy: float = 0.05):
        super().__init__()
        self.space = space
        self.entropy = entropy
        self._places: dict[str, tuple[int, int]] = {}
        self._met: dict[tuple[int, ...], tuple[np.ndarray, State]] = {}
        kinds: dict[tuple[object, ...], int] = {}
        kind_of: list[int] = []
        for side, root in (("", space.network.root), (RECIPE, space.recipe.root)):
            for path, choice in occurrences(root):
                self._places[side + path] = len(self._places), len(kind_of)
                names = [(side, choice.name, type(label), label) for label in choice.labels]
                kind_of += [kinds.setdefault(name, len(kinds)) for name in names]
        # One choice and one option more than there are: nothing, which is before a text and behind it.
        self._nothing = len(self._places), len(kind_of)
        kind_of.append(len(kinds))
        self._kind_of = torch.from_numpy(np.array(kind_of, dtype=np.int64))
        with torch.random.fork_rng(devices=[]):
            self.choices = nn.Embedding(len(self._places) + 1, HIDDEN)
            self.before = nn.Embedding(len(kind_of), HIDDEN)
            self.lstm = self._reader()
            self.options = nn.Linear(HIDDEN, len(kind_of))
            self.kinds = nn.Linear(HIDDEN, len(kinds) + 1)
        generator = torch.Generator().manual_seed(seed)
        for parameter in self.to("cpu", torch.float32).parameters():
            nn.init.uniform_(parameter, -0.1, 0.1, generator=generator)
        self._optimizer = torch.optim.Adam(self.parameters(), learning_rate, fused=True)

    def _reader(self) -> nn.LSTM:
        """Return what reads the choices; of a candidate that is written, those that were made already."""
        return nn.LSTM(HIDDEN, HIDDEN, batch_first=True)

    # ------------------------------------------------------------------ writing

    @apart()
    @torch.no_grad()
    def write(self, rng: np.random.Generator, kept: Mapping[str, Label] | None = None) -> Candidate:
        """Draw a candidate from the policy.

        Args:
            rng: what is drawn from.
            kept: path -> label of choices that are not drawn, where they are met and the label is open.
        """
        kept = kept or {}
        taken: list[int] = []
        state: State | None = None

        def decide(path: str, choice: Choice, allowed: tuple[int, ...]) -> int:
            nonlocal state
            if len(allowed) == 1:
                return allowed[0]
            number, first = self._places[path]
            written = tuple(taken)
            if written not in self._met:
                self._met[written] = self._step(number, [first + i for i in allowed], taken, state)
            probabilities, state = self._met[written]
            known = choice.find(kept[path]) if path in kept else None
            index = allowed[int(rng.choice(len(allowed), p=probabilities))] if known not in allowed else known
            taken.append(first + index)
            return index

        return self.space.derive(decide)

    def _step(self, choice: int, open_: list[int], taken: list[int], state: State | None) -> tuple[np.ndarray, State]:
        """Return the probabilities of the open options of a choice, and the state that the LSTM is in after it."""
        before = taken[-1] if taken else self._nothing[1]
        logits, state = self(torch.from_numpy(np.array([[choice]])), torch.from_numpy(np.array([[before]])), state)
        return logits[0, 0, open_].double().softmax(-1).numpy(), state

    def forward(self, choices: Tensor, before: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Return logits of all options of the space, `(candidates, length, options)`, and the LSTM's last state.

        Args:
            choices, before: `(candidates, length)`, the choice to decide at each place and the option taken before it.
            state: the LSTM's state before the first place.
        """
        read, state = self.lstm(self.choices(choices) + self.before(before), state)
        logits = self.options(read) + self.kinds(read)[..., self._kind_of]
        return BOUND * torch.tanh(logits / BOUND), state

    # ------------------------------------------------------------------ learning

    @apart()
    @torch.no_grad()
    def log_probability(self, candidate: Candidate) -> float:
        """Return the logarithm of the probability with which `write` draws a candidate of the space."""
        batch = self._batch([candidate])
        return float(self._replay(batch)[0].sum()) if batch.taken.numel() else 0.0

    def reinforce(self, candidates: Sequence[Candidate], advantages: Sequence[float]) -> None:
        """Take one step of the policy gradient.

        Args:
            candidates: what was evaluated.
            advantages: by how much each did better than expected.
        """
        self._learn(candidates, advantages, 1, lambda now, _, advantage: now * advantage)

    def proximal(self, candidates: Sequence[Candidate], advantages: Sequence[float]) -> None:
        """Take several steps of proximal policy optimisation on the same candidates.

        Args:
            candidates, advantages: as for `reinforce`.
        """

        def clipped(now: Tensor, before: Tensor, advantage: Tensor) -> Tensor:
            ratio = (now - before).exp()
            return torch.minimum(ratio * advantage, ratio.clamp(1 - CLIP, 1 + CLIP) * advantage)

        self._learn(candidates, advantages, PASSES, clipped)

    @apart()
    def _learn(
        self,
        candidates: Sequence[Candidate],
        advantages: Sequence[float],
        passes: int,
        gain: Callable[[Tensor, Tensor, Tensor], Tensor],
    ) -> None:
        """Climb the mean gain, `(now, before, advantage) -> gain at each place`, and the entropy."""
        batch = self._batch(candidates)
        if not batch.taken.numel():
            return
        self._met.clear()
        advantage = torch.from_numpy(np.array(advantages, dtype=np.float32))[:, None]
        before: Tensor | None = None
        for _ in range(passes):
            now, entropy = self._replay(batch)
            before = now.detach() if before is None else before
            climbed = gain(now, before, advantage).sum() + self.entropy * entropy.sum()
            self._optimizer.zero_grad()
            (-climbed / len(candidates)).backward()  # type: ignore[no-untyped-call]
            self._optimizer.step()

    def _replay(self, batch: _Batch) -> tuple[Tensor, Tensor]:
        """Return the log-probability of the option taken at each place of each candidate, and the entropy there.

        Both are `(candidates, length)` and zero behind a candidate's end.
        """
        logits, _ = self(batch.choices, batch.before)
        logs = logits.masked_fill(batch.closed, -torch.inf).log_softmax(-1)
        entropy = -(logs.exp() * logs.masked_fill(batch.closed, 0.0)).sum(-1)
        return logs.gather(-1, batch.taken[..., None])[..., 0], entropy

    def _batch(self, candidates: Sequence[Candidate]) -> _Batch:
        """Return candidates as `write` would write them."""
        texts = [self._text(candidate) for candidate in candidates]
        shape = len(texts), max(len(text) for text in texts)
        choices, taken, before = (np.full(shape, self._nothing[i], dtype=np.int64) for i in (0, 1, 1))
        closed = np.ones((*shape, self.options.out_features), dtype=bool)
        for i, text in enumerate(texts):
            closed[i, len(text) :, -1] = False
            for place, (choice, rows, row) in enumerate(text):
                choices[i, place], taken[i, place] = choice, row
                closed[i, place, rows] = False
        before[:, 1:] = taken[:, :-1]
        return _Batch(*(torch.from_numpy(array) for array in (choices, before, closed, taken)))

    def _text(self, candidate: Candidate) -> list[tuple[int, list[int], int]]:
        """Return what is asked about a candidate: the choice, the options that are open and the one that is taken."""
        text = []
        for decision in self.space.decisions(candidate):
            if len(decision.allowed) > 1:
                number, first = self._places[decision.path]
                text.append((number, [first + i for i in decision.allowed], first + decision.index))
        return text

    # ------------------------------------------------------------------ what was learned, as a value

    @apart()
    def state(self) -> dict[str, Any]:
        """Return a copy of all that was learned."""
        return copy.deepcopy({"weights": self.state_dict(), "optimizer": self._optimizer.state_dict()})

    @apart()
    def load(self, state: dict[str, Any]) -> None:
        """Return to what `state` gave."""
        self._met.clear()
        self.load_state_dict(state["weights"])
        self._optimizer.load_state_dict(copy.deepcopy(state["optimizer"]))  # it would go on in the one it is given
