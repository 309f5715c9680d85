"""What a search returns: the network it found, and how good it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archwise.errors import RunError
from archwise.run import Run
from archwise.signature import Signature
from archwise.spaces.architecture import Architecture

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from archwise.spaces.space import Space


class Result:
    """The answer of a finished search, read from its run folder.

    Args:
        run: the run folder.
        space: the space of networks, where it is one's own; ready-made ones are found by name.

    Attributes:
        validation, test: metric -> value, of the network that was found.
        default: the same of the space's default architecture after the same final training.
    """

    def __init__(self, run: str | Path, space: Space | None = None):
        self._run = Run.open(run)
        self._space = space
        self.metrics: dict[str, Any] = self._run.read_json("metrics.json")
        with self._reading("metrics.json"):
            self.validation: dict[str, float] = self.metrics["validation"]
            self.test: dict[str, float] = self.metrics["test"]
            self.default: dict[str, Any] = self.metrics["default"]
            self.architecture = Architecture.from_json(self.metrics["architecture"])
            self.recipe: dict[str, Any] = self.metrics["settings"]

    @property
    def run(self) -> Path:
        """The run folder."""
        return self._run.folder

    @property
    def report(self) -> Path:
        """The report, one HTML file."""
        return self.run / "report.html"

    @property
    def source(self) -> Path:
        """The network as plain PyTorch code that imports nothing of archwise."""
        return self.run / "model.py"

    @cached_property
    def trials(self) -> pd.DataFrame:
        """A row for each trial, however it ended."""
        import pandas as pd

        with self._reading("trials.parquet"):
            return pd.read_parquet(self.run / "trials.parquet")

    @cached_property
    def pareto(self) -> pd.DataFrame:
        """The trade-offs: a row for each fully trained trial of the search that no other beats in everything.

        Columns are "trial", the objective, and each cost that was minimised; the best objective comes first. It is
        empty where no cost was.
        """
        import pandas as pd

        columns = ["trial", self.metrics["objective"], *self.metrics.get("minimise", [])]
        return pd.DataFrame(self.metrics.get("pareto", []), columns=columns)

    def network(self, trial: int) -> nn.Module:
        """Return the network of a trial of the search, with fresh weights.

        Args:
            trial: its number, as in `trials` and `pareto`.

        Raises:
            RunError: the search has no such trial, or the space is not a ready-made one and was not given.
        """
        import json

        found = self.trials.query("purpose == 'search' and number == @trial")
        if found.empty:
            raise RunError(f"The run {self.run} has no trial {trial}: take a number that result.trials shows.")
        space, signature = self._space_and_signature()
        return space.build(Architecture.from_json(json.loads(found["architecture"].iloc[0])), signature)

    @cached_property
    def model(self) -> nn.Module:
        """The trained network, an ordinary module in evaluation mode.

        It is built from architecture.json, which is data: no code of the run folder runs.

        Raises:
            RunError: the space is not a ready-made one and was not given.
        """
        from safetensors.torch import load_file

        space, signature = self._space_and_signature()
        model = space.build(self.architecture, signature)
        with self._reading("model.safetensors"):
            model.load_state_dict(load_file(self.run / "model.safetensors"))
        return model.eval()

    def _space_and_signature(self) -> tuple[Space, Signature]:
        """Return what networks are built from.

        Raises:
            RunError: the space is not a ready-made one and was not given.
        """
        from archwise.spaces.ready import READY, ready_space

        record = self._run.read_json("architecture.json")
        with self._reading("architecture.json"):
            name, signature = record["space"], Signature.from_json(record["signature"])
        if self._space is None and name not in READY:
            raise RunError(
                f"The run {self.run} has a space of its own, {name!r}: pass it as space=..., or use {self.source}, "
                "which holds the network as code."
            )
        return self._space or ready_space(name), signature

    @contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        """Turn what a missing or broken file of the run folder raises into a sentence."""
        from safetensors import SafetensorError

        try:
            yield
        except (OSError, KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
            path, lines = self.run / name, str(error).splitlines() or [""]
            raise RunError(f"{path} is missing or broken ({lines[0].rstrip(':.')}): restore it from a copy.") from error

    def predict(self, data: Any) -> pd.DataFrame:
        """Return a row for each example of data in the form that the search was given.

        Args:
            data: a data frame or table file (the target may be absent), an array, an .npz file, or the name of a
                bundled set.

        Returns:
            `prediction`: the class, or the value in the target's units; for classes also a column
            `probability of CLASS` for each.

        Raises:
            DataError: the data cannot be read, or lacks a column.
        """
        import numpy as np
        import pandas as pd

        from archwise.errors import DataError
        from archwise.evaluators.predict import predict
        from archwise.tasks.load import bundled_data, is_bundled
        from archwise.tasks.preprocessing import preprocess
        from archwise.tasks.scaling import InputError

        task = self._run.task
        if is_bundled(data):
            data = bundled_data(str(data))[0]
        try:
            inputs = preprocess(data, self.run)
        except InputError as error:
            raise DataError(str(error)) from error
        outputs = predict(self.model, inputs)
        if not task.classes:
            return pd.DataFrame({"prediction": outputs[:, 0].astype(float) * task.target_scale + task.target_mean})
        exponentials = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
        columns: dict[str, Any] = {"prediction": [task.classes[i] for i in probabilities.argmax(axis=1)]}
        return pd.DataFrame(columns | {f"probability of {c}": probabilities[:, i] for i, c in enumerate(task.classes)})

    def summary(self) -> dict[str, Any]:
        """Return the answer as one flat object, as `archwise search --json` prints it."""
        names = ("run", "architecture", "validation", "test")
        data = {name: self.metrics[name] for name in names} | {"default": {"test": self.default["test"]}}
        rest = ("trials", "parameters", "flops", "latency_ms", "seconds", "seed")
        data |= {name: self.metrics[name] for name in rest}
        data |= {"pareto": self.metrics["pareto"]} if self.metrics.get("minimise") else {}
        return data | ({"transfer": self._transfer()} if "transfer" in self.metrics else {})

    def _transfer(self) -> dict[str, Any]:
        """Return what the search came to believe of past tasks, and what that is estimated to have saved."""
        told = self.metrics["transfer"]
        believed = [{"task": task["name"], "share": task["share"][-1]} for task in told["tasks"]]
        return {"believed": believed, "estimated_saving": told.get("saving")}

    def __repr__(self) -> str:
        objective = self.metrics["objective"]
        return f"Result({str(self.run)!r}, test {objective}={self.test[objective]:.4g})"
