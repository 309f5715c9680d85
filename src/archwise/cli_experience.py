"""The command `archwise experience` and those below it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from archwise.terminal.guard import guarded
from archwise.terminal.options import Debug, Json, Place, option

experience = typer.Typer(
    short_help="Show what is known from past searches; share it.", invoke_without_command=True, rich_markup_mode=None
)

Into = Annotated[
    str | None,
    typer.Option(
        "--into", "--experience", metavar="PATH|URL", help="The experience that learns, instead of the user's own."
    ),
]


@experience.callback()
def show(context: typer.Context, location: Place = None, json: Json = False, debug: Debug = False) -> None:
    """Show what is known from past searches, task by task, and how much of it came from elsewhere.

    Example: archwise experience
    """
    if context.invoked_subcommand is not None:
        return
    with guarded(debug):
        from dataclasses import asdict

        from archwise.experience.known import open_known
        from archwise.terminal.console import Output, print_json
        from archwise.terminal.knowledge import print_summary

        with open_known(location) as known:
            summary = known.summary()
        if json:
            print_json(asdict(summary))
        else:
            print_summary(Output(), summary)


@experience.command(short_help="Take all that other experiences know into this one.")
def merge(
    context: typer.Context,
    others: Annotated[
        list[str],
        typer.Argument(metavar="OTHER...", help="Experiences: files, or URLs. They are only read.", show_default=False),
    ],
    into: Into = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Take all that other experiences know into this one; merging twice changes nothing.

    Merge what you trust: your own from another machine, a colleague's. From strangers take exported files.

    Example: archwise experience merge laptop.sqlite
    """
    place, json, debug = _with_those_before(context, into, json, debug)
    with guarded(debug):
        from archwise.terminal.exchange import merge_command

        merge_command(others, place, json)


@experience.command(short_help="Write what is known into one file for others.")
def export(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where to; its name ends with .jsonl.gz.", show_default=False)
    ],
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="Leave out names, and whatever tells which data it was.")
    ] = False,
    task: Annotated[
        list[str] | None, option("NAME", "Export this task alone; may be given again. All if not given.")
    ] = None,
    location: Place = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Write what is known into one file that others can import.

    With --anonymous, descriptors of tasks, choices made and outcomes are all that is left.

    Example: archwise experience export mine.jsonl.gz --anonymous
    """
    place, json, debug = _with_those_before(context, location, json, debug)
    with guarded(debug):
        from archwise.terminal.exchange import export_command

        export_command(file, place, anonymous, task or [], json)


@experience.command("import", short_help="Learn from a file that somebody exported.")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The exported file.", show_default=False)],
    into: Into = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Learn from a file that somebody exported; importing twice changes nothing.

    The file may be a stranger's: all of it is checked before anything is taken in, no code of it runs, and nothing that
    is known is changed by it.

    Example: archwise experience import friend.jsonl.gz
    """
    place, json, debug = _with_those_before(context, into, json, debug)
    with guarded(debug):
        from archwise.terminal.exchange import import_command

        import_command(file, place, json)


def _with_those_before(
    context: typer.Context, place: str | None, json: bool, debug: bool
) -> tuple[str | None, bool, bool]:
    """Return the options of a command; what was given before its name counts as well."""
    before: dict[str, Any] = context.parent.params if context.parent else {}
    return place or before.get("location"), json or bool(before.get("json")), debug or bool(before.get("debug"))
