"""The source view: plain PyTorch that runs alone and computes the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings

from archwise.signature import Signature
from archwise.spaces import Architecture, Cell, Chain, Choice, Concat, Repeat, Residual, Shared, Space, Sum, zero
from archwise.spaces.parts import batch_norm, conv, global_pool, head, relu, squeeze_excitation
from archwise.spaces.ready import ready_space

from .random_spaces import TABLE, members

CASES = [
    ("mlp", Signature((5,), 2, "table"), 4),
    ("cnn", Signature((1, 12, 12), 10, "image"), 4),
    ("conv1d", Signature((3, 40), 4, "series"), 4),
    ("cell", Signature((1, 8, 8), 3, "image"), 2),
    ("nasbench201", Signature((3, 8, 8), 10, "image"), 1),
]

ALONE = """
import json, pathlib, sys
sys.modules["archwise"] = None  # importing it would fail
import numpy, torch
folder = pathlib.Path(sys.argv[1])
for file in sorted(folder.glob("*.py")):
    namespace = {}
    exec(compile(file.read_text(), file.name, "exec"), namespace)
    arrays = numpy.load(file.with_suffix(".npz"), allow_pickle=False)
    model = namespace["build_model"]().eval()
    model.load_state_dict({n: torch.from_numpy(a) for n, a in arrays.items() if n != "input x"}, strict=True)
    with torch.no_grad():
        numpy.save(file.with_suffix(".npy"), model(torch.from_numpy(arrays["input x"])).numpy())
print(json.dumps(sorted(name for name in sys.modules if name.startswith("archwise."))))
"""


def trained_a_little(space: Space, architecture: Architecture, signature: Signature) -> torch.nn.Module:
    """The network after one pass in training mode, so that running statistics are not the initial ones."""
    torch.manual_seed(0)
    model = space.build(architecture, signature)
    with torch.no_grad():
        model.train()(torch.randn(8, *signature.input) * 2 + 1)
    return model.eval()


def run_source(source: str, model: torch.nn.Module, signature: Signature) -> tuple[torch.Tensor, torch.Tensor]:
    """The outputs of the model and of what its source makes, in a fresh namespace and with its weights."""
    namespace: dict[str, object] = {}
    exec(compile(source, "model.py", "exec"), namespace)
    copy = namespace["build_model"]()  # type: ignore[operator]
    copy.load_state_dict(model.state_dict(), strict=True)
    x = torch.randn(4, *signature.input, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return model(x), copy.eval()(x)


@given(members(most=10**9, depth=4))
@settings(max_examples=100, deadline=None)
def test_random_sources_compute_the_same(drawn: tuple[Space, Architecture]) -> None:
    space, architecture = drawn
    if space.check(architecture, TABLE) is None:
        model = trained_a_little(space, architecture, TABLE)
        source = space.source(architecture, TABLE)
        expected, found = run_source(source, model, TABLE)
        assert torch.equal(expected, found)
        assert "archwise" not in source and source.count("def build_model()") == 1
        assert source == space.source(architecture, TABLE)
        assert all(len(line) <= 120 for line in source.splitlines())


def test_sources_run_in_a_process_without_archwise(tmp_path: Path) -> None:
    expected: dict[str, np.ndarray] = {}

    def write(space: Space, architecture: Architecture, signature: Signature) -> None:
        model = trained_a_little(space, architecture, signature)
        x = torch.randn(3, *signature.input)
        name = f"case{len(expected):03}"
        (tmp_path / f"{name}.py").write_text(space.source(architecture, signature))
        arrays = {key: value.numpy() for key, value in model.state_dict().items()}
        np.savez(tmp_path / f"{name}.npz", **arrays, **{"input x": x.numpy()})
        with torch.no_grad():
            expected[name] = model(x).numpy()

    for name, signature, number in CASES:
        space = ready_space(name)
        for architecture in [space.default, *(space.sample(seed) for seed in range(number))]:
            if space.check(architecture, signature) is None:
                write(space, architecture, signature)

    @given(members(buildable=True, depth=4))
    @settings(max_examples=20, deadline=None, database=None, phases=[Phase.generate], derandomize=True)
    def random_ones(drawn: tuple[Space, Architecture]) -> None:
        if drawn[0].check(drawn[1], TABLE) is None:
            write(*drawn, TABLE)

    random_ones()
    assert len(expected) > 20
    script = tmp_path / "alone" / "run.py"
    script.parent.mkdir()
    script.write_text(ALONE)
    done = subprocess.run(
        [sys.executable, "-I", str(script), str(tmp_path)], capture_output=True, text=True, cwd=script.parent
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
    for name, outputs in expected.items():
        assert np.allclose(np.load(tmp_path / f"{name}.npy"), outputs, rtol=1e-5, atol=1e-6), name


def test_a_source_is_short_and_readable() -> None:
    stage = Shared(Repeat(Cell(3, Choice("op", [conv(4, 3), zero()])), 2), "stage")
    root = Chain(
        conv(4, 3),
        Residual(Chain(batch_norm(), relu())),
        stage,
        Sum(squeeze_excitation(), Concat(conv(2, 1), conv(2, 3))),
        Repeat(conv(4, 3), 3, share_weights=True),
        global_pool("both"),
        head(),
    )
    space = Space(root)
    signature = Signature((3, 6, 6), 2, "image")
    source = space.source(space.default, signature)
    assert source.startswith("from __future__ import annotations\n\n\nimport torch\n")
    assert source.count("def conv(") == 1 and source.count("class CellGraph(nn.Module):") == 1
    assert "import numpy" not in source and "nn.Identity()" not in source.partition("def build_model")[2]
    assert len(source.splitlines()) < 180
    expected, found = run_source(source, trained_a_little(space, space.default, signature), signature)
    assert torch.equal(expected, found)


@pytest.mark.parametrize("name", ["mlp", "cnn", "conv1d", "cell"])
def test_equal_architectures_have_equal_sources_and_others_do_not(name: str) -> None:
    space = ready_space(name)
    signature = next(signature for ready, signature, _ in CASES if ready == name)
    drawn = [a for a in (space.sample(seed) for seed in range(6)) if space.check(a, signature) is None]
    sources = {space.source(a, signature) for a in drawn}
    again = {ready_space(name).source(a, signature) for a in drawn}
    assert sources == again and len(sources) == len({space.key(a) for a in drawn})
