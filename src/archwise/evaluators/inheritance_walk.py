"""The walk along a network and the trained one that it inherits from, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from archwise.evaluators import morphisms
from archwise.evaluators.alignment import Item, aligned, flat, is_a
from archwise.evaluators.flow import Flow, Shape, does_nothing, routed

LEAST_VARIANCE = 1e-2
"""What a new normalisation takes the variance of its input for at least: units that never change may come alive."""


@dataclass(frozen=True)
class _Block:
    """A residual block of the child that the walk is inside of, its counterpart, and the relation where it began."""

    module: nn.Module
    counterpart: nn.Module | None
    flow: Flow


class Walk:
    """One walk down two networks, from their input to their output, on which one gets weights of the other.

    Args:
        child: the network that gets weights, in evaluation mode.
        parent: the trained one, in evaluation mode.
        examples: some inputs.
        seed: decides what is drawn.
    """

    def __init__(self, child: nn.Module, parent: nn.Module, examples: Tensor, seed: int):
        self.shapes: dict[nn.Module, tuple[Shape, Shape]] = {}
        for network in (child, parent):
            self._watch(network, examples)
        self.generator = torch.Generator().manual_seed(seed)
        self.inherited = 0
        self._unsettled: list[nn.Module] = []

    def _watch(self, network: nn.Module, examples: Tensor) -> None:
        """Note the shapes, without the batch, of what every module takes and returns."""

        def note(module: nn.Module, given: tuple[object, ...], result: object) -> None:
            if given and isinstance(given[0], Tensor) and isinstance(result, Tensor):
                self.shapes[module] = tuple(given[0].shape[1:]), tuple(result.shape[1:])

        hooks = [module.register_forward_hook(note) for module in network.modules()]
        network(examples)
        for hook in hooks:
            hook.remove()

    def settle(self, child: nn.Module, examples: Tensor) -> None:
        """Set what new normalisations undo to what they will see, so that they do nothing in training either."""

        def undo(layer: nn.Module, given: tuple[Tensor, ...]) -> None:
            axes = [axis for axis in range(given[0].dim()) if axis != 1]
            variance, mean = torch.var_mean(given[0], dim=axes, correction=0)
            morphisms.insert_norm(layer, mean, variance.clamp_min(LEAST_VARIANCE))

        hooks = [layer.register_forward_pre_hook(undo) for layer in self._unsettled]
        if hooks:
            child(examples)
        for hook in hooks:
            hook.remove()

    # ------------------------------------------------------------------ chains

    def chain(self, child: nn.Module, parent: nn.Module, flow: Flow) -> Flow:
        """Walk along two chains of layers: from one pair of counterparts to the next."""
        new, old = flat(child), flat(parent)
        blocks: list[_Block] = []
        begun = done = 0
        for i, place in enumerate(aligned(new, old)):
            if place is None:
                continue
            flow = self._between(new[begun:i], old[done:place], flow, blocks)
            flow = self._item(new[i], old[place].module, flow, blocks)
            begun, done = i + 1, place + 1
        return self._between(new[begun:], old[done:], flow, blocks)

    def _between(self, new: list[Item], old: list[Item], flow: Flow, blocks: list[_Block]) -> Flow:
        """Walk along what has no counterpart: first what the parent alone has, then what the child alone has."""
        for item in old:
            flow = self._gone(item, flow)
        replaced = any(item.role == "layer" and _has_weights(item.module) for item in old)
        rest = list(new)
        while rest:
            item = rest.pop(0)
            close = Item(item.module, "close")
            if item.role == "open" and close in rest and not replaced:
                inside = rest[: rest.index(close)]
                del rest[: len(inside) + 1]
                flow = self._new_block(item.module, inside, flow)
            elif item.role == "layer" and replaced:
                flow = self._passed(item.module, flow)
            else:
                flow = self._item(item, None, flow, blocks)
        return flow

    def _item(self, item: Item, counterpart: nn.Module | None, flow: Flow, blocks: list[_Block]) -> Flow:
        """Walk past one item of the child."""
        if item.role == "open":
            blocks.append(_Block(item.module, counterpart, flow))
            return flow
        if item.role == "close":
            return self._closed(blocks.pop(), flow)
        return self._new(item.module, flow) if counterpart is None else self._both(item.module, counterpart, flow)

    def _gone(self, item: Item, flow: Flow) -> Flow:
        """Return the relation behind what the child does not have."""
        if item.role == "layer":
            given, result = self.shapes[item.module]
            if not _has_weights(item.module) and does_nothing(item.module, given, flow, self.generator):
                return flow
            if result[0] != flow.channels:
                return Flow.usual(len(flow.source), result[0], exact=False)
        return flow.inexact() if item.role != "open" else flow

    def _passed(self, layer: nn.Module, flow: Flow) -> Flow:
        """Return the relation behind a layer that keeps its fresh weights."""
        count = self.shapes[layer][1][0]
        return flow.inexact() if count == len(flow.source) else Flow.usual(count, flow.channels, exact=False)

    # ------------------------------------------------------------------ layers

    def _new(self, layer: nn.Module, flow: Flow) -> Flow:
        """Let a new layer change nothing, if it can."""
        given, result = self.shapes[layer]
        alike = given[0] == len(flow.source) and given[1:] == result[1:]
        found: Flow | None = None
        if not _has_weights(layer):
            shapes = given, (flow.channels, *given[1:])
            found = routed(layer, None, flow, shapes, self.generator)
        elif alike and morphisms.is_affine(layer) and (len(given) == 1) == (type(layer) is nn.Linear):
            found = morphisms.insert_affine(layer, flow, self.generator)
        elif alike and morphisms.is_depthwise(layer):
            found = morphisms.insert_depthwise(layer, flow)
        elif alike and morphisms.insert_norm(layer):
            self._unsettled.append(layer)
            found = flow
        return found or self._passed(layer, flow)

    def _both(self, child: nn.Module, parent: nn.Module, flow: Flow) -> Flow:
        """Let a layer have the weights of its counterpart."""
        for name, inside, walk in (
            ("Added", "branches", self._sums),
            ("Concatenated", "branches", self._concats),
            ("CellGraph", "edges", self._cells),
            ("Recurrent", "body", self._recurrences),
            ("SqueezeExcitation", "weigh", self._weighings),
        ):
            if is_a(child, name, inside) and is_a(parent, name, inside):
                return walk(child, parent, flow)
        (given, result), (old_given, old_result) = self.shapes[child], self.shapes[parent]
        if not _has_weights(child) and not _has_weights(parent):
            found = routed(child, parent, flow, (given, old_given), self.generator)
            return found or Flow.usual(result[0], old_result[0], exact=False)
        fitting = given[0] == len(flow.source) and old_given[0] == flow.channels
        fitting = fitting and (type(child) is not nn.Linear or len(given) == len(old_given) == 1)
        for is_kind in (morphisms.is_affine, morphisms.is_depthwise, morphisms.is_channel_norm):
            if fitting and is_kind(child) and is_kind(parent):
                self.inherited += sum(parameter.numel() for parameter in child.parameters())
                if is_kind is morphisms.is_affine:
                    return morphisms.widen(child, parent, flow, self.generator)
                return morphisms.keep_channels(child, parent, flow)
        same, count = morphisms.keep_overlap(child, parent)
        self.inherited += count
        same = same and fitting and torch.equal(flow.source, torch.arange(flow.channels))
        return Flow.usual(result[0], old_result[0], flow.exact and same)

    # ------------------------------------------------------------------ residual blocks

    def _new_block(self, block: nn.Module, inside: list[Item], flow: Flow) -> Flow:
        """Let a new residual block return its input: its body begins at next to nothing."""
        shortcut = block.get_submodule("shortcut")
        if type(shortcut) is not nn.Identity:
            flow = self._new(shortcut, flow)
        return flow if self._silenced(inside) else flow.inexact()

    def _closed(self, block: _Block, flow: Flow) -> Flow:
        """Return the relation behind a residual block whose body was walked through."""
        shortcut = block.module.get_submodule("shortcut")
        plain = type(shortcut) is nn.Identity
        if block.counterpart is None:
            return flow if flow.exact and not plain and morphisms.silence(shortcut) else flow.inexact()
        old = block.counterpart.get_submodule("shortcut")
        if type(old) is not nn.Identity:
            side = flow.inexact() if plain else self._both(shortcut, old, block.flow)
        else:
            side = block.flow if plain else self._new(shortcut, block.flow)
        return _merged([flow, side])

    def _silenced(self, items: list[Item]) -> bool:
        """Let a new branch return next to nothing; whether it does."""
        for item in reversed(items):
            if item.role != "layer":
                return False
            if _has_weights(item.module):
                return morphisms.silence(item.module)
            if item.module(torch.zeros(1, *self.shapes[item.module][0])).any():
                return False
        return False

    # ------------------------------------------------------------------ several branches

    def _sums(self, child: nn.Module, parent: nn.Module, flow: Flow) -> Flow:
        new, old = (list(network.get_submodule("branches").children()) for network in (child, parent))
        places = _paired(new, old)
        flows = [self.chain(branch, old[j], flow) for branch, j in zip(new, places, strict=True) if j is not None]
        silent = [self._silenced(flat(branch)) for branch, j in zip(new, places, strict=True) if j is None]
        if not flows:
            return self._passed(child, flow)
        whole = all(silent) and len(flows) == len(old)
        return _merged(flows) if whole else _merged(flows).inexact()

    def _concats(self, child: nn.Module, parent: nn.Module, flow: Flow) -> Flow:
        new, old = (list(network.get_submodule("branches").children()) for network in (child, parent))
        widths = [self.shapes[branch][1][0] for branch in old]
        sources, flows = [], []
        for branch, j in zip(new, _paired(new, old), strict=True):
            if j is None:
                sources.append(torch.full((self.shapes[branch][1][0],), -1))
                continue
            flows.append(self.chain(branch, old[j], flow))
            source = flows[-1].source
            sources.append(torch.where(source < 0, source, source + sum(widths[:j])))
        if not flows:
            return self._passed(child, flow)
        exact, above = all(found.exact for found in flows), len(flows) == len(new)
        return Flow(torch.cat(sources), sum(widths), exact, above and all(found.nonnegative for found in flows))

    def _cells(self, child: nn.Module, parent: nn.Module, flow: Flow) -> Flow:
        new, old = child.get_submodule("edges"), parent.get_submodule("edges")
        assert isinstance(new, nn.ModuleDict) and isinstance(old, nn.ModuleDict)
        into: dict[int, list[Flow]] = {0: [flow]}
        changed = {int(name.split("->")[1]) for name in old if name not in new}
        for name in new:  # in the order of the nodes that they leave
            i, j = map(int, name.split("->"))
            if i not in into:
                into[i] = [self._passed(new[name], flow)]
            if name in old:
                before = _merged(into[i]).inexact() if i in changed else _merged(into[i])
                into.setdefault(j, []).append(self.chain(new[name], old[name], before))
            elif not self._silenced(flat(new[name])):
                changed.add(j)
        last = int(child.nodes) - 1  # type: ignore[arg-type]
        if last not in into or child.nodes != parent.nodes:
            return self._passed(child, flow)
        return _merged(into[last]).inexact() if last in changed else _merged(into[last])

    def _recurrences(self, child: nn.Module, parent: nn.Module, flow: Flow) -> Flow:
        out = self.chain(child.get_submodule("body"), parent.get_submodule("body"), flow)
        return out if child.times == parent.times and torch.equal(out.source, flow.source) else out.inexact()

    def _weighings(self, child: nn.Module, parent: nn.Module, flow: Flow) -> Flow:
        weights = self.chain(child.get_submodule("weigh"), parent.get_submodule("weigh"), flow)
        return flow if weights.exact and torch.equal(weights.source, flow.source) else flow.inexact()


def _has_weights(layer: nn.Module) -> bool:
    return next(layer.parameters(), None) is not None


def _paired(new: list[nn.Module], old: list[nn.Module]) -> list[int | None]:
    """Return the counterpart of each of several branches."""
    if len(new) == len(old):
        return list(range(len(new)))
    return aligned([Item(branch) for branch in new], [Item(branch) for branch in old])


def _merged(flows: Sequence[Flow]) -> Flow:
    """Return the relation of two sums whose terms have these."""
    first = flows[0]
    alike = all(torch.equal(flow.source, first.source) and flow.channels == first.channels for flow in flows)
    exact = alike and all(flow.exact for flow in flows)
    return replace(first, exact=exact, nonnegative=all(flow.nonnegative for flow in flows))
