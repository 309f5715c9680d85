"""The trained weights of a search's best trials, which other trials start from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from archwise.evaluators.evaluator import Start
from archwise.trial import INHERITABLE, Proposal, Trial


class Lineage:
    """Who starts from whose weights, and which of them are kept.

    Kept are those of the `INHERITABLE` best trials of each fidelity, and those that a trial started from which may
    still continue. What is kept follows from the trials alone, so a search that was killed goes on with the same.

    Args:
        folder: where the weights are.
        active: whether the strategy passes weights on; if not, none are written.
    """

    def __init__(self, folder: Path, active: bool):
        self.folder = folder
        self.active = active

    def file(self, number: int) -> str | None:
        """Return where a trial leaves its weights; None where nobody would start from them."""
        return str((self.folder / f"{number}.safetensors").absolute()) if self.active else None

    def settled(self, proposal: Proposal, trials: Sequence[Trial]) -> Proposal:
        """Return a proposal that says what will happen.

        One that continues a trial inherits what that one did; a new one whose parent's weights are gone starts from
        scratch.

        Args:
            proposal: what a strategy proposed.
            trials: this search's.
        """
        if proposal.parent is not None:
            inherits = next(trial.inherits for trial in trials if trial.number == proposal.parent)
            return replace(proposal, inherits=inherits)
        known = any(trial.number == proposal.inherits for trial in trials)
        if proposal.inherits is None or (known and (self.folder / f"{proposal.inherits}.safetensors").exists()):
            return proposal
        origin = f"{proposal.origin} (from scratch: the weights of trial {proposal.inherits} are gone)"
        return replace(proposal, inherits=None, origin=origin)

    def start(self, proposal: Proposal, trials: Sequence[Trial]) -> Start | None:
        """Return the network that a settled proposal starts from."""
        if proposal.inherits is None:
            return None
        candidate = next(trial.candidate for trial in trials if trial.number == proposal.inherits)
        return Start(candidate, self.folder / f"{proposal.inherits}.safetensors")

    def forget(self, trials: Sequence[Trial], pending: Iterable[Proposal]) -> None:
        """Delete the weights that no trial will start from any more.

        Args:
            trials: this search's that ended.
            pending: what is being evaluated.
        """
        if not self.active:
            return
        finished = sorted((t for t in trials if t.score is not None), key=lambda t: (-(t.score or 0.0), t.number))
        of_fidelity: dict[float, list[int]] = defaultdict(list)
        for trial in finished:
            of_fidelity[round(trial.fidelity, 6)].append(trial.number)
        kept: set[int | None] = {number for numbers in of_fidelity.values() for number in numbers[:INHERITABLE]}
        kept |= {trial.inherits for trial in finished if trial.fidelity < 1 and trial.number in kept}
        kept |= {proposal.inherits for proposal in pending}
        for file in self.folder.glob("*.safetensors"):
            if file.stem.isdecimal() and int(file.stem) not in kept:
                file.unlink(missing_ok=True)
