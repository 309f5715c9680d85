"""Interrupts (Ctrl-C) that wait until they are asked for."""

from __future__ import annotations

import signal
import threading
from types import FrameType


class Interrupts:
    """Keeps an interrupt until the main thread asks for it, so that it can neither be lost nor strike half-way.

    Python raises KeyboardInterrupt wherever the main thread is: in a finaliser or a callback of C code it is dropped,
    in a library that catches everything it is misread. A second interrupt while the first still waits is raised at
    once, for who cannot wait for a long computation. Nothing is kept outside the main thread, nor where the program
    that uses archwise handles SIGINT itself.

    Example:
        >>> interrupts = Interrupts()
        >>> interrupts.start()
        >>> signal.raise_signal(signal.SIGINT)
        >>> try:
        ...     interrupts.check()
        ... except KeyboardInterrupt:
        ...     print("taken")
        taken
        >>> interrupts.check()
        >>> interrupts.stop()
    """

    def __init__(self) -> None:
        self._kept = False
        self._started = False

    def start(self) -> None:
        """Keep interrupts from now on."""
        in_main = threading.current_thread() is threading.main_thread()
        if in_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._keep)
            self._started = True

    def stop(self) -> None:
        """Let Python raise interrupts again where they strike; harmless when repeated."""
        if self._started:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._started = False

    def check(self) -> None:
        """Raise KeyboardInterrupt if one was kept since the last check."""
        if self._kept:
            self._kept = False
            raise KeyboardInterrupt

    def _keep(self, number: int, frame: FrameType | None) -> None:
        if self._kept:
            raise KeyboardInterrupt
        self._kept = True
