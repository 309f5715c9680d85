"""Training where there is a GPU; elsewhere these tests skip."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import archwise
from archwise.evaluators.training import train

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")


def test_digits_are_learned_on_the_gpu_in_mixed_precision(job):
    outcome = train(job("digits", epochs=12, device="cuda", measure_latency=True))
    assert outcome.status == "finished", outcome.traceback
    assert outcome.score >= 0.97
    assert outcome.costs["latency_ms"] > 0


def test_a_training_goes_on_from_its_checkpoint_on_the_gpu(job, path):
    whole = job("digits", epochs=6, device="cuda")
    part = train(replace(whole, fidelity=1 / 3, checkpoint_to=path("state")))
    rest = train(replace(whole, resume_from=path("state")))
    assert rest.curve[: len(part.curve)] == part.curve
    assert rest.score == pytest.approx(train(whole).score, abs=0.02)


def test_what_will_not_be_done_in_time_fails_on_the_gpu_too(job):
    outcome = train(job("digits", epochs=10_000, device="cuda", time_limit=1.0))
    assert outcome.status == "failed" and outcome.reason.startswith("too slow")


def test_a_search_on_the_gpu(tmp_path):
    places = {"run": tmp_path / "run", "experience": tmp_path / "experience.sqlite"}
    result = archwise.search("digits", trials=3, epochs=8, device="cuda", **places)
    assert result.test["accuracy"] > 0.9
    assert not result.trials.status.eq("failed").any()
