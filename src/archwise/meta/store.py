"""Surrogates of past tasks, kept beside an experience so that the next search need not fit them again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np

from archwise import __version__
from archwise.files import write_atomic
from archwise.spaces.joint import JointSpace
from archwise.trial import Trial

FORMAT = 1
"""Version of the files; others are not read."""
MOST_FILES = 2_000
"""Most surrogates that are kept; of more, the oldest are deleted."""


class Kept(NamedTuple):
    """What is kept of a past task's surrogate: what took time, and follows from its trials."""

    parameters: np.ndarray
    """Of the Gaussian process."""
    rows: np.ndarray
    """The encoding of its trials' candidates: (trials, columns)."""
    sizes: np.ndarray
    """(trials,), see `Encoding.sizes`."""


class SurrogateStore:
    """A folder with a file for each past task, space and state of its trials.

    A file's name is a hash of all that its content follows from, so one of other trials, of another space or of another
    version is never read: when trials are added, the surrogate is fitted anew. Files that are lost, spoilt or cannot be
    written cost time and change nothing.

    Args:
        folder: where the files lie; made when the first is written.
        most: most files that are kept.
    """

    def __init__(self, folder: Path, most: int = MOST_FILES):
        self.folder = folder
        self.most = most

    def read(self, space: JointSpace, trials: Sequence[Trial]) -> Kept | None:
        """Return what was kept for some trials; None where nothing was, or it cannot be read."""
        try:
            with np.load(self._path(space, trials), allow_pickle=False) as arrays:
                kept = Kept(*(arrays[name] for name in Kept._fields))
        except Exception:  # reading spoilt bytes may raise anything, from zlib, zipfile and NumPy alike
            return None
        groups, count = space.encoding.groups, len(trials)
        shapes = (len(groups) + 2,), (count, groups[-1].stop if groups else 0), (count,)
        sound = all(
            a.shape == s and a.dtype == float and np.isfinite(a).all() for a, s in zip(kept, shapes, strict=True)
        )
        return kept if sound else None

    def write(self, space: JointSpace, trials: Sequence[Trial], kept: Kept) -> None:
        """Keep the surrogate of some trials, and delete the oldest files beyond `most`."""
        content = BytesIO()
        np.savez_compressed(content, allow_pickle=False, **kept._asdict())
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path(space, trials), content.getvalue())
            files = sorted(self.folder.glob("*.npz"), key=lambda path: path.stat().st_mtime)
            for path in files[: -self.most]:
                path.unlink(missing_ok=True)

    def _path(self, space: JointSpace, trials: Sequence[Trial]) -> Path:
        signature = space.signature.to_json() if space.signature else None
        limits = space.most_parameters, space.most_flops
        made_of = [
            [trial.candidate.architecture.to_json(), trial.candidate.recipe.to_json(), trial.score] for trial in trials
        ]
        what = FORMAT, __version__, space.network.hash, space.recipe.hash, signature, limits, made_of
        text = json.dumps(what, sort_keys=True, default=str)
        return self.folder / f"{hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}.npz"
