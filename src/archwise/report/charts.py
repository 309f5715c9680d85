"""The two charts' places in the page, each with what it shows in words; charts.js draws them."""

from __future__ import annotations

from archwise.report.data import elapsed
from archwise.report.markup import Html, tag
from archwise.report.record import RunRecord
from archwise.report.words import count, duration, large, metric_text

_COSTS = (
    ("parameters", "parameters"),
    ("flops", "FLOPs"),
    ("latency_ms", "latency"),
    ("train_seconds", "training time"),
)


def progress_chart(run: RunRecord) -> Html:
    """Return the section on how the best score grew."""
    switch = _switch("progress", (("elapsed", "time"), ("number", "trials")), "over")
    return _section("Progress", _progress_words(run), switch, "progress")


def cost_chart(run: RunRecord) -> Html:
    """Return the section on quality against cost."""
    text = (
        f"Each dot is a network of the search: its validation {run.objective_name} against what it costs. The line "
        "joins those that no other, trained as far, beats in both. Latency is that of one example on this machine."
    )
    return _section("Quality against cost", text, _switch("cost", _COSTS, "against"), "cost")


def _section(title: str, text: str, switch: Html, name: str) -> Html:
    place = tag("figure", switch, tag("div", id=f"{name}-chart", class_="chart", data_title=f"{title}. {text}"))
    return tag("section", tag("h2", title), tag("p", text), place)


def _switch(name: str, options: tuple[tuple[str, str], ...], word: str) -> Html:
    buttons = [
        tag("label", tag("input", type="radio", name=name, value=value, checked=i == 0), tag("span", label))
        for i, (value, label) in enumerate(options)
    ]
    return tag("div", tag("span", word, class_="note"), buttons, class_="switch", role="radiogroup", aria_label=word)


def _progress_words(run: RunRecord) -> str:
    """Where the best fully trained score was found."""
    finished = run.finished
    if finished.empty:
        return "No trial finished."
    full = finished[finished["fidelity"] == finished["fidelity"].max()]
    best = full.loc[full["score"].astype(float).idxmax()]
    times = dict(zip(run.trials.index, elapsed(run), strict=True))
    value = metric_text(run.objective, run.natural(float(best["score"])))
    size = f", {large(best['parameters'])} parameters" if best["parameters"] == best["parameters"] else ""
    text = (
        f"The best validation {run.objective_name} of the search, {value}, came with trial {best['number']} after "
        f"{duration(times[best.name])}{size}."
    )
    if len(run.levels) > 1:
        text += " Most networks were first tried with a part of the full training: the thick line follows the "
        text += f"{count(len(full), 'trial')} that got the most."
    return text
