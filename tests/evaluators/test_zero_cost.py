"""Zero-cost proxies, against what is worked out by hand, and against the accuracies of NAS-Bench-201."""

from __future__ import annotations

import io
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import rankdata, spearmanr
from torch import nn
from torch.nn import functional as F

from archwise.bench.tables import find_table
from archwise.errors import ArchwiseError, SpaceError
from archwise.evaluators.recipe import training_recipe
from archwise.evaluators.table_space import table_space
from archwise.evaluators.zero_cost import PROXIES, Batch, ZeroCost, random_batch, task_batch, zero_cost_scores
from archwise.evaluators.zero_cost.batch import squared_error
from archwise.evaluators.zero_cost.zero_cost import NAMES
from archwise.signature import Signature
from archwise.spaces import JointSpace, Settings, Space
from archwise.spaces.cell import cell
from archwise.spaces.cnn import cnn, conv1d
from archwise.spaces.mlp import mlp
from archwise.tasks.load import make_task

X = torch.tensor([[1.0, 2.0], [0.5, -1.0], [3.0, 0.0]])
Y = torch.tensor([1.0, 0.0, -1.0])
REGRESSION = Batch(X, Y, squared_error)
SIGNATURES = {
    "table": Signature((5,), 3, "table"),
    "image": Signature((3, 8, 8), 10, "image"),
    "series": Signature((2, 32), 1, "series"),
}
SPACES = {"table": mlp, "image": cnn, "series": conv1d}


def linear(*weights: list[list[float]]) -> nn.Sequential:
    """Linear layers without biases, of the given weights."""
    layers = [nn.Linear(len(w[0]), len(w), bias=False) for w in weights]
    for layer, weight in zip(layers, weights, strict=True):
        layer.weight.data = torch.tensor(weight)
    return nn.Sequential(*layers)


@pytest.fixture
def plain() -> tuple[nn.Module, np.ndarray, np.ndarray, np.ndarray]:
    """A linear regression: the model, its weight, and the gradient and Hessian of its loss, by hand."""
    weight = np.array([0.5, -2.0])
    x, y = X.numpy(), Y.numpy()
    return linear([[0.5, -2.0]]), weight, 2 / 3 * x.T @ (x @ weight - y), 2 / 3 * x.T @ x


# ------------------------------------------------------------------ by hand


def test_gradient_norm_snip_and_grasp_of_a_linear_regression(plain):
    model, weight, gradient, hessian = plain
    assert PROXIES["grad_norm"](model, REGRESSION) == pytest.approx(np.linalg.norm(gradient))
    assert PROXIES["snip"](model, REGRESSION) == pytest.approx(np.abs(weight * gradient).sum())
    assert PROXIES["grasp"](model, REGRESSION) == pytest.approx(-weight @ hessian @ gradient)


def test_fisher_of_a_linear_regression(plain):
    model, weight, _, _ = plain
    outputs = X.numpy() @ weight
    slopes = 2 * (outputs - Y.numpy())  # of each example's own loss
    assert PROXIES["fisher"](model, REGRESSION) == pytest.approx(0.5 * np.mean((outputs * slopes) ** 2))


def test_fisher_adds_up_over_positions_before_it_squares():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv1d(1, 2, 1, bias=False), nn.Flatten(), nn.Linear(6, 1, bias=False))
    batch = Batch(torch.randn(4, 1, 3), torch.randn(4), squared_error)
    kernel, head = model[0].weight.detach().numpy()[:, 0, 0], model[2].weight.detach().numpy()[0].reshape(2, 3)
    values = kernel[None, :, None] * batch.inputs.numpy()
    outputs = (values * head).sum((1, 2))
    slopes = 2 * (outputs - batch.targets.numpy())
    channels = (values * head * slopes[:, None, None]).sum(2)
    expected = 0.5 * (channels**2).mean(0).sum() + 0.5 * np.mean((outputs * slopes) ** 2)
    assert PROXIES["fisher"](model, batch) == pytest.approx(expected, rel=1e-5)


def test_synflow_of_linear_layers_is_their_number_times_the_product_of_their_absolute_weights():
    model = linear([[1.0, -2.0], [3.0, 0.5]], [[-1.0, 4.0]])
    flow = np.array([1.0, 4.0]) @ np.array([[1.0, 2.0], [3.0, 0.5]]) @ np.ones(2)
    assert PROXIES["synflow"](model, REGRESSION) == pytest.approx(math.log(2 * flow))


def test_synflow_looks_neither_at_data_nor_signs_nor_normalisations_nor_at_what_saturates():
    torch.manual_seed(0)
    first, last = nn.Linear(2, 4), nn.Linear(4, 1)
    synflow = PROXIES["synflow"]
    bare = synflow(nn.Sequential(first, last), REGRESSION)
    for between in (nn.BatchNorm1d(4), nn.LayerNorm(4), nn.ReLU(), nn.Tanh(), nn.GELU(), nn.Dropout(0.9)):
        assert synflow(nn.Sequential(first, between, last), REGRESSION) == bare
    assert synflow(nn.Sequential(first, last), REGRESSION._replace(inputs=100 * X)) == bare
    with torch.no_grad():
        first.weight.neg_()
    assert synflow(nn.Sequential(first, last), REGRESSION) == bare
    with torch.no_grad():
        first.weight.mul_(2), first.bias.mul_(2)
    assert synflow(nn.Sequential(first, last), REGRESSION) > bare


def test_synflow_of_a_deep_network_is_finite():
    deep = nn.Sequential(*(layer for _ in range(60) for layer in (nn.Linear(256, 256), nn.ReLU())))
    for module in deep:
        if isinstance(module, nn.Linear):
            module.weight.data.fill_(1.0)
    score = PROXIES["synflow"](deep, Batch(torch.randn(2, 256), torch.zeros(2).long(), F.cross_entropy))
    assert score == pytest.approx(61 * math.log(256), rel=0.02)


def test_jacobian_covariance_of_slopes_that_are_known():
    class Squares(nn.Module):
        """Slopes are twice the input, so the examples themselves decide."""

        def forward(self, x):
            return (x**2).sum(1, keepdim=True)

    apart = torch.tensor([[1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, -1.0]])  # uncorrelated: both eigenvalues are 1
    score = PROXIES["jacob_cov"](Squares(), Batch(apart, Y[:2], squared_error))
    assert score == pytest.approx(-2 * (math.log(1 + 1e-5) + 1 / (1 + 1e-5)))
    alike = torch.tensor([[1.0, -1.0, 0.0, 0.0], [2.0, -2.0, 0.0, 0.0]])  # one eigenvalue 2, one 0
    score = PROXIES["jacob_cov"](Squares(), Batch(alike, Y[:2], squared_error))
    assert score == pytest.approx(-sum(math.log(v + 1e-5) + 1 / (v + 1e-5) for v in (2, 0)), rel=1e-4)
    assert math.isnan(PROXIES["jacob_cov"](Squares(), Batch(0 * apart, Y[:2], squared_error)))


@pytest.mark.parametrize("activation", [nn.ReLU(), nn.ReLU(inplace=True), nn.GELU(), nn.SiLU(), nn.Tanh(), torch.relu])
def test_naswot_counts_the_units_that_agree(activation):
    class Units(nn.Module):
        def forward(self, x):
            return activation(x.clone())

    signs = torch.tensor([[1.0, 1.0, -1.0], [1.0, -1.0, -1.0], [-1.0, -1.0, 1.0]])
    kernel = np.array([[3, 2, 0], [2, 3, 1], [0, 1, 3]]) + np.eye(3)
    score = PROXIES["naswot"](Units(), Batch(signs, Y, squared_error))
    assert score == pytest.approx(np.linalg.slogdet(kernel)[1])


def test_naswot_is_larger_where_examples_are_told_apart_and_zero_without_activations():
    torch.manual_seed(0)
    separating = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 1))
    blind = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 1))
    blind[0].weight.data.mul_(1e-6)  # the biases decide, whatever the example
    naswot = PROXIES["naswot"]
    assert naswot(separating, REGRESSION) > naswot(blind, REGRESSION) > 0
    assert naswot(nn.Linear(2, 1), REGRESSION) == 0


def test_zen_grows_with_width_and_depth_and_ignores_the_weights_that_are_there():
    def network(*widths: int) -> nn.Module:
        return linear(*(np.ones((b, a)).tolist() for a, b in zip((2, *widths), (*widths, 20), strict=True)))

    zen = PROXIES["zen"]
    assert zen(network(4), REGRESSION) < zen(network(64), REGRESSION) < zen(network(64, 64), REGRESSION)
    scaled = network(4)
    scaled[0].weight.data.mul_(100)
    assert zen(scaled, REGRESSION) == zen(network(4), REGRESSION)


def test_zen_adds_what_a_normalisation_scales_away():
    batch = random_batch(Signature((100,), 2, "table"), 64, seed=0)
    zen = PROXIES["zen"]
    bare = zen(nn.Linear(100, 1), batch)
    # One channel, so the normalisation divides everything by one number: about 10, whose logarithm is 2.3.
    assert zen(nn.Sequential(nn.Linear(100, 1), nn.BatchNorm1d(1)), batch) == pytest.approx(bare, abs=0.1)
    wide = zen(nn.Linear(100, 50), batch)
    assert zen(nn.Sequential(nn.Linear(100, 50), nn.LayerNorm(50)), batch) == pytest.approx(wide, abs=0.1)


def test_parameters_and_flops():
    model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Flatten(), nn.Linear(4 * 64, 10))
    batch = random_batch(SIGNATURES["image"], 5, seed=0)
    assert PROXIES["parameters"](model, batch) == 3 * 4 * 9 + 4 + 2570
    assert PROXIES["flops"](model, batch) == 2 * (64 * 3 * 4 * 9 + 2560)


# ------------------------------------------------------------------ any network


@pytest.mark.parametrize("name", PROXIES)
def test_the_network_stays_as_it_is(name):
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(), nn.Flatten(), nn.Linear(144, 10)
    )
    model.eval()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    batch = random_batch(SIGNATURES["image"], 4, seed=0)
    first = PROXIES[name](model, batch)
    assert PROXIES[name](model, batch) == first, "dropout or running statistics had a say"
    assert not model.training and all(parameter.grad is None for parameter in model.parameters())
    after = model.state_dict()
    assert all(torch.equal(before[key], after[key]) and before[key].dtype == after[key].dtype for key in before)
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize("kind", SIGNATURES)
def test_scores_are_a_function_of_architecture_and_seed(kind):
    signature = SIGNATURES[kind]
    space = JointSpace(SPACES[kind](), training_recipe(kind), signature)
    batch = random_batch(signature, 8, seed=0)
    found = []
    for sample in range(4):
        architecture = space.sample(sample).architecture
        if not space.network.check(architecture, signature):
            state = torch.get_rng_state()
            scores = zero_cost_scores(space, architecture, batch, 0)
            assert list(scores) == list(PROXIES) and all(map(math.isfinite, scores.values())), scores
            assert torch.equal(torch.get_rng_state(), state) and torch.get_num_threads() >= 1
            again = zero_cost_scores(space, architecture, batch, 0, list(reversed(PROXIES)))
            assert again == scores, "what is scored before it changes nothing"
            other = zero_cost_scores(space, architecture, batch, 1)
            assert {n for n in PROXIES if other[n] == scores[n]} <= {"parameters", "flops", "zen"}
            found.append(tuple(scores.values()))
    assert len(found) > 1
    assert all(len(set(column)) > 1 for column in zip(*found, strict=True)), "some proxy tells nothing apart"


def test_threads_change_nothing():
    space = JointSpace(cnn(side=8), training_recipe("image"), SIGNATURES["image"])
    batch = random_batch(SIGNATURES["image"], 8, seed=0)
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(zero_cost_scores(space, space.default.architecture, batch, 0))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert found[0] == found[1]


def test_what_has_no_path_or_fails_is_undefined():
    signature = SIGNATURES["image"]
    space = JointSpace(cell(nodes=3, width=4, depth=1, stages=1), training_recipe("image"), signature)
    batch = random_batch(signature, 4, seed=0)
    broken = next(a for a in space.network.enumerate() if space.network.check(a, signature))
    assert all(map(math.isnan, zero_cost_scores(space, broken, batch, 0).values()))
    wrong = batch._replace(targets=batch.targets + 100)  # no such class: the loss fails, and with it what needs it
    scores = zero_cost_scores(space, space.default.architecture, wrong, 0)
    undefined = {name for name, score in scores.items() if math.isnan(score)}
    assert undefined == {"grad_norm", "snip", "grasp", "fisher"}


def test_networks_without_weights_have_scores():
    model = nn.Sequential(nn.Flatten(), nn.ReLU())
    scores = {name: proxy(model, REGRESSION) for name, proxy in PROXIES.items()}
    assert scores["parameters"] == scores["grad_norm"] == scores["snip"] == scores["grasp"] == scores["fisher"] == 0
    assert scores["synflow"] == -math.inf


def test_frozen_parameters_count_for_nothing(plain):
    model, *_ = plain
    frozen = nn.Sequential(linear([[1.0, 0.0], [0.0, 1.0]]).requires_grad_(False), model)
    for name in ("grad_norm", "snip", "grasp"):
        assert PROXIES[name](frozen, REGRESSION) == pytest.approx(PROXIES[name](model, REGRESSION))


# ------------------------------------------------------------------ tasks


def test_the_batch_is_of_the_training_split_alone(tmp_path: Path):
    task = make_task("iris", folder=tmp_path / "task")
    batch = task_batch(task, 16, seed=3)
    inputs, targets = task.arrays("train")
    rows = [next(i for i, row in enumerate(inputs) if np.array_equal(row, found)) for found in batch.inputs.numpy()]
    assert batch.inputs.shape == (16, *task.signature.input) and batch.loss is F.cross_entropy
    assert len({*map(tuple, batch.inputs.tolist())}) > 10
    assert all(any(np.array_equal(inputs[i], inputs[r]) and targets[i] == y for i in range(len(inputs)))
               for r, y in zip(rows, batch.targets.tolist(), strict=True))  # fmt: skip
    (task.folder / "sealed" / "x_test.npy").unlink()
    assert torch.equal(task_batch(task, 16, seed=3).inputs, batch.inputs)
    assert not torch.equal(task_batch(task, 16, seed=4).inputs, batch.inputs)
    assert len(task_batch(task, 10_000, seed=3).inputs) == len(inputs)


def test_a_regression_is_scored_by_its_own_loss(tmp_path: Path):
    task = make_task("diabetes", folder=tmp_path / "task")
    assert task_batch(task, 8, seed=0).loss is squared_error
    space = JointSpace(mlp(), training_recipe("table", False), task.signature)
    scorer = ZeroCost.of_task(space, task, names=tuple(PROXIES))
    scores = scorer(space.default)
    assert all(map(math.isfinite, scores.values()))
    assert ZeroCost.of_task(space, task, names=tuple(PROXIES))(space.default) == scores
    assert scorer(space.default) is scores, "scored twice"
    assert ZeroCost.of_task(space, task, seed=1)(space.default)["synflow"] != scores["synflow"]


def test_what_cannot_be_scored_is_refused():
    space = JointSpace(mlp(), Space(Settings(rate=0.1)))
    with pytest.raises(SpaceError, match="give the JointSpace a signature"):
        ZeroCost.of_signature(space)
    with pytest.raises(ArchwiseError, match="no zero-cost proxy 'magic': take some of parameters"):
        ZeroCost(space, REGRESSION, names=["magic"])
    with pytest.raises(SpaceError, match="give the JointSpace a signature"):
        zero_cost_scores(space, space.default.architecture, REGRESSION, 0)


# ------------------------------------------------------------------ published accuracies


@pytest.mark.slow
def test_ranks_follow_the_accuracies_of_nasbench201(shared_data: Path):
    """Abdelfattah et al. 2021 and Mellor et al. 2021 find 0.74 (SynFlow), 0.73 (Jacobian), 0.78 (NASWOT), 0.58 (SNIP)
    and 0.48 (GraSP) on CIFAR-10, with batches of 64 and more at 32 pixels."""
    image_module = pytest.importorskip("PIL.Image")
    table = find_table(str(shared_data / "nas" / "nasbench201.npz"))
    found = table_space(table)
    signature = Signature((3, 8, 8), 10, "image")
    space = JointSpace(found.network, found.recipe, signature)
    data = np.load(shared_data / "sets" / "cifar10_jpeg.npz", allow_pickle=False)
    head, body, ends = data["jpeg_header"].tobytes(), data["jpeg_body_train"].tobytes(), data["offsets_train"][:17]
    files = [io.BytesIO(head + body[a:b] + b"\xff\xd9") for a, b in pairwise(ends)]
    images = np.stack([np.asarray(image_module.open(file).convert("RGB").resize((8, 8))) for file in files])
    inputs = torch.tensor(images).permute(0, 3, 1, 2).float()
    inputs = (inputs - inputs.mean((0, 2, 3), keepdim=True)) / inputs.std((0, 2, 3), keepdim=True)
    batch = Batch(inputs, torch.tensor(data["y_train"][:16].astype(np.int64)), F.cross_entropy)
    rows = np.random.default_rng(0).choice(len(table.architectures), 80, replace=False)
    names = [*NAMES, "snip", "grasp"]  # the others take long, or follow these
    scores = [zero_cost_scores(space, found.candidate(int(row)).architecture, batch, 0, names) for row in rows]
    accuracy = table.report[rows, 0]
    ranks = {name: rankdata([-np.inf if math.isnan(s[name]) else s[name] for s in scores]) for name in names}
    correlation = {name: float(spearmanr(ranks[name], accuracy)[0]) for name in names}
    correlation["mean rank"] = float(spearmanr(sum(ranks[name] for name in NAMES), accuracy)[0])
    print("\n" + ", ".join(f"{name} {value:.2f}" for name, value in correlation.items()))
    least = {"parameters": 0.6, "synflow": 0.55, "jacob_cov": 0.45, "naswot": 0.5, "snip": 0.35, "grasp": 0.15}
    assert all(correlation[name] > bound for name, bound in (least | {"mean rank": 0.7}).items()), correlation
