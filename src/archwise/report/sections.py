"""The sections that are tables and lists: recipe, finalists, the task, how it was chosen, how to do it again."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from typing import Any

from archwise.report.markup import Html, tag
from archwise.report.network import network_picture
from archwise.report.record import RunRecord
from archwise.report.words import (
    MISSING,
    count,
    duration,
    exact,
    large,
    metric_value,
    percent,
    plain,
)


def network(run: RunRecord) -> Html:
    """Return the section with the picture of the network, the choices behind it, and the default's picture."""
    record, image = run.architecture, run.architecture["signature"]["kind"] == "image"
    default = run.metrics["default"]
    shape = plain(record["signature"]["input"])
    outputs = count(record["signature"]["outputs"], "output")
    vertices = record["graph"]["vertices"]
    intro = (
        f"Data flow from the top down: an input of {shape} becomes {outputs}. What only follows a layer, such as its "
    )
    intro += "normalisation and activation, stands in the layer's box; a frame marked × n comes n times in a row."
    if any(vertex["kind"] == "weights" for vertex in vertices):
        intro += " Layers with the same letter after “weights” share them."
    rows = [
        tag("tr", tag("th", path), tag("td", plain(label)), tag("td", plain(default["architecture"].get(path))))
        for path, label in record["architecture"].items()
    ]
    more = []
    if not default["is_winner"]:
        picture = network_picture(record["default_graph"]["vertices"], "The default network", image)
        more.append(tag("details", tag("summary", "The default network, for comparison"), picture))
    head = tag("tr", tag("th", "Choice"), tag("th", "Found"), tag("th", "Default"))
    choices = tag("table", tag("thead", head), tag("tbody", rows), class_="plain")
    more.append(tag("details", tag("summary", f"The {count(len(rows), 'choice')} behind it"), choices))
    return tag(
        "section",
        tag("h2", "The network"),
        tag("p", intro),
        network_picture(vertices, "The found network", image),
        more,
    )


def recipe(run: RunRecord) -> Html:
    """Return the section on the training recipe."""
    default = {path.rsplit("/", 1)[-1]: label for path, label in run.metrics["default"]["recipe"].items()}
    rows = [
        tag("tr", tag("th", key.replace("_", " ")), tag("td", plain(value)), tag("td", plain(default.get(key))))
        for key, value in run.metrics["settings"].items()
    ]
    head = tag("tr", tag("th", ""), tag("th", "Found"), tag("th", "Default"))
    table = tag("table", tag("thead", head), tag("tbody", rows), class_="figures")
    fixed = any(key not in default for key in run.metrics["settings"])
    note = tag("p", f"{MISSING} stands for what is no choice: it is the same for all.", class_="note")
    epochs = run.setting("epochs")
    text = "How the network is trained, searched together with it."
    if epochs:
        text += f" A full training is {count(round(epochs), 'pass', 'passes')} over the training split."
    return tag("section", tag("h2", "The recipe"), tag("p", text), table, note if fixed else None)


def finalists(run: RunRecord) -> Html:
    """Return the table of the finalists, with their scores for each fresh seed."""
    rows = run.metrics["finalists"]
    values = [run.natural(score) for row in rows for score in [*row["scores"], row["search_score"]]]
    known = [value for value in values if value is not None]
    span = (min(known), max(known)) if known else (0.0, 1.0)
    body = [
        tag(
            "tr",
            tag("th", f"Trial {row['trial']}", tag("b", " chosen") if row["chosen"] else None),
            tag("td", metric_value(run.objective, run.natural(row["search_score"])), _extent(run, row["trial"])),
            tag("td", _strip([run.natural(s) for s in row["scores"]], _mean(run, row), span), class_="strip"),
            tag("td", [[metric_value(run.objective, run.natural(s)), " "] for s in row["scores"]] or MISSING),
            tag("td", MISSING if _mean(run, row) is None else metric_value(run.objective, _mean(run, row))),
            tag("td", exact(row["parameters"], large(row["parameters"]))),
            class_="objective" if row["chosen"] else None,
        )
        for row in rows
    ]
    titles = ("", "In the search", "", "With fresh seeds", "Mean", "Parameters")
    text = (
        "The best of the search were trained again with seeds that the search never used, because the best of many "
        f"is partly the luckiest. The best mean of {run.objective_name} on the validation split decided, over the "
        "seeds that all share; one that failed with a fresh seed is out."
    )
    if not run.deciding_seeds:
        text = "There was no fresh seed with which all were evaluated: what was best in the search is the answer."
    table = tag("table", tag("thead", tag("tr", [tag("th", t) for t in titles])), tag("tbody", body), class_="figures")
    return tag("section", tag("h2", "The finalists"), tag("p", text), tag("div", table, class_="scroll"))


def task(run: RunRecord) -> Html:
    """Return the section on the data."""
    facts = run.metrics["task"]
    sizes = facts["sizes"]
    signature = facts["signature"]
    rows: list[tuple[str, Any]] = [
        ("Problem", facts["problem"] + (", imbalanced" if facts["imbalanced"] else "")),
        ("Data", f"{signature['kind']}, {plain(signature['input'])}"),
        ("Training, validation, test", " / ".join(f"{sizes[s]:,}" for s in ("train", "validation", "test"))),
        ("Objective", f"{run.objective_name}, {'higher' if run.higher_is_better else 'lower'} is better"),
    ]
    classes = [str(label) for label in facts["classes"]]
    if classes:
        shown = ", ".join(classes[:30]) + (f" and {len(classes) - 30} more" if len(classes) > 30 else "")
        rows.append((f"{len(classes)} classes", shown))
    notes = [tag("ul", [tag("li", note) for note in facts["notes"]])] if facts["notes"] else None
    return tag("section", tag("h2", "The task"), _facts(rows), notes)


def method(run: RunRecord) -> Html:
    """Return the section on how the network was chosen, and what was sealed."""
    metrics = run.metrics
    strategy, openings = metrics["strategy"], metrics["test_openings"]
    budget = " and ".join(count(value, key.removesuffix("s")) for key, value in metrics["budget"].items()) or "none"
    reasons = {
        "budget": "its time was spent",
        "trials": "its trials were made",
        "exhausted": "every network of the space had been tried",
        "interrupt": "it was interrupted",
    }
    final = metrics["final"]
    ended = reasons.get(metrics["stopped_by"], metrics["stopped_by"])
    opened = "once" if openings == 1 else f"{openings} times, as the search was continued or its end interrupted"
    both = _trained(final)
    if metrics["default"]["final"] and not metrics["default"]["is_winner"]:
        both = f"{both} for the winner, {_trained(metrics['default']['final'])} for the default"
    steps = [
        f"Strategy: {strategy['name']} ({strategy['why']}). Budget: {budget}. The search ended because {ended}.",
        f"Every trial was trained on the training split and scored by {run.objective_name} on the validation split. "
        "Nothing else chose.",
        f"The winner was decided by {metrics.get('decided_by') or 'the mean over fresh seeds'}.",
        "The winner and the default network then got the same final training, on training and validation split, cut "
        f"for one that was at its best early: {both}.",
        f"The test split was sealed until then, and was opened {opened}, for the winner and the default alone; it "
        "chose nothing.",
    ]
    return tag("section", tag("h2", "How it was chosen"), tag("ol", [tag("li", step) for step in steps]))


def _trained(final: dict[str, Any]) -> str:
    return f"{final['epochs']:.3g} passes ({final['steps']:,.0f} steps)"


def again(run: RunRecord) -> Html:
    """Return the section with seeds, versions, hardware and the commands."""
    metrics = run.metrics
    folder = shlex.quote(str(metrics["run"]))
    seeds = metrics["seeds"]
    confirm = ", ".join(map(str, seeds["confirm"])) or "none"
    started = datetime.fromtimestamp(run.search["started"], tz=UTC)
    rows: list[tuple[str, Any]] = [
        ("Seeds", f"search {metrics['seed']}; fresh seeds {confirm}; final training {seeds['final']}"),
        ("Space", run.architecture["space"]),
        ("Network's hash", tag("code", run.architecture["hash"])),
        ("Workers", plain(run.setting("workers"))),
        ("Started", f"{started:%Y-%m-%d %H:%M} UTC, took {duration(metrics['seconds'])}"),
        ("Hardware", _described(metrics["hardware"])),
        ("Versions", _described(metrics["versions"])),
    ]
    commands = [
        (f"archwise predict {folder} DATA", "predict for new data of the same form"),
        (f"archwise resume {folder} {metrics['to_go_on']}", "carry the search on"),
    ]
    listed = [tag("p", tag("code", command), tag("span", f" {what}", class_="note")) for command, what in commands]
    return tag(
        "section",
        tag("h2", "Use it, and do it again"),
        tag("div", listed, class_="commands"),
        tag("p", "model.py in the run folder is the network in plain PyTorch: it needs nothing of archwise."),
        _facts(rows),
        tag(
            "p",
            "With one worker, a budget of trials, this seed, these versions and the same earlier searches in the "
            "experience it repeats itself.",
            class_="note",
        ),
    )


def _extent(run: RunRecord, number: int) -> Html | None:
    """How much of the full training a trial had, where it was less."""
    fidelity = float(run.searched.set_index("number")["fidelity"][number])
    return tag("small", f" with {percent(fidelity)} of the training") if fidelity < 0.999 else None


def _facts(rows: list[tuple[str, Any]]) -> Html:
    return tag("dl", [[tag("dt", name), tag("dd", value)] for name, value in rows])


def _described(values: dict[str, Any]) -> str:
    def told(key: str, value: Any) -> str:
        if key.endswith("_bytes"):
            return f"{key.removesuffix('_bytes')} {value / 2**30:.1f} GiB"
        return f"{key} {plain(value)}"

    return ", ".join(told(key, value) for key, value in values.items() if value not in (None, [], ""))


def _mean(run: RunRecord, row: dict[str, Any]) -> float | None:
    """The mean that a finalist was judged by; None where it was not judged by fresh seeds."""
    return run.natural(row["mean"]) if row["deciding_seeds"] else None


def _strip(values: list[float | None], mean: float | None, span: tuple[float, float]) -> Html | None:
    """A line with a dot for each seed, and a stroke at the mean that decided."""
    if not values:
        return None
    low, high = span
    scale = 120 / (high - low) if high > low else 0.0
    dots = [tag("circle", cx=f"{6 + (v - low) * scale:.1f}", cy=9, r=3.5) for v in values if v is not None]
    line = tag("line", x1=6, x2=126, y1=9, y2=9)
    middle = None
    if mean is not None:
        stroke = f"{6 + (mean - low) * scale:.1f}"
        middle = tag("line", x1=stroke, x2=stroke, y1=2, y2=16, class_="mean")
    return tag("svg", line, dots, middle, width=132, height=18, class_="dots")
