"""The controller: its probabilities, and what lessons do to them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from tests.contracts import toys

from archwise.evaluators.recipe import training_recipe
from archwise.spaces import Chain, Choice, JointSpace, Settings, Space, identity
from archwise.spaces.architecture import Architecture, Candidate
from archwise.spaces.parts import activation, dense, head
from archwise.spaces.ready import READY
from archwise.strategies import controller as module
from archwise.strategies.controller import Controller


def conditional() -> JointSpace:
    """Eight candidates: a block that has two choices of its own where it is taken, and a learning rate."""
    block = Chain(dense(Choice("width", [8, 16])), activation(Choice("act", ["relu"])), name="block")
    network = Chain(Choice("op", [block, identity(called="skip")]), head())
    rates = Choice("rate", [0.1, 0.01])
    return JointSpace(Space(network), Space(Settings(learning_rate=rates, warmup=Choice("warmup", [0.1]))))


def coins(count: int = 2) -> JointSpace:
    """Layers of two activations each, called alike."""
    layers = [Chain(activation(Choice("act", ["relu", "gelu", "tanh"])), name=f"layer{i}") for i in range(count)]
    return JointSpace(Space(Chain(*layers, head())), Space(Settings(learning_rate=0.1)))


def of(*acts: str) -> Candidate:
    return Candidate(Architecture({f"layer{i}/act": act for i, act in enumerate(acts)}), Architecture({}))


def lesson(controller: Controller, seed: int = 0, count: int = 6) -> tuple[list[Candidate], list[float]]:
    rng = np.random.default_rng(seed)
    return [controller.space.sample(rng) for _ in range(count)], list(rng.normal(size=count))


def probability(controller: Controller, candidate: Candidate) -> float:
    return float(np.exp(controller.log_probability(candidate)))


# ---------------------------------------------------------------------- probabilities


@pytest.mark.parametrize("space", [conditional, toys.pools, toys.cells, coins, toys.single])
def test_the_probabilities_of_all_candidates_add_up_to_one(space):
    controller = Controller(space(), seed=0)
    for seed in range(4):
        controller.proximal(*lesson(controller, seed))
    assert sum(probability(controller, c) for c in controller.space.enumerate()) == pytest.approx(1, abs=1e-5)


def test_a_smaller_space_is_written_alone_and_adds_up_to_one():
    whole = toys.cells()
    space = JointSpace(whole.network.exclude({"op": ["none", "skip"]}), whole.recipe.fix({"learning_rate": 0.1}))
    controller = Controller(space, seed=0)
    controller.reinforce(*lesson(controller))
    assert all(controller.write(np.random.default_rng(seed)) in space for seed in range(50))
    assert sum(probability(controller, c) for c in space.enumerate()) == pytest.approx(1, abs=1e-5)


def test_candidates_are_written_as_often_as_their_probability_says():
    controller = Controller(conditional(), seed=1)
    for seed in range(8):
        controller.proximal(*lesson(controller, seed))
    rng = np.random.default_rng(0)
    written = Counter(controller.write(rng) for _ in range(4000))
    expected = {candidate: probability(controller, candidate) for candidate in controller.space.enumerate()}
    assert max(expected.values()) > 2 * min(expected.values()), "it has learned something"
    for candidate, share in expected.items():
        assert abs(written[candidate] / 4000 - share) < 4 * np.sqrt(share / 4000)


def test_what_is_kept_is_not_drawn_and_what_follows_reads_it():
    controller = Controller(conditional(), seed=1)
    for seed in range(8):
        controller.proximal(*lesson(controller, seed))
    rng = np.random.default_rng(0)
    taken = [controller.write(rng, {"op": "block", "recipe:rate": 0.01, "elsewhere": 1}) for _ in range(2000)]
    assert {(c.architecture["op"], c.recipe["rate"]) for c in taken} == {("block", 0.01)}
    wide = [c for c in controller.space.enumerate() if c.architecture.get("op=block/width") == 16]
    narrow = [c for c in controller.space.enumerate() if c.architecture.get("op=block/width") == 8]
    shares = [sum(probability(controller, c) for c in some) for some in (wide, narrow)]
    share = shares[0] / sum(shares)
    drawn = sum(c.architecture["op=block/width"] == 16 for c in taken) / 2000
    assert abs(drawn - share) < 4 * np.sqrt(share * (1 - share) / 2000)
    assert controller.write(rng, {"op": "no such option"}) in controller.space


def test_before_any_lesson_all_options_are_about_equally_likely():
    controller = Controller(toys.layers(), seed=0)
    logs = [controller.log_probability(toys.layers().sample(seed)) for seed in range(20)]
    assert np.exp(np.array(logs) / 13) == pytest.approx((4**7 * 3**6) ** (-1 / 13), rel=0.2)


@pytest.mark.parametrize("name", READY)
def test_every_ready_space_can_be_written_and_learned(name):
    space = JointSpace(READY[name](), training_recipe("image"))
    controller = Controller(space, seed=0)
    written = [controller.write(np.random.default_rng(seed)) for seed in range(4)]
    assert all(candidate in space for candidate in written)
    before = [controller.log_probability(candidate) for candidate in written]
    controller.reinforce(written, [1.0] * 4)
    assert sum(controller.log_probability(candidate) for candidate in written) > sum(before)


# ---------------------------------------------------------------------- lessons


@pytest.mark.parametrize("update", [Controller.reinforce, Controller.proximal])
def test_what_did_well_becomes_likelier_and_what_did_badly_less_likely(update):
    controller = Controller(toys.layers(), seed=0)
    good, bad = (toys.layers().sample(seed) for seed in (0, 1))
    before = [controller.log_probability(candidate) for candidate in (good, bad)]
    update(controller, [good, bad], [1.0, -1.0])
    assert controller.log_probability(good) > before[0]
    assert controller.log_probability(bad) < before[1]


@pytest.mark.parametrize("update", [Controller.reinforce, Controller.proximal])
def test_it_learns_what_depends_on_what_was_taken_long_before(update):
    """The last activation should be the first, whichever that is: no table of independent choices can say so."""
    controller = Controller(coins(3), seed=0, entropy=0.0)
    rng = np.random.default_rng(0)
    for _ in range(200):
        written = [controller.write(rng) for _ in range(8)]
        equal = [float(alike(candidate)) for candidate in written]
        update(controller, written, [reward - 0.5 for reward in equal])
    assert sum(probability(controller, c) for c in controller.space.enumerate() if alike(c)) > 0.9
    assert np.mean([alike(controller.write(rng)) for _ in range(100)]) > 0.8


def alike(candidate: Candidate) -> bool:
    return candidate.architecture["layer0/act"] == candidate.architecture["layer2/act"]


def test_options_called_the_same_learn_from_each_other():
    controller = Controller(coins(), seed=0)
    for _ in range(10):
        controller.reinforce([of("relu", "tanh"), of("gelu", "tanh")], [1.0, -1.0])
    acts = ("relu", "gelu", "tanh")
    second = {act: sum(probability(controller, of(first, act)) for first in acts) for act in acts}
    assert second["relu"] > 1.2 * second["gelu"], "no lesson was about the second layer's"


def test_the_proximal_update_stops_where_reinforce_goes_on(monkeypatch):
    monkeypatch.setattr(module, "PASSES", 200)
    gains = []
    for name in ("proximal", "reinforce"):
        controller = Controller(coins(1), seed=0, learning_rate=0.0005, entropy=0.0)
        before = probability(controller, of("relu"))
        for _ in range({"proximal": 1, "reinforce": 200}[name]):
            getattr(controller, name)([of("relu")], [1.0])
        gains.append(probability(controller, of("relu")) / before)
    assert 1.2 < gains[0] < 1.4
    assert gains[1] > 2


@pytest.mark.parametrize(("entropy", "low", "high"), [(0.0, 0.9, 1.0), (1.0, 0.2, 0.5)])
def test_entropy_makes_a_settled_policy_spread_again(entropy, low, high):
    controller = Controller(coins(1), seed=0, entropy=entropy)
    for _ in range(10):
        controller.reinforce([of("relu")], [5.0])
    assert probability(controller, of("relu")) > 0.9
    for _ in range(100):
        controller.reinforce([of("relu")], [0.0])
    assert low < probability(controller, of("relu")) < high


def test_no_option_is_ever_given_up():
    controller = Controller(coins(1), seed=0, entropy=0.0)
    for _ in range(500):
        controller.reinforce([of("relu")], [100.0])
    assert probability(controller, of("gelu")) > 0.005


def test_a_space_without_choices_has_nothing_to_learn():
    controller = Controller(toys.single(), seed=0)
    candidate = controller.write(np.random.default_rng(0))
    controller.proximal([candidate], [1.0])
    assert controller.log_probability(candidate) == 0


# ---------------------------------------------------------------------- nothing but seed and lessons


def learned(seed: int = 0) -> list[float]:
    controller = Controller(conditional(), seed)
    for number in range(3):
        controller.proximal(*lesson(controller, number))
    return [controller.log_probability(candidate) for candidate in controller.space.enumerate()]


def test_seed_and_lessons_decide_the_weights():
    assert learned(0) == learned(0)
    assert learned(0) != learned(1)


def test_what_the_program_set_in_pytorch_changes_nothing_and_is_left_alone():
    expected, threads = learned(), torch.get_num_threads()
    torch.manual_seed(1)
    state = torch.get_rng_state()
    try:
        torch.set_num_threads(3)
        with torch.inference_mode():
            assert learned() == expected
        torch.set_default_dtype(torch.float64)
        assert learned() == expected
        assert torch.get_num_threads() == 3
        assert torch.equal(torch.get_rng_state(), state)
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_num_threads(threads)


def test_a_state_is_all_that_was_learned():
    once = Controller(conditional(), seed=0)
    once.proximal(*lesson(once, 0))
    state = once.state()
    other = Controller(conditional(), seed=7)
    for seed in (1, 2):
        once.proximal(*lesson(once, seed))
    written = [once.write(np.random.default_rng(seed)) for seed in range(20)]
    for again in (other, once):
        again.load(state)
        for seed in (1, 2):
            again.proximal(*lesson(again, seed))
        assert [again.write(np.random.default_rng(seed)) for seed in range(20)] == written
        assert all(torch.equal(a, b) for a, b in zip(again.parameters(), once.parameters(), strict=True))
    expected = [tensor.clone() for tensor in other.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(once.parameters(), expected, strict=True))


def test_a_lesson_forgets_what_was_worked_out_for_writing():
    controller = Controller(coins(1), seed=0)
    controller.write(np.random.default_rng(0))
    for _ in range(100):
        controller.reinforce([of("tanh")], [1.0])
    assert sum(controller.write(np.random.default_rng(seed)) == of("tanh") for seed in range(20)) > 15
