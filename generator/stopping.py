"""Stopping long work between two steps, so that what is kept of it is whole, and no new process while it starts."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from generator.deferred import Deferred

if TYPE_CHECKING:
    import multiprocessing
    from multiprocessing import resource_tracker
else:  # whoever asks for help starts no process
    multiprocessing = Deferred("multiprocessing")
    resource_tracker = Deferred("multiprocessing.resource_tracker")

SOON = 0.01  # seconds
Handler = Callable[[int, FrameType | None], object] | signal.Handlers


@contextmanager
def handled(handler: Handler) -> Iterator[None]:
    """Inside, this is done on Ctrl-C; nothing changes in a thread other than the main one, which gets no signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)


@contextmanager
def between_steps() -> Iterator[threading.Event]:
    """Inside, Ctrl-C sets the event, for the work to end after its step; a second Ctrl-C interrupts at once."""
    asked = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    with handled(note):
        yield asked


@contextmanager
def interrupts_later() -> Iterator[None]:
    """Inside, Ctrl-C waits; it comes when all inside is done."""
    came = threading.Event()
    try:
        with handled(lambda number, frame: came.set()):
            yield
    finally:
        if came.is_set():
            signal.raise_signal(signal.SIGINT)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """The same, also in processes that are started here."""
    # The mask is of this thread, and where there are others, the system gives the signal to one of them; Python
    # handles it in the main one all the same.
    with interrupts_later():
        if hasattr(signal, "pthread_sigmask"):
            resource_tracker.ensure_running()  # the first process that is started would start it, and let them come
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            release_interrupts()


@contextmanager
def interrupts_ignored() -> Iterator[None]:
    """Inside, Ctrl-C does nothing, and in processes that are started here it never does."""
    with handled(signal.SIG_IGN):
        yield


@contextmanager
def interrupts_told() -> Iterator[None]:
    """Ctrl-C comes out of this as itself, though closing what it left open raised an error that took its place.

    A zip that is being written does so: it asks to have its member closed before it.
    """
    try:
        yield
    except Exception as problem:
        before = problem.__context__
        while before is not None and not isinstance(before, KeyboardInterrupt):
            before = before.__context__
        if before is None:
            raise
        raise before from None


@contextmanager
def interrupts_repeated() -> Iterator[None]:
    """Inside, Ctrl-C comes once more where Python ignores all errors, which is while it throws an object away."""
    before = sys.unraisablehook

    def hook(ignored: sys.UnraisableHookArgs) -> None:
        if isinstance(ignored.exc_value, KeyboardInterrupt):
            again = threading.Timer(SOON, interrupt)  # here it would be ignored, too
            again.daemon = True
            again.start()
        else:
            before(ignored)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before


def interrupt() -> None:
    """Ctrl-C for the main thread, whatever it waits for."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:
        signal.raise_signal(signal.SIGINT)


def release_interrupts() -> None:
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def end_with_parent() -> None:
    """Who was ended in the middle of a round shows nothing of it; so the round ends, too."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
