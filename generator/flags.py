"""What commands share: flags that mean the same in all of them, how values are written, and how errors are told."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.deferred import Deferred

if TYPE_CHECKING:
    from generator import runners, spec, stopping, trust
else:
    # What pydantic is needed for, a build with nothing to do is over without.
    runners, spec, trust = Deferred("generator.runners"), Deferred("generator.spec"), Deferred("generator.trust")
    stopping = Deferred("generator.stopping")

FOLDER = ".whatfires/store"  # where a store lies; beside one that machines share, what is known of posts and pages
INTERRUPTED, FAILED = 130, 1  # exit codes
STOPPED = "stopped; the figures computed so far are kept, and the next build goes on from here."
SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[kmgt]?)(?P<binary>i?)b?")

Command = Callable[..., Any]

STORE = click.option(
    "--store",
    default=FOLDER,
    show_default=True,
    help="Folder where computed figures are kept, or an address that machines share, such as s3://bucket/report.",
)
CACHE = click.option(
    "--cache",
    metavar="STORE",
    envvar="WHATFIRES_CACHE",
    help="Another store, folder or address, that is only read: what it has is not computed; also WHATFIRES_CACHE. "
    '[default: that of [store] in site.toml, if any; "" for none]',
)
OUT = click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="site",
    show_default=True,
    help="Folder that the site is written to.",
)


def takes_content(command: Command) -> Command:
    """The option that says what is read, and the one that says who wrote it."""
    command = click.option(
        "--untrusted",
        is_flag=True,
        expose_value=False,
        callback=lambda context, option, given: trust.distrust() if given else None,
        help="The content is another person's: run no code that it names, read no file outside of it, and take no "
        "HTML from it; what asks for that is an error. Also WHATFIRES_UNTRUSTED=1.",
    )(command)
    return click.option(
        "--content",
        type=click.Path(path_type=Path),
        default="content",
        show_default=True,
        help="Folder with site.toml, posts/ and pages/.",
    )(command)


def takes_crew(command: Command) -> Command:
    """Options that say who computes figures, given to the command as `crew`, which makes it."""

    @click.option(
        "--runner",
        type=click.Choice(["here", "local", "dask"]),
        default="here",
        show_default=True,
        help="Where figures are computed: in this process, in several of this machine, or on a cluster of Dask.",
    )
    @click.option(
        "--workers",
        type=click.IntRange(min=1),
        help="Processes of local, or of a Dask of our own.  [default: the cores]",
    )
    @click.option(
        "--threads",
        type=click.IntRange(min=1),
        help="Of each worker. With the same number, all runners make the same pictures to the bit.  "
        "[default: the cores, divided among the workers]",
    )
    @click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler that is there, such as tcp://host:8786.")
    @functools.wraps(command)
    def run(
        *args: Any, runner: str, workers: int | None, threads: int | None, scheduler: str | None, **options: Any
    ) -> Any:
        if runner == "here" and workers:
            raise click.UsageError("--workers: give --runner local, too")
        if scheduler and runner != "dask":
            raise click.UsageError("--scheduler: give --runner dask, too")
        asked = (runner, workers or 0, threads or 0, scheduler or "")
        return command(*args, crew=lambda: runners.Crew(*asked), **options)

    return run


def number_or_all(text: str) -> int:
    """How many there are to be; 0 stands for all."""
    if text == "all":
        return 0
    if not text.isdecimal() or int(text) == 0:
        raise click.BadParameter(f"give a number from 1, or all, not {text!r}")
    return int(text)


def size(text: str) -> int:
    """Bytes, from such as 5GB or 700 MiB."""
    found = SIZE.fullmatch(text.strip().lower())
    if found is None:
        raise click.BadParameter(f"give a size such as 5GB or 700MB, not {text!r}")
    return int(float(found["number"]) * (1024 if found["binary"] else 1000) ** " kmgt".index(found["unit"] or " "))


def warn(lines: Iterable[str]) -> None:
    """Say what is wrong, though the command goes on."""
    for line in lines:
        click.echo(line, err=True)


class Commands(click.Group):
    """A group that knows the nearest right word, and tells what a user can put right as lines, not as a traceback."""

    group_class = type  # groups in it are such groups, too

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            raise click.UsageError(f"no command {args[0]!r}{spec.nearest(args[0], self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with stopping.interrupts_repeated(), stopping.interrupts_told():
                return super().invoke(ctx)
        except (click.exceptions.Exit, click.ClickException):
            raise  # before what follows is loaded: `--help` is one of them
        except spec.BuildError as problem:
            warn(told(problem))
        except MemoryError:
            warn(["error: out of memory; what was computed is kept"])
        except BrokenPipeError:
            raise  # the reader of our output has seen enough; click ends quietly
        except OSError as problem:
            warn([f"error: {problem.filename or ''}: {problem.strerror or problem}"])
        except KeyboardInterrupt as stop:
            warn([str(stop) or STOPPED])
            sys.exit(INTERRUPTED)
        sys.exit(FAILED)


def told(problem: spec.BuildError) -> list[str]:
    """What is said of a mistake, or of all of them."""
    if not isinstance(problem, spec.BuildErrors):
        return [f"error: {problem}"]
    count = spec.counted(len(problem.errors), "error")
    return [*(f"error: {error}" for error in problem.errors), f"{count}; what was computed is kept."]
