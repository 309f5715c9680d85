"""Grid search: every candidate once, in an order that the seed alone decides."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from itertools import count

import numpy as np

from archwise.spaces.architecture import Candidate
from archwise.spaces.choice import Choice
from archwise.spaces.joint import JointSpace, Key
from archwise.strategies.strategy import SMALL, OneAtATime, Situation
from archwise.trial import Proposal

BARREN = 1_000
"""After so many places of the order in a row that bring nothing new, a large space's order ends."""


class GridSearch(OneAtATime):
    """Goes through all candidates in a shuffled order, each once up to the graph's canonical hash.

    - Spaces of up to 20,000 candidates are listed and shuffled.
    - Larger ones are walked without being listed: the order counts through the choices as a clock counts through its
      digits, the first choice of the tree fastest. So the first few candidates take each option of the first choice
      once, the next few each pair of options of the first two, and so on. The choices behind those that were counted
      through so far are as good as random: within a small budget this is random search with its first choices evened
      out.
    - In a large space, 1,000 places of the order in a row that bring nothing new and allowed end the order, as under
      tight limits on costs. What follows are random candidates, which are brought within the limits.
    - The search ends when all candidates were proposed; in a large space, when random search finds nothing new.

    Source: the full factorial design; the order of large spaces is a van der Corput sequence, scrambled as in Owen
    1995, Randomly permuted (t, m, s)-nets and (t, s)-sequences.

    Example:
        >>> from archwise.spaces import Chain, Choice, JointSpace, Settings, Space
        >>> from archwise.spaces.parts import dense, head
        >>> network = Space(Chain(dense(Choice("width", [16, 32, 64])), head()))
        >>> space = JointSpace(network, Space(Settings(learning_rate=0.1)))
        >>> proposals = GridSearch().propose(space, [], [], seed=0, n=5)
        >>> sorted(proposal.candidate.architecture["width"] for proposal in proposals)
        [16, 32, 64]
    """

    def __init__(self) -> None:
        self._walked: list[tuple[Key, Candidate]] = []
        self._walk: Iterator[tuple[Key, Candidate]] = iter(())
        self._walk_of: tuple[JointSpace, int] | None = None

    def propose_one(self, now: Situation) -> Proposal | None:
        """Return the first candidate of the order that was not seen, behind its end a random one."""
        for key, candidate in self._order(now.space, now.seed):
            if key not in now.seen:
                return Proposal(candidate, origin="grid")
        return now.random() if now.space.size > SMALL else None

    def _order(self, space: JointSpace, seed: int) -> Iterator[tuple[Key, Candidate]]:
        """Yield the order from its beginning; what was walked before is not walked again."""
        if self._walk_of != (space, seed):
            self._walk_of, self._walked = (space, seed), []
            self._walk = _shuffled(space, seed) if space.size <= SMALL else _counted(space, seed)
        yield from self._walked
        for step in self._walk:
            self._walked.append(step)
            yield step


def _shuffled(space: JointSpace, seed: int) -> Iterator[tuple[Key, Candidate]]:
    """Yield what is allowed of a small space in random order, each function once, with its key."""
    everything = list(space.enumerate())
    order = np.random.default_rng(seed).permutation(len(everything))
    seen: set[Key] = set()
    return (step for i in order if (step := _first_met(space, everything[i], seen)))


def _counted(space: JointSpace, seed: int) -> Iterator[tuple[Key, Candidate]]:
    """Yield what is allowed of a large space in the order of counting, each function once, with its key."""
    seen: set[Key] = set()
    barren = 0
    for place in count():
        candidate = _candidate_at(space, seed, place)
        step = _first_met(space, candidate, seen) if candidate else None
        barren = 0 if step else barren + 1
        if step:
            yield step
        elif barren == BARREN:
            return


def _first_met(space: JointSpace, candidate: Candidate, seen: set[Key]) -> tuple[Key, Candidate] | None:
    """Return an allowed candidate with its key when the key is met first."""
    # Limits forbid most candidates where they are tight, and keys take longer to find.
    if not space.allows(candidate) or (key := space.key(candidate)) in seen:
        return None
    seen.add(key)
    return key, candidate


def _candidate_at(space: JointSpace, seed: int, place: int) -> Candidate | None:
    """Return the candidate whose options, a digit for each choice that is met, write the number `place`, lowest first.

    Which digit stands for which option depends on the seed and on all that was decided before.

    Returns:
        None where the number has more digits than there are choices: that candidate stood at an earlier place.
    """
    left = place
    decided = blake2b(str(seed).encode())

    def decide(path: str, choice: Choice, allowed: tuple[int, ...]) -> int:
        nonlocal left
        left, digit = divmod(left, len(allowed))
        shift = int.from_bytes(decided.digest(), "big")
        index = allowed[(digit + shift) % len(allowed)]
        decided.update(f"{path}={choice.labels[index]}\n".encode())
        return index

    candidate = space.derive(decide)
    return candidate if left == 0 else None
