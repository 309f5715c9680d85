"""The list of strategies."""

from __future__ import annotations

from archwise.ready import PROPOSING, READY, SCHEDULING
from archwise.terminal.console import Output, print_json

AUTOMATIC = "chosen by budget, objectives and experience: transfer as soon as trials of past tasks are known"


def print_strategies(json: bool) -> None:
    """Print the names of the strategies and what they are; as JSON with every combination."""
    if json:
        print_json({"auto": AUTOMATIC, **READY})
        return
    output = Output()
    width = max(map(len, PROPOSING)) + 2
    output.say(f"{'auto':{width}}{AUTOMATIC}")
    for name, proposing in PROPOSING.items():
        output.say(f"{name:{width}}{proposing.description}")
    output.say("\nBefore the name of a strategy of one objective, to train many candidates a little and few in full:")
    for name, scheduling in SCHEDULING.items():
        output.say(f"{name + '-':{width}}{scheduling.description}")
