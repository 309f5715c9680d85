"""What past tasks were worth to a search: who was believed, how that changed, and what it saved."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from archwise.report.markup import Html, tag
from archwise.report.record import RunRecord
from archwise.report.words import count, exact, percent

_BANDS = 6
"""Past tasks that have a band of their own in the picture."""
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 640, 220, 52, 44, 8, 12
_NAMED = 3
"""Past tasks that a sentence names."""


def past_tasks(run: RunRecord) -> Html | None:
    """Return the section on what past tasks were worth; None where the search knew none, or was made before."""
    told = run.metrics.get("transfer")
    if not told:
        return None
    words = [tag("p", text) for text in (belief_words(told), _origin_words(told), saving_words(told)) if text]
    if not told["tasks"]:
        return tag("section", tag("h2", "What past tasks were worth"), words)
    return tag(
        "section",
        tag("h2", "What past tasks were worth"),
        words,
        _picture(told),
        tag("div", _table(run, told), class_="scroll"),
        tag("p", _notes(told), class_="note"),
    )


def belief_words(told: Mapping[str, Any]) -> str:
    """Return in a sentence or two how far past tasks were believed at the end.

    Args:
        told: the account of a search, as `meta.account` gives it.

    Example:
        >>> iris = {"name": "iris", "share": [1.0, 0.75]}
        >>> facts = {"tasks": [iris], "others": {"count": 0}, "none": [0.0, 0.25], "unused": []}
        >>> belief_words(facts).replace("\N{NO-BREAK SPACE}", " ")
        'At the end, 75 % of what the model expected of architectures rested on past tasks (iris 75 %), the rest on ...'
    """
    tasks, unused = told["tasks"], told["unused"]
    if not tasks:
        why = "too few trials, or scores that follow nothing in the architectures"
        return f"No past task said anything reliable about this space ({_listed(unused)}: {why})."
    if any(told.get("aside", [])[-1:]):  # versions before kept no such list
        return "At the end, past tasks were left aside, as this search's scores were far likelier without them."
    named = ", ".join(f"{task['name']} {_part(task['share'][-1])}" for task in tasks[:_NAMED])
    more = len(tasks) + told["others"]["count"] - _NAMED
    named += f" and {count(more, 'other')}" if more > 0 else ""
    text = f"At the end, {_part(1 - told['none'][-1])} of what the model expected of architectures rested on past tasks"
    text += f" ({named}), the rest on the trials of this search."
    return f"{text} Nothing reliable came from {_listed(unused)}." if unused else text


def saving_words(told: Mapping[str, Any]) -> str:
    """Return in a sentence what transfer is estimated to have saved; empty where no past task was believed.

    Args:
        told: the account of a search, as `meta.account` gives it.

    Example:
        >>> saving_words({"saving": {"found_after": 6, "needed": [20, 31, None], "most": 100}})
        'Estimate: a search from scratch would have needed 31 trials (between 20 and more than 100 in 3 simulations)...'
    """
    saving = told.get("saving")
    if saving is None:
        return ""
    if "reason" in saving:
        return f"What past tasks saved could not be estimated: {saving['reason']}."
    most, found = saving["most"], saving["found_after"]
    needed = sorted(most + 1 if amount is None else amount for amount in saving["needed"])
    middle = statistics.median_low(needed)

    def said(amount: int) -> str:
        return f"more than {most}" if amount > most else str(amount)

    simulations = count(len(needed), "simulation")
    spread = f"in each of {simulations}" if needed[0] == needed[-1] else ""
    spread = spread or f"between {said(needed[0])} and {said(needed[-1])} in {simulations}"
    spread = f"in {simulations}" if len(needed) == 1 else spread
    text = f"Estimate: a search from scratch would have needed {said(middle)} {'trial' if middle == 1 else 'trials'} "
    text += f"({spread}) to find what this one found after {found}"
    if middle <= found:
        return f"{text}, so past tasks seem to have saved nothing."
    if needed[0] <= found:
        return f"{text}; as some needed no more, the saving is uncertain."
    return f"{text}."


def _origin_words(told: Mapping[str, Any]) -> str:
    names = {"from scratch": "the search from scratch beside it", "the default": "the space's default"}
    parts = []
    for who, amounts in told["origins"].items():
        better = amounts["improvements"]
        part = f"{count(amounts['proposals'], 'candidate')} came from {names.get(who, who)}"
        parts.append(part + (f" ({better} better than all before)" if better else ""))
    text = ", ".join(parts)
    text = f"Of this search, {text}."
    left = told.get("left_aside")  # versions before kept no such count
    if left:
        text += f" Past tasks were left aside for {count(left, 'candidate')}, as scores were far likelier without them."
    guard = told.get("guard")
    if guard:
        text += f" The guard gives transfer {_part(guard[-1])} of the candidates that would come next"
        text += f", after {_part(guard[0])} at the start." if guard[0] != guard[-1] else ", as at the start."
    if told["fidelity"] < 0.999:
        text += f" Counted are the {told['trials']} candidates that began with {percent(told['fidelity'])} of a full "
        text += "training, whose scores can be compared."
    return text


def _notes(told: Mapping[str, Any]) -> str:
    text = (
        "Weights multiply what the surrogate of each past task predicts, and are learnt from this search's trials; a "
        "negative one means that the opposite proved right. Reliability is the rank correlation of a past task's own "
        "scores with what its surrogate predicts of them, each left out in turn. The estimate simulates searches "
        "without experience on the model of this task; it is no measurement."
    )
    others = told["others"]["count"]
    return f"{text} {count(others, 'past task')} believed less are not listed." if others else text


def _table(run: RunRecord, told: Mapping[str, Any]) -> Html:
    same: dict[str, float] = {}
    for entry in run.search.get("recalled", []):
        name = entry.get("label", entry["task"])
        same[name] = max(same.get(name, 0.0), entry.get("same_data", 0.0))
    titles = ["Past task", "Trials", "Reliability", "Belief at first", "At the end", "Weight at first", "At the end"]
    titles += ["Said most for", *(["Same data"] if any(same.values()) else [])]
    rows = []
    for task in told["tasks"]:
        weight, share = task["weight"], task["share"]
        cells = [
            exact(task["trials"], str(task["trials"])),
            exact(task["reliability"], f"{task['reliability']:.2f}"),
            *(exact(value, _part(value)) for value in (share[0], share[-1])),
            exact(weight[0], _number(weight[0])),
            [exact(weight[-1], _number(weight[-1])), f" ± {task['deviation'][-1]:.2f}"],
            count(task["proposed"], "candidate"),
        ]
        if any(same.values()):
            cells.append(_part(same.get(task["name"], 0.0)))
        rows.append(tag("tr", tag("th", task["name"]), [tag("td", cell) for cell in cells]))
    head = tag("thead", tag("tr", [tag("th", title) for title in titles]))
    return tag("table", head, tag("tbody", rows), class_="figures")


def _picture(told: Mapping[str, Any]) -> Html:
    """Bands of belief over the trials: the most believed past tasks, all others, and none of them."""
    after, tasks = told["after"], told["tasks"]
    bands: list[tuple[str, str, Sequence[float]]] = [
        (task["name"], f"task{place}", task["share"]) for place, task in enumerate(tasks[:_BANDS])
    ]
    rest = [task["share"] for task in tasks[_BANDS:]] + ([told["others"]["share"]] if told["others"]["count"] else [])
    if rest:
        bands.append(("other past tasks", "task-rest", [sum(values) for values in zip(*rest, strict=True)]))
    bands.append(("the trials of this search", "task-none", told["none"]))
    edges = list(accumulate(([*shares] for _, _, shares in bands), _add, initial=[0.0] * len(after)))
    paths = [
        tag("path", d=_band(after, low, high), class_=style)
        for (_, style, _), low, high in zip(bands, edges, edges[1:], strict=False)
    ]
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    sides = [
        tag("text", _part(value), x=_LEFT - 8, y=f"{_height(value) + 4:.1f}", class_="end") for value in (0, 0.5, 1)
    ]
    marks = [
        tag("text", place, x=f"{_along(after, place):.1f}", y=bottom + 17, class_="middle") for place in _apart(after)
    ]
    label = tag("text", "trials of this search", x=(_LEFT + right) / 2, y=_HEIGHT - 6, class_="middle")
    title = "What part of the model's expectations rested on which past task, over the trials."
    svg = tag("svg", paths, sides, marks, label, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", aria_label=title)
    keys = [tag("span", tag("i", class_=f"key {style}"), name) for name, style, _ in bands]
    return tag("figure", svg, tag("div", keys, class_="legend"), class_="belief")


def _add(first: Sequence[float], second: Sequence[float]) -> list[float]:
    return [a + b for a, b in zip(first, second, strict=True)]


def _band(after: Sequence[int], low: Sequence[float], high: Sequence[float]) -> str:
    there = [f"{_along(after, place):.1f} {_height(value):.1f}" for place, value in zip(after, high, strict=True)]
    back = [f"{_along(after, place):.1f} {_height(value):.1f}" for place, value in zip(after, low, strict=True)]
    return f"M{'L'.join([*there, *reversed(back)])}Z"


def _along(after: Sequence[int], place: int) -> float:
    return _LEFT + place / max(1, after[-1]) * (_WIDTH - _RIGHT - _LEFT)


def _height(share: float) -> float:
    bottom = _HEIGHT - _BOTTOM
    return bottom - min(1.0, max(0.0, share)) * (bottom - _TOP)


def _apart(after: Sequence[int]) -> list[int]:
    """Numbers of trials whose labels do not touch, the last one among them."""
    kept = [after[-1]]
    for place in reversed(after[:-1]):
        if _along(after, kept[-1]) - _along(after, place) > 36:
            kept.append(place)
    return kept


def _part(share: float) -> str:
    """A share without decimals, and nothing that sounds like nothing where there is something."""
    text = f"{100 * share:.0f}"
    return f"{'under 1' if text == '0' and share > 0 else text.removeprefix('-')}\N{NO-BREAK SPACE}%"


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
