"""Hearing that this process has been asked to stop, before the web server begins to.

uvicorn says so to its application only after the last request has ended. Its own handlers run after ours, so what they
do stays as it is.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def heard(told: Callable[[], None]) -> Iterator[None]:
    """Call `told` when the process is asked to stop within the block; nothing where signals cannot be heard."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def hear(number: int, frame: FrameType | None) -> None:
        told()
        then = before[signal.Signals(number)]
        if callable(then):
            then(number, frame)
        elif then is signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    for number in SIGNALS:
        signal.signal(number, hear)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
