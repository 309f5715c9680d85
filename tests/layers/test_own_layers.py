"""Layers of a user's own: they join every view, and their source is written out with all that it uses."""

from __future__ import annotations

import functools
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.functional import softplus as soft

import archwise.spaces as language
from archwise.errors import SpaceError
from archwise.signature import Signature
from archwise.spaces import Chain, Choice, LayerType, Space, layer
from archwise.spaces.parts import head

from . import own_helpers
from .own_helpers import gained as with_gain
from .own_helpers import max

TABLE = Signature((4,), 2, "table")
TEMPERATURE = 1.5
LIMITS = (0.1, float("inf"))
NAMES = {"b", "a"}
KINDS = {"wide": [2, 3], "deep": None}
Shape = tuple[int, ...]
x = torch.ones(3)  # names that layers use for something else
shape = "no shape"
weight = object()


def helper(x: Tensor) -> Tensor:
    return F.relu(x) * TEMPERATURE


class UsesHelpers(nn.Module):
    """Uses a helper function, module constants, and import aliases."""

    def __init__(self, shape: Shape, power: int = 2):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(shape))
        self.power = power

    def forward(self, x: Tensor) -> Tensor:
        weight = soft(self.weight)
        scaled = [helper(x)[:, i] * weight[i] for i in range(x.shape[1])]
        return torch.stack(scaled, 1).clamp(*LIMITS) ** self.power + len(NAMES) * math.pi


class Base(nn.Module):
    """A base class of the user's own, with a property and a static method."""

    def __init__(self, shape: Shape):
        super().__init__()
        self.linear = nn.Linear(shape[0], KINDS["wide"][0])

    @property
    def bias(self) -> Tensor | None:
        return with_gain(self.linear.bias)

    @staticmethod
    def limited(x: Tensor) -> Tensor:
        return max(x)


class Derived(Base):
    def forward(self, x: Tensor) -> Tensor:
        return self.limited(self.linear(x)) + self.bias


def function_made(shape: Shape, width: int, bias: bool = True) -> nn.Module:
    return nn.Sequential(nn.Linear(shape[0], width, bias=bias), nn.Softplus(beta=TEMPERATURE))


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*values: Any, **named: Any) -> Any:
        return function(*values, **named)

    return call


@logged
def wrapped(shape: Shape) -> nn.Module:
    return nn.Linear(shape[0], shape[0])


@layer
class Bare(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.linear = nn.Linear(shape[0], 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x)


@layer(name="with_arguments", pure=True)
class WithArguments(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return with_gain(x)


@language.layer
def through_the_module(shape: Shape) -> nn.Module:
    return nn.Linear(shape[0], 3, bias=False)


def even(n: int) -> bool:
    return n == 0 or odd(n - 1)


def odd(n: int) -> bool:
    return n != 0 and even(n - 1)


def recursive(shape: Shape, n: int) -> nn.Module:
    return nn.Linear(shape[0], 2 if even(n) else 3)


def run_alone(source: str, model: nn.Module, signature: Signature = TABLE) -> None:
    namespace: dict[str, Any] = {}
    assert "archwise" not in source and "own_helpers" not in source
    exec(compile(source, "model.py", "exec"), namespace)
    copy = namespace["build_model"]()
    copy.load_state_dict(model.state_dict())
    data = torch.randn(5, *signature.input)
    with torch.no_grad():
        assert torch.equal(model.eval()(data), copy.eval()(data))


def check(*parts: Any) -> str:
    space = Space(Chain(*parts, head()))
    sources = ""
    for architecture in space.enumerate():
        assert space.check(architecture, TABLE) is None
        model = space.build(architecture, TABLE)
        sources = space.source(architecture, TABLE)
        run_alone(sources, model)
        assert np.isfinite(space.features(architecture, TABLE)).all()
    assert len({space.key(a) for a in space.enumerate()}) == space.size
    return sources


def test_helpers_constants_and_aliases() -> None:
    source = check(layer(UsesHelpers)(power=Choice("power", [2, 3])))
    assert "TEMPERATURE = 1.5" in source and "def helper(x: Tensor)" in source
    assert "float('inf')" in source and "['a', 'b']" in source.replace('"', "'")
    assert "softplus as soft" in source and "from torch import Tensor" in source


def test_base_classes_properties_and_builtins_that_are_shadowed() -> None:
    source = check(layer(Derived)())
    assert source.index("class Base(nn.Module)") < source.index("class Derived(Base)")
    assert "with_gain = gained" in source and "def max(x: Tensor)" in source and "GAIN = 0.5" in source


def test_functions_decorators_and_recursion() -> None:
    made = layer(function_made)
    source = check(made(Choice("width", [2, 3]), bias=Choice("bias", [True, False])), layer(recursive)(3))
    assert source.count("def even(") == source.count("def odd(") == 1
    source = check(layer(wrapped)())
    assert "@logged\ndef wrapped(" in source and "import functools" in source


def test_decorated_layers() -> None:
    assert isinstance(Bare, LayerType) and isinstance(WithArguments, LayerType) and WithArguments.pure
    source = check(Bare(), WithArguments(), through_the_module())
    assert "@" not in source and "class Bare(nn.Module):" in source
    space = Space(Chain(WithArguments(), head()))
    assert [v.kind for v in space.graph(space.default).vertices] == ["input", "with_arguments", "head", "output"]


def test_closures_and_classes_inside_functions() -> None:
    factor = 2.5

    class Inner(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * factor

    assert "factor = 2.5" in check(layer(Inner)())


def test_modules_of_torch_are_layers_too() -> None:
    source = check(layer(nn.Linear)(4, Choice("width", [2, 3])), layer(nn.Hardtanh)(-0.5))
    assert "nn.Linear(" in source and "nn.Hardtanh(" in source


def test_what_cannot_be_written_down_is_refused_with_the_remedy() -> None:
    state = {"tensor": torch.ones(1)}

    def uses_state(shape: Shape) -> nn.Module:
        return nn.Linear(shape[0], len(state))

    def uses_module(shape: Shape) -> nn.Module:
        return nn.Linear(shape[0], int(2 * own_helpers.GAIN))

    def helper(shape: Shape) -> nn.Module:
        return nn.Linear(shape[0], 3)

    cases: list[tuple[Any, str]] = [
        (layer(uses_state)(), "A layer uses 'state', a dict, which cannot be written"),
        (layer(uses_module)(), "A layer uses 'own_helpers', the module .*own_helpers'"),
        (Chain(layer(helper)(), layer(UsesHelpers)()), "Two different things are called 'helper'"),
        (layer(lambda shape: nn.Linear(shape[0], 3), name="f")(), "needs a def or class statement of its own"),
        (layer(functools.partial(nn.Linear, 4, 3), name="p")(), "write a def around it"),
    ]
    for part, message in cases:
        space = Space(Chain(part, head()))
        assert space.check(space.default, TABLE) is None
        with pytest.raises(SpaceError, match=message):
            space.source(space.default, TABLE)
    namespace: dict[str, Any] = {"nn": nn}
    exec("def lost(shape):\n    return nn.Linear(shape[0], 3)", namespace)
    space = Space(Chain(layer(namespace["lost"])(), head()))
    with pytest.raises(SpaceError, match="source of the layer 'lost' cannot be found: define it with def or class"):
        space.source(space.default, TABLE)


PROGRAM = """
import torch
from torch import nn
from archwise.signature import Signature
from archwise.spaces import Chain, Space, layer
from archwise.spaces.parts import head

x, shape, model = torch.ones(2), (1, 2), None
LIMIT = 0.5

@layer
class Clipped(nn.Module):
    def __init__(self, shape, slope=0.1):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(shape))
        self.slope = slope

    def forward(self, x):
        return (x * self.weight).clamp(-LIMIT, LIMIT) * self.slope

def widened(shape):
    return nn.Linear(shape[0], 3 * shape[0])

space = Space(Chain(Clipped(slope=0.2), layer(widened)(), head()))
signature = Signature((4,), 2, "table")
model = space.build(space.default, signature).eval()
namespace = {}
source = space.source(space.default, signature)
exec(source, namespace)
copy = namespace["build_model"]().eval()
copy.load_state_dict(model.state_dict())
data = torch.randn(3, 4)
assert torch.equal(model(data), copy(data)) and "archwise" not in source
print("the same outputs")
"""


@pytest.mark.slow
def test_layers_of_an_unguarded_script(tmp_path: Path) -> None:
    script = tmp_path / "search.py"
    script.write_text(PROGRAM)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == "the same outputs\n", done.stderr


NOTEBOOK = """
from IPython.core.interactiveshell import InteractiveShell
import sys
shell = InteractiveShell.instance()
for cell in sys.stdin.read().split("# next cell"):
    result = shell.run_cell(cell, store_history=True)
    result.raise_error()
"""


@pytest.mark.slow
def test_layers_of_a_notebook(tmp_path: Path) -> None:
    pytest.importorskip("IPython")
    first, second = PROGRAM.split("def widened")
    wrong = "class Clipped:\n    def __init__(self): self.old = 1\n"  # an earlier version of the same cell
    cells = "\n# next cell\n".join([wrong, first, "def widened" + second])
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path)}
    run = functools.partial(subprocess.run, capture_output=True, text=True, cwd=tmp_path, env=environment)
    done = run([sys.executable, "-c", NOTEBOOK], input=cells)
    assert "the same outputs\n" in done.stdout, done.stdout + done.stderr
    done = run([sys.executable, "-m", "IPython", "--no-banner", "-c", PROGRAM])
    assert "the same outputs\n" in done.stdout, done.stdout + done.stderr
