"""Fidelity f is the first f of one schedule: stopping and going on changes nothing, bit for bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from archwise.evaluators.training import train

ADAMW = {"optimizer": "adamw", "learning_rate": 3e-3, "weight_decay": 1e-2, "warmup": 0.1, "batch_size": 48}
SGD = {"optimizer": "sgd", "learning_rate": 0.1, "weight_decay": 5e-4, "warmup": 0.1, "batch_size": 48}


def essence(outcome):
    """All of an outcome that must not depend on where training stopped and went on."""
    assert outcome.status == "finished", outcome.traceback
    curve = [(p.fidelity, p.train_loss, p.validation_loss, p.score) for p in outcome.curve]
    costs = {name: value for name, value in outcome.costs.items() if name not in ("train_seconds", "latency_ms")}
    return repr((outcome.score, dict(outcome.metrics), costs, curve))


def stations(job, path, fidelities):
    """Train in several stages, each from the last one's checkpoint; return the last one's outcome and weights."""
    resume = None
    for number, fidelity in enumerate(fidelities):
        checkpoint = path(f"{number}.safetensors")
        stage = replace(job, fidelity=fidelity, resume_from=resume, checkpoint_to=checkpoint)
        outcome = train(replace(stage, weights_to=path("stages.safetensors")))
        resume = checkpoint
    return essence(outcome), Path(path("stages.safetensors")).read_bytes()


def straight(job, path):
    outcome = train(replace(job, weights_to=path("straight.safetensors")))
    return essence(outcome), Path(path("straight.safetensors")).read_bytes()


@pytest.mark.parametrize(("recipe", "augmentation"), [(ADAMW, "strong"), (SGD, "none")], ids=["adamw", "sgd"])
def test_a_continued_training_equals_one_that_never_stopped(job, path, recipe, augmentation):
    digits = job(
        "digits",
        epochs=3,
        seed=11,
        settings=recipe | {"augmentation": augmentation, "label_smoothing": 0.1, "class_weights": True},
    )
    expected = straight(digits, path)
    assert stations(digits, path, [1 / 9, 1 / 3, 1]) == expected
    assert stations(digits, path, [0.6, 1]) == expected


@pytest.mark.parametrize("name", ["wine", "diabetes"])
def test_every_grid_point_can_be_a_station(job, path, name):
    task = job(name, epochs=12)
    outcome = train(task)
    expected = straight(task, path)
    for point in outcome.curve:
        assert stations(task, path, [point.fidelity, 1]) == expected


def test_early_stopping_is_the_same_after_a_continuation(job, path):
    # Far too fast: the score is best early and never again.
    wild = job("wine", epochs=40, settings=SGD | {"learning_rate": 3.0, "warmup": 0.0}, objective="log_loss")
    outcome = train(wild)
    assert outcome.curve[-1].fidelity < 1
    expected = straight(wild, path)
    stop = outcome.curve[-1].fidelity
    for fidelity in (stop / 2, stop, (1 + stop) / 2):
        assert stations(wild, path, [fidelity, 1]) == expected


def test_a_lower_fidelity_is_the_beginning_of_a_higher_one(job):
    digits = job("digits", epochs=3)
    whole, part = train(digits), train(replace(digits, fidelity=0.4))
    assert len(part.curve) < len(whole.curve)
    for a, b in zip(part.curve, whole.curve, strict=False):
        assert a._replace(seconds=0) == b._replace(seconds=0)
    assert part.curve[-1].fidelity == pytest.approx(0.4, abs=0.1)
    assert part.costs["steps"] == pytest.approx(0.4 * whole.costs["steps"], rel=0.2)


def test_a_checkpoint_that_is_no_use_changes_nothing(job, path):
    wine = job("wine")
    expected = essence(train(wine))
    Path(path("broken")).write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    train(replace(wine, seed=1, fidelity=0.5, checkpoint_to=path("foreign")))
    train(replace(wine, checkpoint_to=path("further")))
    for file in ("missing", "broken", "foreign"):
        assert essence(train(replace(wine, resume_from=path(file)))) == expected
    half = replace(wine, fidelity=0.5)
    assert essence(train(replace(half, resume_from=path("further")))) == essence(train(half))


def test_a_checkpoint_saves_the_steps_that_it_holds(job, path):
    digits = replace(job("digits", epochs=3), checkpoint_to=path("c"))
    train(replace(digits, fidelity=8 / 9))
    points = []
    train(replace(digits, resume_from=path("c")), points.append)
    assert [point.fidelity for point in points] == pytest.approx([1.0])


def test_a_place_that_cannot_be_written_costs_only_the_checkpoint(job, path):
    wine = job("wine")
    assert essence(train(replace(wine, checkpoint_to=path("no/such/folder")))) == essence(train(wine))


def test_the_final_training_can_go_on_too(job, path):
    final = job("wine", on="train+validation")
    expected = straight(final, path)
    assert stations(final, path, [0.3, 1]) == expected
