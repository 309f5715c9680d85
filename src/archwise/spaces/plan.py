"""From decided parts to constructor calls: shape inference, modules and their source in one form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import torch
from torch import nn

from archwise.errors import Unbuildable
from archwise.spaces.cost import Cost, run_counted

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Call:
    """A constructor call whose arguments may be further calls; it can be carried out, or written down.

    Args:
        factory: class or function that returns an nn.Module.
        arguments: positional arguments: values, calls, or mappings of name -> call.
        keywords: arguments by name.
    """

    factory: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)

    def build(self) -> Any:
        """Carry the call out, the inner calls first."""
        keywords = {name: _built(value) for name, value in self.keywords.items()}
        return self.factory(*[_built(value) for value in self.arguments], **keywords)

    def unchained(self) -> list[Call]:
        """The calls of a chain, or the call itself."""
        return list(self.arguments) if self.factory is nn.Sequential else [self]

    @staticmethod
    def chain(calls: Sequence[Call]) -> Call:
        """Join calls into one nn.Sequential without those that do nothing; a single call stays itself."""
        kept = [call for call in calls if call.factory is not nn.Identity] or list(calls[:1])
        return kept[0] if len(kept) == 1 else Call(nn.Sequential, tuple(kept))

    def factories(self) -> list[Callable[..., Any]]:
        """Every factory in the call, each once, the outer ones first."""
        found = {self.factory: None}
        for value in [*self.arguments, *self.keywords.values()]:
            for inner in value.values() if isinstance(value, Mapping) else [value]:
                if isinstance(inner, Call):
                    found |= dict.fromkeys(inner.factories())
        return list(found)

    @cached_property
    def _key(self) -> str:
        return f"{id(self.factory)}{[_key(v) for v in self.arguments]}{_key(self.keywords)}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Call) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


class Planned(NamedTuple):
    """A part of a network, ready to be built, the shape of what comes out of it, and what it costs."""

    call: Call
    shape: Shape
    cost: Cost = Cost()


@lru_cache(maxsize=1 << 16)
def infer(call: Call, shape: Shape, what: str) -> Planned:
    """Return a module's call with the shape it gives for inputs of `shape` and its cost, without computing anything.

    Args:
        call: the module's constructor call.
        shape: incoming shape without the batch.
        what: the layer's name, for the error.

    Raises:
        Unbuildable: the module cannot be made, or cannot take the shape; the text says why.
    """
    try:
        result, cost = on_meta(lambda: run_counted(call.build().eval(), torch.ones(2, *shape)))
    except Exception as error:  # a user's layer may raise anything: whatever it is, it is the reason
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise Unbuildable(f"The layer {what!r} cannot take an input of shape {shape}: {first_line}") from error
    out = tuple(result.shape) if isinstance(result, torch.Tensor) else ()
    if len(out) < 2 or out[0] != 2 or 0 in out:
        raise Unbuildable(f"The layer {what!r} turns a batch of 2 of shape {shape} into {out or type(result)}.")
    return Planned(call, out[1:], cost)


def on_meta(run: Callable[[], Any]) -> Any:
    """Run something on torch's meta device, which has shapes alone; where that fails, on real numbers.

    A layer may look at values, or hold arrays of its own, which the meta device cannot do. Random numbers drawn on the
    way leave torch's generator as it was.
    """
    with torch.no_grad():
        try:
            with torch.device("meta"):
                return run()
        except Exception:  # whatever it is, the second run raises it again or does without
            with torch.random.fork_rng(devices=[]), torch.device("cpu"):
                return run()


def _built(value: Any) -> Any:
    if isinstance(value, Call):
        return value.build()
    return {key: _built(inner) for key, inner in value.items()} if isinstance(value, Mapping) else value


def _key(value: Any) -> str:
    if isinstance(value, Call):
        return value._key
    return str({k: _key(v) for k, v in value.items()}) if isinstance(value, Mapping) else repr(value)
