"""Records of one space read as those of another."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from archwise.errors import SpaceError
from archwise.evaluators.job import TrainingJob
from archwise.evaluators.recipe import training_recipe
from archwise.evaluators.training import train
from archwise.experience.past import Recorded
from archwise.meta.translation import WHERE_SILENT, Translation, same_tree
from archwise.signature import Signature
from archwise.spaces import Chain, Choice, JointSpace, Repeat, Space
from archwise.spaces.architecture import Architecture, Candidate
from archwise.spaces.cnn import cnn
from archwise.spaces.layer_types import identity
from archwise.spaces.mlp import mlp
from archwise.spaces.parts import activation, batch_norm, dense, dropout, flatten, head, layer_norm
from archwise.tasks.load import make_task

SIGNATURE = Signature((6,), 3, "table")
TABLE = training_recipe("table")


def older_mlp(normalisations: bool = True) -> Space:
    """Return perceptrons as an older version might have had them.

    Paths had one more part around them, there was no residual switch, ReLU was the only activation, each layer chose
    its own dropout, and options were called otherwise.
    """
    rates = [identity(called="no"), *(dropout(rate, called=f"rate {rate}") for rate in (0.1, 0.4))]
    block = Chain(
        dense(Choice("width", [16, 64, 100])),
        Choice("normalisation", [batch_norm(called="batch"), layer_norm(called="layer")], shared=True)
        if normalisations
        else batch_norm(),
        activation("relu"),
        Choice("dropout", rates, shared=True),
    )
    layers = Repeat(block, Choice("depth", [0, 1, 2, 3]), tied=False, name="layers")
    return Space(Chain(flatten(), layers, head()), "mlp")


def stored(space: JointSpace, count: int) -> list[Recorded]:
    """Return what the experience holds of random candidates."""
    candidates = dict.fromkeys(space.sample(seed) for seed in range(count))
    return [Recorded(candidate, *space.key(candidate)) for candidate in candidates]


def between(past: JointSpace, now: JointSpace, records: list[Recorded]) -> Translation:
    """Return how records of a past space are read in one of now."""
    same = same_tree(past.network.describe(), now.network.describe())
    translation = Translation(now, same, recipes=past.recipe.describe())
    translation.learn(records)
    return translation


@pytest.mark.parametrize("normalisations", [True, False])
def test_a_reworked_space_is_read_where_it_means_the_same(normalisations: bool) -> None:
    past, now = JointSpace(older_mlp(normalisations), TABLE), JointSpace(mlp(), TABLE)
    records = stored(past, 120)
    translation = between(past, now, records)
    read = {recorded.candidate: translation(recorded) for recorded in records}
    representable = {
        candidate
        for candidate in read
        if 100 not in candidate.architecture.values() and "rate 0.4" not in candidate.architecture.values()
    }
    assert {candidate for candidate, found in read.items() if found is not None} == representable
    assert 10 < len(representable) < len(records)
    for before, after in [(c, found) for c, found in read.items() if found is not None][:12]:
        assert after in now and after.recipe == before.recipe
        networks = []
        for space, candidate in ((past, before), (now, after)):
            torch.manual_seed(3)
            networks.append(space.network.build(candidate.architecture, SIGNATURE).eval())
        x = torch.randn(5, 6)
        torch.testing.assert_close(networks[0](x), networks[1](x), rtol=0, atol=0)


def test_what_was_dropped_from_a_space_is_read_back_where_it_made_no_difference() -> None:
    past, now = JointSpace(mlp(), TABLE), JointSpace(older_mlp(), TABLE)
    records = [r for r in stored(past, 400) if r.candidate.architecture["depth"] in (0, 1)]
    read = [between(past, now, records)(recorded) for recorded in records]
    found = [(recorded, candidate) for recorded, candidate in zip(records, read, strict=True) if candidate]
    assert 0 < len(found) < len(records)
    for recorded, candidate in found:
        assert now.key(candidate) == (recorded.architecture_hash, recorded.recipe_hash)


def test_limits_alone_leave_the_records_as_they_are() -> None:
    every = JointSpace(mlp(), TABLE)
    few = JointSpace(mlp().fix({"depth": [1, 2]}), TABLE.exclude({"optimizer": "sgd"}))
    records = stored(every, 100)
    translation = between(every, few, records)
    assert [translation(recorded) for recorded in records] == [
        recorded.candidate if recorded.candidate in few else None for recorded in records
    ]
    wider = between(few, every, stored(few, 20))
    assert [wider(recorded) for recorded in stored(few, 20)] == [recorded.candidate for recorded in stored(few, 20)]


def test_records_of_other_networks_are_not_read() -> None:
    images = JointSpace(cnn(), TABLE)
    records = stored(JointSpace(mlp(), TABLE), 20)
    assert not any(between(JointSpace(mlp(), TABLE), images, records)(recorded) for recorded in records)
    names_only = JointSpace(Space(Chain(flatten(), dense(Choice("width", [16, 64])), head())), TABLE)
    other = JointSpace(Space(Chain(flatten(), dense(Choice("width", [16, 64])), layer_norm(), head())), TABLE)
    records = stored(other, 10)
    assert records[0].candidate in names_only
    assert not any(between(other, names_only, records)(recorded) for recorded in records)


def test_a_record_whose_hash_disagrees_is_not_read() -> None:
    space = JointSpace(older_mlp(), TABLE)
    records = stored(space, 30)
    translation = between(space, JointSpace(mlp(), TABLE), records)
    recorded, other = [recorded for recorded in records if translation(recorded)][:2]
    assert translation(recorded._replace(architecture_hash=other.architecture_hash)) is None
    assert translation(recorded._replace(recipe_hash="0" * 64)) is None


def test_what_was_learnt_is_kept_as_data() -> None:
    past, now = JointSpace(older_mlp(), TABLE), JointSpace(mlp(), TABLE)
    records = stored(past, 60)
    translation = between(past, now, records)
    kept = translation.to_json()
    again = Translation(now, kept["same"], kept["gaps"], kept["recipe_space"], past.recipe.describe())
    assert [again(recorded) for recorded in records] == [translation(recorded) for recorded in records]
    assert kept["gaps"][0]["dropout=no"] == "none"


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        ((True, False), (False, False), {"label_smoothing": 0.0}),
        ((False, False), (True, False), {}),
        ((True, True), (True, False), {"class_weights": False}),
        ((True, False), (True, True), {}),
        ((True, True), (False, False), {"class_weights": False, "label_smoothing": 0.0}),
    ],
)
def test_recipes_are_the_same_where_a_setting_that_one_lacks_is_off(
    before: tuple[bool, bool], after: tuple[bool, bool], kept: dict[str, float]
) -> None:
    past, now = (JointSpace(mlp(), training_recipe("table", *kind)) for kind in (before, after))
    records = stored(past, 60)
    translation = between(past, now, records)
    read = {recorded.candidate: translation(recorded) for recorded in records}
    expected = {c for c in read if all(c.recipe[name] == value for name, value in kept.items())}
    assert {c for c, found in read.items() if found is not None} == expected and expected
    for candidate in expected:
        found = read[candidate]
        assert found is not None and found in now and found.architecture == candidate.architecture
        settings = past.recipe.values(candidate.recipe), now.recipe.values(found.recipe)
        assert {**WHERE_SILENT, **settings[0]} == {**WHERE_SILENT, **settings[1]}


def test_a_recipe_of_which_no_description_is_known_must_have_the_same_settings() -> None:
    past, now = (JointSpace(mlp(), training_recipe("table", kind)) for kind in (False, True))
    records = stored(past, 10)
    assert not any(Translation(now, True)(recorded) for recorded in records)
    with pytest.raises(SpaceError):
        now.recipe.values(records[0].candidate.recipe)


def test_trainings_do_what_is_said_of_recipes_that_are_silent(tmp_path: Path) -> None:
    task = make_task("iris", folder=tmp_path / "task")
    space = older_mlp()
    architecture = Architecture({**space.default, "depth": 1})
    source = space.source(architecture if architecture in space else space.default, task.signature)

    def score(**settings: object) -> object:
        job = TrainingJob(source, str(task.folder), "accuracy", 3, settings, seed=1, measure_latency=False)
        return train(job).curve

    def losses(run: object) -> list[float]:
        return [point.train_loss for point in run]  # type: ignore[attr-defined]

    silent = losses(score())
    assert losses(score(**WHERE_SILENT)) == silent
    for name, value in {"label_smoothing": 0.1, "learning_rate": 3e-3, "batch_size": 32, "optimizer": "sgd"}.items():
        assert losses(score(**{**WHERE_SILENT, name: value})) != silent, name


def test_a_candidate_is_read_from_what_it_was_called() -> None:
    inner = Chain(dense(Choice("width", [8, 16])), head())
    outer = Chain(Chain(dense(Choice("width", [8, 16])), name="body"), head())
    past, now = JointSpace(Space(inner), TABLE), JointSpace(Space(outer), TABLE)
    candidate = Candidate(Architecture({"width": 16}), TABLE.default)
    [recorded] = [Recorded(candidate, *past.key(candidate))]
    found = between(past, now, [recorded])(recorded)
    assert found == Candidate(Architecture({"body/width": 16}), TABLE.default)
