"""Each sort of hostile input with what reads it, and what may become of it: it is read, or refused by a BuildError."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from hypothesis.strategies import SearchStrategy

from generator.spec import BuildError
from tests.hostile import canary, checkpoint_files, kept, written

LONGEST = 5.0  # seconds


@dataclass(frozen=True)
class Attack:
    """read: may say what became of the input, where that is more than that it was read.

    share: of all inputs of a recorded run, in relation to the others.
    """

    inputs: SearchStrategy[Any]
    read: Callable[[Any, Path], str | None]
    share: int = 1


ATTACKS = {
    **{f"checkpoints: {name}": Attack(files, checkpoint_files.read, 10) for name, files in checkpoint_files.FILES.items()},
    "training cards": Attack(kept.CARDS, kept.read_card, 3),
    "artifacts": Attack(kept.ARTIFACTS, kept.read_artifact, 8),
    "kept posts": Attack(kept.ROWS, kept.read_kept_post, 3),
    "blocks": Attack(written.BLOCKS, written.read_body, 5),
    "front matter": Attack(written.LINES, written.read_head, 5),
    "markdown": Attack(written.MARKDOWN, written.read_body, 6),
    "site.toml": Attack(written.TOML, written.read_toml, 3),
    "references.bib": Attack(written.BIB, written.read_references, 3),
}  # fmt: skip


class Hang(BaseException):
    """No `except Exception` takes it for a damaged file."""


def stop(number: int, frame: FrameType | None) -> None:
    raise Hang(f"over {LONGEST:g} s")


def outcome(attack: Attack, example: Any, folder: Path) -> tuple[str, float]:
    """What became of an input, and seconds. What else is raised, hangs or executes is an error here."""
    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, LONGEST)
    start = time.perf_counter()
    try:
        what = attack.read(example, folder) or "read"
    except BuildError:
        what = "BuildError"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    took = time.perf_counter() - start
    assert took <= LONGEST, f"took {took:.1f} s"  # in C no signal is heard
    assert not canary.executed, canary.executed
    return what, took
