import io
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from zipfile import ZipFile

import pytest

from generator.files import write_whole
from generator.stopping import between_steps, interrupts_held, interrupts_repeated, interrupts_told
from tests.conftest import ROOT


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_the_first_ctrl_c_is_noted_and_the_second_interrupts() -> None:
    before = signal.getsignal(signal.SIGINT)
    with between_steps() as asked:
        assert not asked.is_set()
        interrupt()
        assert asked.is_set()
        with pytest.raises(KeyboardInterrupt):
            interrupt()

    assert signal.getsignal(signal.SIGINT) is before


def test_in_another_thread_work_goes_on_without_signals() -> None:
    found: list[bool] = []

    def work() -> None:
        with between_steps() as asked:
            found.append(asked.is_set())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert found == [False]


def test_ctrl_c_is_told_though_what_it_left_open_cannot_be_closed() -> None:
    """As it is while a file is written into a zip, which then says that its member is still open."""
    with pytest.raises(KeyboardInterrupt), interrupts_told(), ZipFile(io.BytesIO(), "w") as archive:  # noqa: PT012
        archive.open("member", "w")
        raise KeyboardInterrupt


def test_ctrl_c_twice_comes_when_the_file_that_is_written_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In between, a file under another name would stay, which nobody removes for an hour."""
    monkeypatch.setattr(os, "fsync", lambda handle: (interrupt(), interrupt()))

    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "a", b"whole")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"whole"}


class Interrupting:
    def __del__(self) -> None:
        interrupt()


def test_ctrl_c_is_not_lost_where_python_ignores_all_errors() -> None:
    with pytest.raises(KeyboardInterrupt), interrupts_repeated():  # noqa: PT012
        Interrupting()  # thrown away at once
        time.sleep(5)
        pytest.fail("it was lost")


def test_other_errors_are_told_as_they_are() -> None:
    with pytest.raises(ValueError, match="two"), interrupts_told():  # noqa: PT012
        try:
            raise KeyError("one")
        finally:
            raise ValueError("two")


def test_ctrl_c_is_held_in_a_process_with_other_threads_too() -> None:
    """The system gives the signal to one of them, and Python would handle it in this one."""
    over, reached = threading.Event(), False
    other = threading.Thread(target=over.wait)
    other.start()
    try:
        with pytest.raises(KeyboardInterrupt), interrupts_held():  # noqa: PT012
            interrupt()
            time.sleep(0.1)
            reached = True
    finally:
        over.set()
        other.join()

    assert reached
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, set())


HELD = """
import multiprocessing, signal
from generator.stopping import interrupts_held

def masked(pipe):
    pipe.send(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, set()))

if __name__ == "__main__":
    start = multiprocessing.get_context("spawn")
    receiver, sender = start.Pipe(duplex=False)
    with interrupts_held():
        start.Process(target=masked, args=(sender,)).start()
    print(receiver.recv())
"""


def test_ctrl_c_is_held_in_the_first_process_that_is_started(tmp_path: Path) -> None:
    """Before it, Python starts one that tracks what processes share, and lets signals come again."""
    (tmp_path / "held.py").write_text(HELD)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(tmp_path / "held.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "True"
