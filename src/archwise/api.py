"""The functions that people call: search, resume and load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from archwise.answer import Conclusion
from archwise.checks import check_costs, check_numbers
from archwise.choosing import may_learn, strategy_of
from archwise.clock import LEAST_SHARE, Clock, spent_seconds
from archwise.errors import RunError, SpaceError
from archwise.evaluators.metrics import check_metric
from archwise.experience import Experience
from archwise.experience.known import open_known
from archwise.limits import Limits
from archwise.loop import Search
from archwise.meta.recall import past_tasks, recall, told
from archwise.model_file import check_layers
from archwise.progress import Listener
from archwise.ready import DEFAULT_COSTS, PARETO, check_strategy
from archwise.ready import READY as STRATEGIES
from archwise.rebuilding import rebuilt
from archwise.result import Result
from archwise.run import Run
from archwise.runtime.cores import default_workers
from archwise.runtime.devices import gpus, usable_device
from archwise.session import buildable_default, execute, joint_space, register, task_record
from archwise.settings import SearchSettings
from archwise.signature import Kind
from archwise.spaces.ready import READY, ready_space, suggested_space
from archwise.spaces.space import Space
from archwise.strategies.automatic import automatic
from archwise.strategies.strategy import Strategy
from archwise.tasks.load import make_task

DEFAULT_MINUTES = 5.0
"""The budget where neither time nor trials are given."""


def search(
    data: Any,
    target: str | None = None,
    *,
    minutes: float | None = None,
    trials: int | None = None,
    space: str | Space | None = None,
    strategy: str | Strategy | None = None,
    metric: str | None = None,
    minimise: Sequence[str] = (),
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
    max_params: float | None = None,
    max_flops: float | None = None,
    ignore: Sequence[str] = (),
    kind: Kind | None = None,
    problem: Literal["classification", "regression"] | None = None,
    leave_out_same_data: bool = False,
    listener: Listener | None = None,
) -> Result:
    """Find a network for data: search, choose, train in full, test once, export and explain.

    Args:
        data: name of a bundled set, a CSV or .npz file, a data frame, or (x, y) or (x_train, y_train, x_test, y_test)
            of arrays or tensors; see `make_task`.
        target: the column to predict, for tables with named columns.
        minutes: wall-clock budget for everything; 5 where `trials` is not given either.
        trials: how many trials the strategy may make; with one worker and no other limit, the same seed gives the
            same trials; where the strategy is chosen by itself, if the experience held the same when it began.
        space: a space of networks or a ready-made one's name (mlp, cnn, conv1d, cell, nasbench201); by kind of data if
            not given.
        strategy: a strategy, or a ready-made one's name; `archwise.ready.READY` has them. If not given or
            "auto", one is chosen by budget, objectives and experience, see `archwise.strategies.automatic`: as soon as
            the experience holds trials that say something about this space, it learns from these. Of those that are
            named, transfer and its like learn from the experience, the others begin from nothing.
        metric: the objective; accuracy (balanced_accuracy where classes are imbalanced) or rmse if not given.
        minimise: costs that are to be small beside a good metric: some of parameters, flops, latency_ms, memory_bytes
            and train_seconds (the last two as of training; times are measured, so such searches do not repeat
            themselves exactly). `Result.pareto` then has the trade-offs; the answer is still the network of the best
            metric.
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
        max_params: most parameters a network may have.
        max_flops: most FLOPs a network may need for one example (a multiply-add counts as two).
        ignore: columns to leave out.
        kind, problem: what the data is, where it would be recognised wrongly; see `make_task`.
        leave_out_same_data: show the search nothing of past tasks that hold some of the same data, under whatever name,
            nor of those of which nobody can tell. For judging what is learnt from other data; in use, what is known of
            the same data is welcome, and said.
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
    limits |= {"max_params": max_params, "max_flops": max_flops}
    check_numbers(seed, workers, minutes=minutes, trials=trials, **limits)
    clock = Clock(minutes)
    minimise = check_costs(minimise)
    why = "given by the caller"
    if isinstance(strategy, str) and strategy != "auto":
        check_strategy(strategy)
        why = STRATEGIES[strategy]
    if isinstance(strategy, str) and strategy in PARETO:
        minimise = minimise or DEFAULT_COSTS
    if isinstance(space, str):
        ready_space(space)
    elif space is not None and space.name in READY:
        raise SpaceError(f"The space is called {space.name!r} like a ready-made one: give it another name.")
    network = space if isinstance(space, Space) else None
    with Experience(experience) as memory:
        with Run.reserve(run, _name_of(data)) as folder:
            options: dict[str, Any] = {"kind": kind, "problem": problem, "ignore": ignore, "seed": seed}
            task = make_task(data, target, folder=folder / "task", **options)
            device = usable_device(device)
            settings = SearchSettings(
                minutes=minutes,
                trials=trials,
                strategy=strategy or "auto" if isinstance(strategy, str | None) else type(strategy).__name__,
                space=space.name if isinstance(space, Space) else space or suggested_space(task.signature),
                objective=metric or task.objective,
                seed=seed,
                workers=workers or default_workers(gpus(device)),
                device=device,
                epochs=epochs,
                most_parameters=max_params,
                most_flops=max_flops,
                fix=dict(fix or {}),
                exclude=dict(exclude or {}),
                memory_limit=None if memory_gb is None else int(memory_gb * 2**30),
                trial_seconds=None if trial_minutes is None else 60 * trial_minutes,
                minimise=minimise,
            )
            check_metric(settings.objective, task.problem)
            joint = joint_space(task, settings, network)
            default = buildable_default(joint)
            check_layers(joint, task)
            learns = may_learn(strategy, minimise)
            recalled = recall(memory, task_record(task), joint, rebuilt, leave_out_same_data) if learns else []
            known = told(recalled)
            if leave_out_same_data and not learns:
                known.append("no past task had to be left out for holding the same data, as this search is shown none")
            past = past_tasks(memory, recalled, joint, rebuilt)
            if strategy in (None, "auto"):
                strategy, why = automatic(trials, minimise, bool(past))
                settings = replace(settings, strategy=strategy)
            chosen = (
                strategy_of(strategy, trials, settings, joint, task, past, memory.surrogates)
                if isinstance(strategy, str)
                else strategy
            )
            search_id = register(memory, task, joint, settings, folder)
            facts = {
                "name": task.name,
                "strategy": {"name": settings.strategy, "why": "; ".join([why, *known])},
                "recalled": recalled,
                "leave_out_same_data": leave_out_same_data,
                "recipe_space": joint.recipe.name,
                "epochs_given": epochs is not None,
            }
            try:
                state = Run.create(folder, settings, search_id, _location(experience, memory), facts)
            except BaseException:
                memory.end_search(search_id, "interrupted")
                raise
        loop = Search(state, task, joint, default, chosen, memory, clock, listener)
        return execute(loop, network, known)


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
        minutes: minutes from now, on top of what was spent; if not given, what is left of the budget.
        trials: trials in all, those done included; if not given, as before. A finished search is limited by what is
            given here alone.
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
    with open_known(state["experience"]) as memory:
        known = memory.trials(state["search"])
        finished = state["state"] == "finished"
        done = sum(trial.purpose == "search" for trial in known)
        if finished and minutes is None and (trials is None or trials <= done):
            raise RunError(f"The run {run} is finished with {done} trials: give it more with --minutes or --trials.")
        spent = spent_seconds(state["sessions"], state["ends"], known)
        if minutes is not None:
            settings = replace(settings, minutes=minutes + spent / 60, trials=trials if finished else settings.trials)
        if trials is not None:
            settings = replace(settings, trials=trials, minutes=None if finished and not minutes else settings.minutes)
        if minutes is None and settings.minutes is not None:
            spent = min(spent, (1 - LEAST_SHARE) * 60 * settings.minutes)
        settings = replace(settings, workers=workers or settings.workers)
        before = state["settings"]
        state.update(settings=settings.to_json())
        try:
            task = state.task
            joint = joint_space(task, settings, space)
            record = memory.search(state["search"])
            if (joint.network.hash, joint.recipe.hash) != (record.space, record.recipe_space):
                raise RunError(
                    f"The space {joint.network.name!r} is not the one that the run {run} began with: give that one."
                )
            past = past_tasks(memory, state["recalled"], joint, rebuilt)
            chosen = strategy or strategy_of(
                settings.strategy, state["first_trials"], settings, joint, task, past, memory.surrogates
            )
            clock = Clock(settings.minutes, spent)
            loop = Search(state, task, joint, buildable_default(joint), chosen, memory, clock, listener or Listener())
            needed = Conclusion(loop).reserve()
            if finished and clock.left < needed:
                raise RunError(
                    f"Ending this search again takes about {needed / 60:.1f} minutes: give it more with --minutes."
                )
        except BaseException:
            state.update(settings=before)
            raise
        register(memory, task, joint, settings, state.folder, state["search"])
        return execute(loop, space)


def load(run: str | Path, space: Space | None = None) -> Result:
    """Read the result of a finished search.

    Args:
        run: the run folder.
        space: the space of networks, where it is one's own.

    Raises:
        RunError: the folder is no run, or the search has not ended.
    """
    return Result(run, space)


def _location(given: str | Path | None, memory: Experience) -> str:
    """Return where the experience is, with a path that holds from any working folder."""
    return str(given) if "://" in memory.location else memory.location


def _name_of(data: Any) -> str:
    return Path(str(data)).name.split(".")[0] or "data" if isinstance(data, str | Path) else "data"
