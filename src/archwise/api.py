"""The functions that people call: search, resume and load."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from archwise.answer import Conclusion, Final
from archwise.checks import check_numbers
from archwise.clock import Clock, spent_seconds
from archwise.errors import RunError, SpaceError
from archwise.evaluators.metrics import METRICS, check_metric
from archwise.evaluators.recipe import training_recipe
from archwise.experience import Experience, SearchRecord, SpaceRecord, TaskRecord
from archwise.experience.versions import hardware, versions
from archwise.export import architecture_record, model_source, write_trials
from archwise.limits import Limits, limit_spaces
from archwise.progress import Listener
from archwise.report import write_report
from archwise.result import Result
from archwise.run import Run
from archwise.runtime.cores import default_workers, share_threads
from archwise.runtime.pool import WorkerPool
from archwise.loop import Search
from archwise.settings import SearchSettings
from archwise.signature import Kind
from archwise.spaces.architecture import Candidate
from archwise.spaces.joint import JointSpace
from archwise.spaces.ready import READY, ready_space, suggested_space
from archwise.spaces.space import Space
from archwise.strategies.ready import READY as STRATEGIES
from archwise.strategies.ready import ready_strategy
from archwise.strategies.strategy import Strategy
from archwise.tasks.load import make_task
from archwise.tasks.task import Task

if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT_MINUTES = 5.0
"""The budget where neither time nor trials are given."""
DEFAULT_STRATEGY = "halving-evolution"


def search(
    data: Any,
    target: str | None = None,
    *,
    minutes: float | None = None,
    trials: int | None = None,
    space: str | Space | None = None,
    strategy: str | Strategy = DEFAULT_STRATEGY,
    metric: str | None = None,
    seed: int = 0,
    workers: int | None = None,
    device: str | None = None,
    run: str | Path | None = None,
    experience: str | Path | None = None,
    fix: Limits | None = None,
    exclude: Limits | None = None,
    epochs: float | None = None,
    memory_gb: float | None = None,
    trial_minutes: float | None = None,
    ignore: Sequence[str] = (),
    kind: Kind | None = None,
    problem: Literal["classification", "regression"] | None = None,
    listener: Listener | None = None,
) -> Result:
    """Find a network for data: search, choose, train in full, test once, export and explain.

    Args:
        data: name of a bundled set, a CSV or .npz file, a data frame, or (x, y) or (x_train, y_train, x_test, y_test)
            of arrays or tensors; see `make_task`.
        target: the column to predict, for tables with named columns.
        minutes: wall-clock budget for everything; 5 where `trials` is not given either.
        trials: how many trials the strategy may make; with one worker and no other limit, the same seed gives the
            same trials.
        space: a space of networks or a ready-made one's name (mlp, cnn, conv1d, cell, nasbench201); by kind of data if
            not given.
        strategy: a strategy, or a ready-made one's name: random, evolution, halving-random, halving-evolution.
        metric: the objective; accuracy (balanced_accuracy where classes are imbalanced) or rmse if not given.
        seed: everything random derives from it.
        workers: worker processes; as many as there are cores if not given.
        device: "cpu" or "cuda"; "cuda" where there is one if not given.
        run: the run folder; `runs/NAME-DATE-TIME` if not given.
        experience: file or URL of the experience; a file in the user's data folder if not given.
        fix: path, name or pattern of choices -> the option or options that stay open.
        exclude: path, name or pattern of choices -> option or options to leave out.
        epochs: passes over the training split of a full training; chosen by size and time if not given.
        memory_gb: resident memory a worker may hold, in GiB.
        trial_minutes: minutes a trial may take.
        ignore: columns to leave out.
        kind, problem: what the data is, where it would be recognised wrongly; see `make_task`.
        listener: hears of progress.

    Returns:
        The result; it can be read again with `load(result.run)`.

    Raises:
        ArchwiseError: something the user can mend; the text says what and how.

    Example:
        >>> import tempfile, archwise
        >>> folder = tempfile.TemporaryDirectory()
        >>> result = archwise.search("iris", trials=3, epochs=20, workers=1, run=f"{folder.name}/run",
        ...                          experience=f"{folder.name}/experience.sqlite")
        >>> len(result.trials.query("purpose == 'search'")), result.test["accuracy"] > 0.6
        (3, True)
        >>> folder.cleanup()
    """
    listener = listener or Listener()
    if minutes is None and trials is None:
        minutes = DEFAULT_MINUTES
    limits = {"epochs": epochs, "memory_gb": memory_gb, "trial_minutes": trial_minutes}
    check_numbers(seed, workers, minutes=minutes, trials=trials, **limits)
    clock = Clock(minutes)
    chosen = ready_strategy(strategy) if isinstance(strategy, str) else strategy
    network = ready_space(space) if isinstance(space, str) else space
    with Experience(experience) as memory:
        folder = Run.reserve(run, _name_of(data))
        try:
            options: dict[str, Any] = {"kind": kind, "problem": problem, "ignore": ignore, "seed": seed}
            task = make_task(data, target, folder=folder / "task", **options)
            device = _usable_device(device)
            settings = SearchSettings(
                minutes=minutes,
                trials=trials,
                strategy=strategy if isinstance(strategy, str) else type(strategy).__name__,
                space=network.name if network else suggested_space(task.signature).name,
                objective=metric or task.objective,
                seed=seed,
                workers=workers or default_workers(_gpus(device)),
                device=device,
                epochs=epochs,
                fix=dict(fix or {}),
                exclude=dict(exclude or {}),
                memory_limit=None if memory_gb is None else int(memory_gb * 2**30),
                trial_seconds=None if trial_minutes is None else 60 * trial_minutes,
            )
            check_metric(settings.objective, task.problem)
            joint = _joint_space(task, settings, network)
            default = _buildable_default(joint)
            model_source(joint, default, task)
            search_id = _register(memory, task, joint, settings, folder)
            facts = {"name": task.name, "strategy": _strategy_facts(settings), "recipe_space": joint.recipe.name}
            state = Run.create(folder, settings, search_id, _location(experience, memory), facts)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        loop = Search(state, task, joint, default, chosen, memory, clock, listener)
        return _execute(loop, network)


def resume(
    run: str | Path,
    *,
    minutes: float | None = None,
    trials: int | None = None,
    workers: int | None = None,
    space: Space | None = None,
    strategy: Strategy | None = None,
    listener: Listener | None = None,
) -> Result:
    """Carry on a search that was stopped, however it was stopped, or give a finished one more budget.

    Args:
        run: the run folder.
        minutes: minutes from now; what is left of the first budget if not given.
        trials: trials in all, those done included; the first number if not given.
        workers: worker processes; as before if not given.
        space: the space of networks, where it is one's own.
        strategy: the strategy, where it is one's own.
        listener: hears of progress.

    Raises:
        ArchwiseError: something the user can mend; the text says what and how.
    """
    check_numbers(workers=workers, minutes=minutes, trials=trials)
    state = Run.open(run)
    settings = state.settings
    if space is None and settings.space not in READY:
        raise RunError(f"The run {run} has a space of its own, {settings.space!r}: resume it in Python with space=...")
    if strategy is None and settings.strategy not in STRATEGIES:
        raise RunError(f"The run {run} has a strategy of its own, {settings.strategy!r}: give it as strategy=...")
    with Experience(state["experience"]) as memory:
        known = memory.trials(state["search"])
        finished = state["state"] == "finished"
        done = sum(trial.purpose == "search" for trial in known)
        if finished and minutes is None and (trials is None or trials <= done):
            raise RunError(f"The run {run} is finished with {done} trials: give it more with --minutes or --trials.")
        spent = 0.0 if minutes is not None else spent_seconds(state["sessions"], known)
        if minutes is not None or trials is not None:
            settings = replace(settings, minutes=minutes, trials=trials if trials is not None else None)
        settings = replace(settings, workers=workers or settings.workers)
        state.update(settings=settings.to_json())
        task = state.task
        joint = _joint_space(task, settings, space)
        _register(memory, task, joint, settings, state.folder, state["search"])
        chosen = strategy or ready_strategy(settings.strategy)
        clock = Clock(settings.minutes, spent)
        loop = Search(state, task, joint, _buildable_default(joint), chosen, memory, clock, listener or Listener())
        return _execute(loop, space)


def load(run: str | Path, space: Space | None = None) -> Result:
    """Read the result of a finished search.

    Args:
        run: the run folder.
        space: the space of networks, where it is one's own.

    Raises:
        RunError: the folder is no run, or the search has not ended.
    """
    return Result(run, space)


def _execute(loop: Search, network: Space | None) -> Result:
    """Explore, conclude, and write the answer down."""
    run, settings = loop.run, loop.settings
    run.update(sessions=[*run["sessions"], loop.clock.begun], state="searching")
    loop.listener.began(run, loop.task, loop.trials)
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
                loop.listener.note(
                    "Stopping: the best so far gets its final training. Press Ctrl-C again to stop at once; "
                    f"archwise resume {run.folder} goes on with the search."
                )
                for key in pool.pending:
                    pool.cancel(key)
                finalists = conclusion.choose(None)
            run.update(state="training")
            winner: Candidate = finalists[0]["candidate"]
            trained = conclusion.train(pool, list(dict.fromkeys([winner, loop.default])))
    except BaseException:
        loop.experience.end_search(run["search"], "interrupted")
        raise
    finals = {final.candidate: final for final in conclusion.test(trained)}
    _write_answer(loop, conclusion, finalists, finals, stopped_by)
    loop.experience.end_search(run["search"], "interrupted" if stopped_by == "interrupt" else "finished")
    run.update(state="interrupted" if stopped_by == "interrupt" else "finished")
    write_report(run.folder)
    result = Result(run.folder, network)
    loop.listener.ended(result)
    return result


def _write_answer(
    loop: Search,
    conclusion: Conclusion,
    finalists: list[dict[str, Any]],
    finals: dict[Candidate, Final],
    stopped_by: str,
) -> None:
    run, task, settings = loop.run, loop.task, loop.settings
    winner, default = finals[finalists[0]["candidate"]], finals[loop.default]
    validation, spread = conclusion.validation(winner.candidate)
    every = [*loop.trials, *loop.confirmations]
    for name in ("preprocessing.json", "preprocessing.npz"):
        run.write(name, (task.folder / name).read_bytes())
    run.write("model.safetensors", winner.weights.read_bytes())
    for final in finals.values():
        final.weights.unlink(missing_ok=True)
    run.write("model.py", model_source(loop.space, winner.candidate, task))
    record = architecture_record(loop.space, winner.candidate, loop.default, task.signature)
    run.write_json("architecture.json", record)
    write_trials(run, loop.space, every)
    statuses = [trial.outcome.status for trial in loop.trials]
    facts = {name: getattr(task, name) for name in ("name", "problem", "sizes", "imbalanced")}
    spent = spent_seconds(run["sessions"][:-1], every)
    metrics = {
        "run": str(run.folder),
        "task": facts
        | {"classes": list(task.classes), "notes": list(task.notes), "signature": task.signature.to_json()},
        "objective": settings.objective,
        "higher_is_better": METRICS[settings.objective].higher_is_better,
        "architecture": record["architecture"],
        "recipe": record["recipe"],
        "settings": record["settings"],
        "validation": validation,
        "validation_spread": spread,
        "test": dict(winner.test),
        "default": {
            "architecture": default.candidate.architecture.to_json(),
            "recipe": default.candidate.recipe.to_json(),
            "validation": _validation_of(conclusion, default.candidate),
            "test": dict(default.test),
            "is_winner": winner is default,
            **_costs(default),
        },
        "finalists": [{k: v for k, v in row.items() if k != "candidate"} for row in finalists],
        "trials": {name: statuses.count(name) for name in ("finished", "failed", "pruned")},
        **_costs(winner),
        "seconds": round(spent + loop.clock.seconds, 3),
        "seed": settings.seed,
        "seeds": {"confirm": sorted({t.seed for t in loop.confirmations}), "final": conclusion.seed},
        "versions": versions(),
        "hardware": hardware(),
        "strategy": run["strategy"],
        "budget": settings.budget,
        "epochs": settings.epochs,
        "test_openings": run["test_openings"],
        "stopped_by": stopped_by,
    }
    run.write_json("metrics.json", metrics)
    run.forget_checkpoints()


def _validation_of(conclusion: Conclusion, candidate: Candidate) -> dict[str, float]:
    known = [t for t in conclusion.search.trials if t.candidate == candidate and t.score is not None]
    return conclusion.validation(candidate)[0] if known else {}


def _costs(final: Final) -> dict[str, Any]:
    names = ("parameters", "flops", "latency_ms", "memory_bytes", "train_seconds")
    return {name: final.outcome.costs.get(name) for name in names}


def _joint_space(task: Task, settings: SearchSettings, network: Space | None) -> JointSpace:
    network = network or ready_space(settings.space)
    recipe = training_recipe(task.signature.kind, task.problem != "regression", task.imbalanced)
    network, recipe = limit_spaces([network, recipe], settings.fix, settings.exclude)
    return JointSpace(network, recipe, task.signature)


def _buildable_default(space: JointSpace) -> Candidate:
    """Return the default candidate, or the first neighbour of it that can be built for the task.

    Raises:
        SpaceError: neither can any of them be built, nor any of many samples.
    """
    samples: Iterable[Candidate] = (space.sample(i) for i in range(1000))
    for candidates in ([space.default], space.neighbours(space.default), samples):
        for candidate in candidates:
            if space.allows(candidate):
                return candidate
    reason = space.network.check(space.default.architecture, space.signature) if space.signature else ""
    raise SpaceError(f"The space {space.network.name!r} holds no network for this task: {reason}")


def _register(
    memory: Experience, task: Task, space: JointSpace, settings: SearchSettings, folder: Path, search: str | None = None
) -> str:
    sizes = task.sizes
    memory.add_task(TaskRecord(task.fingerprint, task.name, task.problem, task.signature, task.objective, sizes))
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


def _strategy_facts(settings: SearchSettings) -> dict[str, str]:
    return {"name": settings.strategy, "why": STRATEGIES.get(settings.strategy, "given by the caller")}


def _location(given: str | Path | None, memory: Experience) -> str:
    """Return where the experience is, with a path that holds from any working folder."""
    text = str(given) if given is not None else memory.location
    return text if "://" in text else str(Path(text).absolute())


def _name_of(data: Any) -> str:
    return Path(str(data)).name.split(".")[0] or "data" if isinstance(data, str | Path) else "data"


def _gpus(device: str) -> int:
    if device != "cuda":
        return 0
    import torch

    return torch.cuda.device_count()


def _usable_device(given: str | None) -> str:
    import torch

    usable = ["cuda", "cpu"] if torch.cuda.is_available() else ["cpu"]
    if given is not None and given not in usable:
        raise RunError(
            f"The device {given!r} cannot be used: PyTorch sees {' and '.join(usable)} here; take one of these."
        )
    return given or usable[0]
