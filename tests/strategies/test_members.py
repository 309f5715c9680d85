"""What members of a hybrid are shown, and who is named in the origins."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.contracts import toys
from tests.contracts.simulation import as_trial, simulate
from tests.contracts.watched import Watched

from archwise.errors import ArchwiseError
from archwise.strategies import InTurns, LocalSearch, RandomSearch
from archwise.strategies.members import Members
from archwise.trial import Pending, Proposal, Trial


def trials(*origins: str) -> list[Trial]:
    space = toys.layers()
    return [as_trial(number, Proposal(space.sample(number), origin=origin)) for number, origin in enumerate(origins)]


def test_a_member_is_shown_all_trials_and_its_own_without_its_name():
    first, second = Watched(), Watched()
    members = Members({"a": first, "b": second})
    history = trials("the space's default", "a: random", "b: neighbour of trial 1", "c: random", "a: b: nested")
    other = replace(history[1], number=-3)
    pending = [Pending(5, Proposal(toys.layers().sample(5), origin="b: random"))]
    for name in ("a", "b"):
        proposal = members.ask(name, toys.layers(), [other, *history], pending, 0)
        assert proposal and proposal.origin == f"{name}: random"
    assert [trial.origin for trial in first.history] == [
        "a: random",  # another search's numbers mean nothing here
        "the space's default",
        "random",
        "b: neighbour of trial 1",
        "c: random",
        "b: nested",
    ]
    assert second.history[3].origin == "neighbour of trial 1"
    assert [trial.candidate for trial in second.history[1:]] == [trial.candidate for trial in history]
    assert (first.pending[0].proposal.origin, second.pending[0].proposal.origin) == ("b: random", "random")


def test_a_member_is_shown_the_same_object_every_time_and_another_for_another_trial():
    recorder = Watched()
    members = Members({"a": recorder})
    history = trials("a: random")
    members.ask("a", toys.layers(), history, [], 0)
    [before] = recorder.history
    members.ask("a", toys.layers(), history, [], 0)
    assert recorder.history[0] is before
    members.ask("a", toys.layers(), [replace(history[0], candidate=toys.layers().sample(9))], [], 0)
    assert recorder.history[0].candidate == toys.layers().sample(9)


def test_who_proposed_is_read_from_the_origin_alone():
    members = Members({"a": RandomSearch(), "b c": RandomSearch()})
    origins = ["a: random", "b c: a: random", "random", "c: random", "a", "", "finalist: a: random"]
    assert [members.who(origin) for origin in origins] == ["a", "b c", None, None, None, None, None]


def test_local_search_goes_on_with_its_own_climb_and_from_what_others_found():
    space = toys.layers()
    run = simulate(lambda: InTurns({"local": LocalSearch(), "chance": RandomSearch()}), space, 60)
    begins = "local: neighbour of trial "
    looked_from = [int(trial.origin.removeprefix(begins)) for trial in run if trial.origin.startswith(begins)]
    assert len(looked_from) > 20
    for trial in run:
        if trial.origin.startswith(begins):
            start = run[int(trial.origin.removeprefix(begins))]
            before = [other.score or 0 for other in run[: trial.number]]
            assert start.score == max(before), "the best so far, whoever proposed it"
    assert any(run[number].origin.startswith("chance: ") for number in looked_from)


@pytest.mark.parametrize("names", [[], [""], ["a: b"], ["a", "b:"]])
def test_names_that_cannot_be_read_again_are_refused(names):
    with pytest.raises(ArchwiseError, match="without a colon"):
        InTurns({name: RandomSearch() for name in names})
