"""What a command says when it cannot go on: one sentence, and an exit code."""

from __future__ import annotations

import errno
import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archwise.errors import ArchwiseError

BUG, MENDABLE, INTERRUPTED, BROKEN_PIPE = 1, 2, 130, 141
"""Exit codes; the last two are what a shell reports for a process that SIGINT or SIGPIPE ended."""
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def guarded(debug: bool) -> Iterator[None]:
    """Run a command; whatever it raises becomes one sentence on standard error and an exit code.

    Args:
        debug: show tracebacks and Python's warnings too.
    """
    with warnings.catch_warnings():
        if not debug:
            # They come from libraries, name lines of code, and ask nothing of the person who reads them.
            warnings.simplefilter("ignore")
        try:
            yield
            sys.stdout.flush()
        except KeyboardInterrupt as error:
            _end(str(error) or "Stopped.", INTERRUPTED, debug)
        except BrokenPipeError:
            # Python would complain once more when it flushes standard output at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(BROKEN_PIPE) from None
        except ArchwiseError as error:
            _end(str(error), MENDABLE, debug)
        except OSError as error:
            _end(_sentence(error), MENDABLE, debug)
        except MemoryError:
            _end("The memory of this machine is used up: take fewer --workers or less data.", MENDABLE, debug)
        except Exception as error:
            lines = str(error).strip().splitlines() or ["no message"]
            what = f"{type(error).__name__}: {lines[0]}".rstrip(".")
            hint = "please report it." if debug else "run the command again with --debug to see where, and report it."
            _end(f"This is a bug in archwise ({what}): {hint}", BUG, debug)


def _end(sentence: str, code: int, debug: bool) -> None:
    """Say a sentence, after the traceback of what is handled where that is asked for, and end."""
    from archwise.terminal.console import Output

    if debug:
        print(traceback.format_exc(), file=sys.stderr, end="")
    Output(stderr=True).say(" ".join(sentence.split()), style="red")
    raise SystemExit(code)


def _sentence(error: OSError) -> str:
    where = f" ({Path(os.fsdecode(error.filename))})" if isinstance(error.filename, str | bytes) else ""
    if error.errno in FULL:
        return f"The disk is full{where}: free some space, or write to another place."
    return f"The system refused{where}: {error.strerror or error}; mend that and run the command again."
