"""What `whatfires build` does: nothing after a glance where nothing changed, else a build; and what it says of it.

It loads next to nothing before the glance, so that a build with nothing to do is over before all else would be loaded.
"""

from __future__ import annotations

import functools
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator import glance
from generator.deferred import Deferred
from generator.flags import FOLDER, warn

if TYPE_CHECKING:
    from generator import lock, pipeline, progress, publish, runners, spec, standing, stores, trust
    from generator import verify as verifying
else:
    lock, progress = Deferred("generator.lock"), Deferred("generator.progress")
    pipeline, standing = Deferred("generator.pipeline"), Deferred("generator.standing")
    publish, verifying = Deferred("generator.publish"), Deferred("generator.verify")
    spec, stores, trust = Deferred("generator.spec"), Deferred("generator.stores"), Deferred("generator.trust")


def here(store: str) -> Path:
    """The folder where what is known of posts and pages is kept."""
    return Path(FOLDER if "://" in store else store)


@contextmanager
def at_work(store: str, writing: bool = True) -> Iterator[progress.Display]:
    """A store in use, beside others that use it, and how what is computed is shown. writing: as of `lock.in_use`."""
    with lock.in_use(here(store), writing=writing), progress.display(sys.stderr) as shows:
        yield shows


def build(
    content: Path,
    out: Path,
    store: str,
    cache: str | None,
    drafts: bool,
    again: tuple[str, ...],
    base_url: str | None,
    keep_going: bool,
    crew: Callable[[], runners.Crew],
) -> bool:
    """Bring the site in `out` up to date, and say what was done; whether all figures could be computed.

    BuildErrors of all that is wrong; then the site is as it was.
    """
    start, shared = time.perf_counter(), f"{store * ('://' in store)} {cache or ''}".strip()
    asked = glance.Asked(content, out, here(store), drafts, base_url, shared)
    trusted = not trust.distrusted()  # else nothing is looked at before the folder was
    state = functools.partial(standing.state_at, content, Path(store))
    if trusted and not again and (stands := glance.unchanged(asked, state)):
        warn(stands.warnings)
        say(out, stands.pages, 0, stands.figures, 0, 0, start)
        return True
    before = asked.contents if trusted else {}
    with lock.locked(out), at_work(store) as shows:
        stage = pipeline.Stage(base_url=base_url, crew=crew(), keep_going=keep_going, noted=trusted)
        done = pipeline.build(content, out, stores.store_of(content, store, cache), shows, drafts, again, stage)
    warnings = [*done.warnings, *(f"warning: {warning}" for warning in publish.beyond_limits(out))]
    warnings += [f"claim broken: {broken}" for broken in done.broken]
    warn([*warnings, *done.failures])
    say(out, done.pages, done.computed, done.reused, done.written, done.removed, start)
    if done.grounds is not None and not done.failed:
        figures = done.computed + done.reused
        glance.keep(asked, before, done.themes, done.grounds, glance.Done(done.pages, figures, warnings))
    return not done.failed


def say(out: Path, pages: int, computed: int, reused: int, written: int, removed: int, start: float) -> None:
    """Say what a build did, and where to look at it."""
    click.echo(
        f"{spec.counted(pages, 'page')}: {spec.counted(computed, 'figure')} computed, {reused:,} kept; "
        f"{spec.counted(written, 'file')} written, {removed:,} removed, "
        f"in {time.perf_counter() - start:.1f} s"
    )
    click.echo(f"Open {(out / 'index.html').resolve().as_uri()} or run: whatfires serve")


def verify(content: Path, store: str, drafts: bool, count: int, seed: int | None) -> bool:
    """Say whether kept figures, `count` of them or, if that is 0, all, are what computing gives; whether all are."""
    seed = random.SystemRandom().randrange(10**6) if seed is None else seed
    with at_work(store, writing=False) as shows:
        found = verifying.verify(content, stores.store_at(store), count or None, seed, shows, drafts)
    for line in found.lines():
        click.echo(line)
    return not found.differing
