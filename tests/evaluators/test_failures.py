from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from archwise.evaluators.failures import describe
from archwise.evaluators.training import train

HEAD = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(13, 3)
        self.steps = 0

    def forward(self, x):
        self.steps += self.training
{body}
        return self.layer(x)


def build_model():
    return Net()
"""


def failing(body):
    return HEAD.replace("{body}", "\n".join("        " + line for line in body.split("\n")))


@pytest.mark.parametrize(
    ("source", "reason", "shown"),
    [
        ("def build_model(): raise ValueError('kernel 9 does not fit')", "cannot be built", "kernel 9 does not fit"),
        ("import torch\ndef build_model(): return torch.nn.Linear(13, 4)", "instead of (1, 3)", "(1, 4)"),
        ("import torch\ndef build_model(): return torch.nn.Linear(12, 3)", "RuntimeError", "mat1 and mat2"),
        ("import torch\ndef build_model(): return torch.nn.Flatten()", "instead of (1, 3)", "(1, 13)"),
        (failing("if self.steps == 8: raise KeyError('lost')"), "KeyError: 'lost'", "if self.steps == 8"),
        (failing("if self.steps == 8: return self.layer(x) * float('nan')"), "diverged at step 8: ", "nan"),
        (
            failing("if self.steps >= 8 and not self.training: return self.layer(x) * 1e39"),
            "diverged at step",
            "loss nan",
        ),
        (failing("if self.steps == 8: torch.empty(10**14)"), "out of memory: ", "allocate memory"),
        (failing("if self.steps == 8: raise MemoryError('too big')"), "out of memory: too big", "MemoryError"),
        (failing("if self.steps == 8: return self.layer(x)[:1]"), "ValueError: ", "batch_size"),
        (failing("return self.forward(x)"), "RecursionError: ", "self.forward(x)"),
    ],
)
def test_whatever_goes_wrong_is_an_outcome_with_its_reason(job, source, reason, shown):
    outcome = train(job("wine", source=source))
    assert outcome.status == "failed"
    assert outcome.score is None
    assert reason in outcome.reason
    assert "\n" not in outcome.reason
    assert shown in outcome.traceback


def test_what_was_learned_before_the_failure_is_kept(job):
    outcome = train(job("wine", source=failing("if self.steps == 20: raise KeyError('lost')")))
    assert outcome.status == "failed"
    assert 1 <= len(outcome.curve) < 7
    assert outcome.costs["parameters"] == 42
    assert outcome.costs["train_seconds"] > 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"objective": "rmse"}, "'rmse' does not fit a multiclass task"),
        ({"task": "nowhere"}, "There is no task in nowhere"),
        ({"settings": {"optimizer": "adam"}}, "'adam' is unknown"),
    ],
)
def test_a_job_that_cannot_be_done_says_why(job, change, reason):
    assert reason in train(replace(job("wine"), **change)).reason


def test_weights_that_cannot_be_written_fail_the_trial(job, path):
    assert "FileNotFoundError" in train(job("wine", weights_to=path("no/such/folder"))).reason


@pytest.mark.parametrize("signal", [KeyboardInterrupt, SystemExit])
def test_the_user_s_own_stop_gets_through(job, signal):
    with pytest.raises(signal):
        train(job("wine", source=failing(f"if self.steps == 8: raise {signal.__name__}")))


def test_a_failure_leaves_nothing_behind_for_the_next_training(job):
    before = train(job("wine"))
    state = torch.get_rng_state()
    train(job("wine", source=failing("if self.steps == 8: raise KeyError('lost')")))
    assert torch.equal(torch.get_rng_state(), state)
    after = train(job("wine"))
    assert after.score == before.score
    assert after.metrics == before.metrics


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory: you tried"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("std::bad_alloc"),
    ],
)
def test_memory_that_ran_out_is_recognised(error):
    assert describe(error)[0].startswith("out of memory")


def test_other_errors_are_not_taken_for_it():
    assert describe(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))[0].startswith("RuntimeError")
    assert describe(ValueError("out of memory of the user"))[0].startswith("ValueError")
