"""A time limit for a learner's code, which may hold a loop that never ends.

The limit works in any thread and on every system: a watcher raises `TimeUp` in the thread that
runs the code, between two of its bytecodes. One long call into NumPy is waited for.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager

AGAIN = 0.5  # seconds until a loop that swallowed the first `TimeUp` gets another one


class TimeUp(BaseException):
    """The time is over. Not an `Exception`, so that `except Exception` does not swallow it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `TimeUp` in the body if it runs for more than `seconds`.

    >>> with time_limit(0.05):
    ...     while True:
    ...         pass
    Traceback (most recent call last):
    ...
    tinygrad_landscape.classroom.limit.TimeUp
    """
    thread, over, lock = ctypes.c_ulong(threading.get_ident()), threading.Event(), threading.Lock()
    throw = ctypes.pythonapi.PyThreadState_SetAsyncExc

    def watch() -> None:
        patience = seconds
        while not over.wait(patience):
            with lock:
                if not over.is_set():
                    throw(thread, ctypes.py_object(TimeUp))
            patience = AGAIN

    watcher = threading.Thread(target=watch, daemon=True)
    try:
        watcher.start()
        yield
    finally:
        while True:  # one that is on its way may arrive even here
            try:
                over.set()
                with lock:
                    throw(thread, None)
                break
            except TimeUp:
                continue
        watcher.join()
