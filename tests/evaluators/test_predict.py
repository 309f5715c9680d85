from __future__ import annotations

import numpy as np
import torch

from archwise.evaluators.network import build_network
from archwise.evaluators.predict import predict
from archwise.tasks.task import Task


def test_outputs_are_the_model_s_own_in_evaluation_mode(job, task_folder):
    x, _ = Task.load(task_folder("digits")).arrays("validation")
    model = build_network(job("digits").source, 0).train()
    found = predict(model, x, batch_size=100)
    assert model.training
    model.eval()
    with torch.no_grad():
        expected = model(torch.from_numpy(np.array(x))).numpy()
    assert found.dtype == np.float32
    assert np.allclose(found, expected, atol=1e-5)


def test_the_batch_size_changes_nothing(job, task_folder):
    x, _ = Task.load(task_folder("digits")).arrays("validation")
    model = build_network(job("digits").source, 0)
    assert np.allclose(predict(model, x, batch_size=7), predict(model, x, batch_size=1000), atol=1e-5)


def test_no_examples_give_no_outputs():
    assert predict(torch.nn.Linear(3, 2), np.empty((0, 3), np.float32)).shape == (0, 2)
