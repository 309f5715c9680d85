"""One session of a search: what it is made of, and its way from the first proposal to the written answer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from archwise.answer import Conclusion
from archwise.errors import SpaceError
from archwise.evaluators.recipe import training_recipe
from archwise.experience import Experience, SearchRecord, SpaceRecord, TaskRecord
from archwise.experience.records import SearchState
from archwise.export import write_answer
from archwise.limits import limit_spaces
from archwise.loop import Search
from archwise.report import write_report
from archwise.report.words import duration
from archwise.result import Result
from archwise.runtime.cores import share_threads
from archwise.runtime.pool import WorkerPool
from archwise.settings import SearchSettings
from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import NEARER, JointSpace
from archwise.spaces.ready import ready_space
from archwise.spaces.space import Space
from archwise.tasks.descriptor import describe_task
from archwise.tasks.task import Task


def execute(loop: Search, network: Space | None, known: Sequence[str] = ()) -> Result:
    """Explore, conclude, and write the answer down.

    Args:
        loop: the search.
        network: the space of networks, where it is the user's own.
        known: what is to be said of past tasks when it begins.
    """
    run, settings = loop.run, loop.settings
    run.forget_leftovers()
    run.update(sessions=[*run["sessions"], loop.clock.begun], state="searching")
    loop.listener.began(run, loop.task, loop.trials)
    for text in known:
        loop.listener.note(f"{text[0].upper()}{text[1:]}.")
    conclusion = Conclusion(loop)
    try:
        with WorkerPool(
            settings.workers,
            log_folder=run.folder / "logs",
            threads_per_worker=share_threads(settings.workers),
            memory_limit_bytes=settings.memory_limit,
            device=settings.device,
        ) as pool:
            try:
                stopped_by = loop.explore(pool, conclusion.reserve)
                run.update(state="confirming")
                finalists = conclusion.choose(pool)
            except KeyboardInterrupt:
                if all(trial.score is None for trial in loop.trials):
                    raise  # there is no best so far
                stopped_by = "interrupt"
                for key in pool.pending:
                    pool.cancel(key)
                finalists = conclusion.choose(None)
                seconds = conclusion.final.usual_seconds([finalists[0]["candidate"], loop.default])
                loop.listener.note(
                    f"Stopping: the best so far gets its final training, which takes about {duration(seconds)}. Press "
                    f"Ctrl-C again to stop at once; archwise resume {run.folder} goes on with the search."
                )
            run.update(state="training")
            winner: Candidate = finalists[0]["candidate"]
            trained = conclusion.final.train(
                pool, list(dict.fromkeys([winner, loop.default])), hurry=stopped_by == "interrupt"
            )
        finals = {final.candidate: final for final in conclusion.final.test(trained)}
        write_answer(loop, conclusion, finalists, finals, stopped_by)
        write_report(run.folder)
    except BaseException:
        loop.experience.end_search(run["search"], "interrupted")
        raise
    ended: SearchState = "interrupted" if stopped_by == "interrupt" else "finished"
    loop.experience.end_search(run["search"], ended)
    run.update(state=ended, ends=[*run["ends"], time.time()])
    result = Result(run.folder, network)
    loop.listener.ended(result)
    return result


def joint_space(task: Task, settings: SearchSettings, network: Space | None) -> JointSpace:
    """Return the candidates: those of the given space of networks or the settings' one, within the user's limits."""
    network = network or ready_space(settings.space, task.signature)
    recipe = training_recipe(task.signature.kind, task.problem != "regression", task.imbalanced)
    network, recipe = limit_spaces([network, recipe], settings.fix, settings.exclude)
    return JointSpace(network, recipe, task.signature, settings.most_parameters, settings.most_flops)


def buildable_default(space: JointSpace) -> Candidate:
    """Return the default candidate, or one near it that can be built for the task and is within the limits.

    Raises:
        SpaceError: neither can any of them be built, nor any of many samples.
    """
    if space.allowed_default is not None:
        return space.allowed_default
    reason = space.network.check(space.default.architecture, space.signature) if space.signature else None
    if reason:
        fault, remedy = reason, "take another space"
    else:
        nearer = (space.shrunk(space.default, seed) for seed in range(NEARER))
        least = min(map(space.cost, nearer), key=lambda cost: cost.parameters)
        fault = f"the smallest that was found has {least.parameters:,} parameters and needs {least.flops:,} FLOPs"
        remedy = "allow more, or take another space"
    raise SpaceError(f"The space {space.network.name!r} holds no network for this task ({fault}): {remedy}.")


def task_record(task: Task) -> TaskRecord:
    """Return what the experience remembers of a task."""
    facts = task.fingerprint, task.name, task.problem, task.signature, task.objective, task.sizes
    return TaskRecord(*facts, describe_task(task), task.sketch)


def register(
    memory: Experience, task: Task, space: JointSpace, settings: SearchSettings, folder: Path, search: str | None = None
) -> str:
    """Tell the experience of a search, new or (with its id) going on, and return its id."""
    memory.add_task(task_record(task))
    for part in (space.network, space.recipe):
        memory.add_space(SpaceRecord(part.hash, part.name, part.describe()))
    record = SearchRecord(
        task=task.fingerprint,
        space=space.network.hash,
        recipe_space=space.recipe.hash,
        strategy=settings.strategy,
        seed=settings.seed,
        objective=settings.objective,
        settings=settings.to_json(),
        budget=settings.budget,
        run=str(folder.absolute()),
    )
    return memory.begin_search(replace(record, id=search) if search else record)
