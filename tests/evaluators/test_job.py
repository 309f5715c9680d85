from __future__ import annotations

import json
from dataclasses import fields

from archwise.evaluators.job import TrainingJob


def test_every_field_survives_json():
    job = TrainingJob(
        source="def build_model():\n    return 'ü'",
        task="tasks/iris",
        objective="log_loss",
        epochs=2.5,
        settings={"optimizer": "sgd", "learning_rate": 0.1, "class_weights": True},
        fidelity=1 / 3,
        seed=7,
        device="cuda",
        resume_from="a",
        inherit_source="def build_model(): ...",
        inherit_weights="d",
        checkpoint_to="b",
        weights_to="c",
        on="train+validation",
        seconds=9.0,
        time_limit=5.0,
        threads=3,
        measure_latency=False,
    )
    neutral = TrainingJob("", "", "", 1)
    assert all(getattr(job, f.name) != getattr(neutral, f.name) for f in fields(job)), "set every field above"
    assert TrainingJob.from_json(json.loads(json.dumps(job.to_json()))) == job
