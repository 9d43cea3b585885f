"""The command line: build, figure, train, check, report, explain, gc, serve, kinds."""

from __future__ import annotations

import functools
import random
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from generator import __version__, machine, report_diff, verdicts
from generator.artifact import ArtifactStore, Borrowed, write_whole
from generator.calling import called
from generator.deferred import Deferred
from generator.explain import explained, lines_of, shown_in
from generator.figures import KINDS
from generator.library import Library
from generator.pipeline import build as build_site
from generator.pipeline import check_claims, with_known_units
from generator.plan import make_plan
from generator.progress import Quiet, display
from generator.remaking import CONTROL, SUFFIXES, offers, remake
from generator.settings import read_settings
from generator.site_folder import REPORT
from generator.spec import BuildError, BuildErrors, nearest, shown
from generator.unwanted import unwanted
from generator.verify import verify as verify_kept
from generator.weights import write_weights

if TYPE_CHECKING:
    import http.server as http_server

    from generator import rounds, watching
else:
    http_server = Deferred("http.server")  # only `serve` needs it, and it is slow to import
    rounds, watching = Deferred("generator.rounds"), Deferred("generator.watching")  # so are processes

CONTENT = click.option(
    "--content",
    type=click.Path(path_type=Path),
    default="content",
    show_default=True,
    help="Folder with site.toml, posts/ and pages/.",
)
STORE = click.option(
    "--store",
    type=click.Path(path_type=Path),
    default=".whatfires/store",
    show_default=True,
    help="Folder where computed figures are kept.",
)
OUT = click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="site",
    show_default=True,
    help="Folder that the site is written to.",
)

INTERRUPTED, FAILED = 130, 1
STOPPED = "stopped; the figures computed so far are kept, and the next build goes on from here."


class Commands(click.Group):
    """A group that knows the nearest right word."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            raise click.UsageError(f"no command {args[0]!r}{nearest(args[0], self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)


def number_or_all(text: str | None) -> int | None:
    """How many figures to verify; 0 stands for all of them."""
    if text is None or text == "all":
        return None if text is None else 0
    if not text.isdecimal() or int(text) == 0:
        raise click.BadParameter(f"give a number from 1, or all, not {text!r}")
    return int(text)


def tells_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """What an author can put right is told as lines of text, not as a traceback."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> Any:
        try:
            return command(*args, **options)
        except BuildErrors as problem:
            for error in problem.errors:
                click.echo(f"error: {error}", err=True)
            click.echo(
                f"{len(problem.errors)} error{'s' * (len(problem.errors) > 1)}; what was computed is kept.", err=True
            )
        except BuildError as problem:
            click.echo(f"error: {problem}", err=True)
        except BrokenPipeError:
            raise  # the reader of our output has seen enough; click ends quietly
        except OSError as problem:
            click.echo(f"error: {problem.filename or ''}: {problem.strerror or problem}", err=True)
        except KeyboardInterrupt as stop:
            click.echo(str(stop) or STOPPED, err=True)
            sys.exit(INTERRUPTED)
        sys.exit(FAILED)

    return run


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="whatfires")
def main() -> None:
    """Build interpretability reports: Markdown in, a self-contained site out.

    A report is a folder with content/site.toml, which names models and data sets, and content/posts/*.md, where a
    fenced ```figure block asks for a figure. Start with `whatfires build`; `whatfires kinds` lists what can be shown.
    """
    machine.settle()


@main.command()
@CONTENT
@OUT
@STORE
@click.option("--drafts", is_flag=True, help="Build drafts, too.")
@click.option(
    "--again", metavar="ID", multiple=True, help="Compute this figure anew, though it is kept. Can be repeated."
)
@click.option(
    "--watch",
    "folders",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Build, then build again whenever a checkpoint in FOLDER is whole or the content changed, until Ctrl-C. "
    "Can be repeated.",
)
@click.option(
    "--verify",
    metavar="N",
    callback=lambda context, option, text: number_or_all(text),
    help="Build nothing: compute N kept figures again, chosen at random, or `all`, and say whether they are what was "
    "kept, to the bit. Nothing is written; exit 1 if one differs.",
)
@click.option("--verify-seed", type=int, help="Choose them as the run did that printed this seed.")
@tells_errors
def build(
    content: Path,
    out: Path,
    store: Path,
    drafts: bool,
    again: tuple[str, ...],
    folders: tuple[Path, ...],
    verify: int | None,
    verify_seed: int | None,
) -> None:
    """Compute the figures that are missing and write the site.

    What is computed is kept under a key of all that it depends on: a build computes only what changed,
    and one that was stopped goes on where it was. With --watch a new build is shown all at once, in place of the
    one before.
    """
    if verify is not None:
        seed = random.SystemRandom().randrange(10**6) if verify_seed is None else verify_seed
        verify_site(content, store, drafts, verify, seed)
    if folders:
        watching.watch(rounds.Asked(content, out, store, folders, drafts, again), click.echo)
        return
    start = time.perf_counter()
    with display(sys.stderr) as shows:
        done = build_site(content, out, ArtifactStore(store), shows, drafts, again=again)
    for gap in done.gaps:
        click.echo(f"warning: {gap}", err=True)
    for broken in done.broken:
        click.echo(f"claim broken: {broken}", err=True)
    click.echo(
        f"{done.pages} pages: {done.computed} figures computed, {done.reused} kept; {done.written} files written, "
        f"{done.removed} removed, in {time.perf_counter() - start:.1f} s"
    )
    click.echo(f"Open {(out / 'index.html').resolve().as_uri()} or run: whatfires serve --out {shown(out)}")


def verify_site(content: Path, store: Path, drafts: bool, count: int, seed: int) -> NoReturn:
    """Say whether kept figures are what computing gives."""
    with display(sys.stderr) as shows:
        found = verify_kept(content, ArtifactStore(store), count or None, seed, shows, drafts)
    for line in found.lines():
        click.echo(line)
    sys.exit(1 if found.differing else 0)


@main.command()
@click.argument("figure", metavar="[POST#ID]", required=False)
@CONTENT
@OUT
@STORE
@click.option("--drafts", is_flag=True, help="Drafts, too.")
@tells_errors
def explain(figure: str | None, content: Path, out: Path, store: Path, drafts: bool) -> None:
    """Say whether a figure is fresh or stale, and which of its inputs changed since the site was written.

    POST#ID is written posts/cells.md#quote-cell, cells#quote-cell, or quote-cell alone; a post alone means all its
    figures. Without it, each stale figure of the site is told in one line. Nothing is computed or written.
    """
    plan = make_plan(content, Borrowed(ArtifactStore(store)), Quiet(), drafts, loading=False)
    if figure is None or figure.startswith("models/"):
        plan = with_known_units(plan)
    every = list(plan.jobs)
    places = every if figure is None else called(figure, every, plan.posts, content)
    for line in lines_of(explained(plan, places, shown_in(out / REPORT)), whole=figure is None):
        click.echo(line)


@main.command()
@CONTENT
@STORE
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many builds of each content folder count.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@tells_errors
def gc(content: Path, store: Path, keep: int, dry_run: bool) -> None:
    """Remove from the store what no build wants any more.

    What the last builds of this and of any other content folder wanted stays, with all that it needs to be computed
    again to the bit; so do the weights and unfinished trainings of models in site.toml. Not while a build is at work.
    """
    toml = shown(content / "site.toml")
    library = Library(read_settings(content, toml), content, ArtifactStore(store))
    if library.errors:
        raise BuildErrors([BuildError(f"{toml}: {error.message}") for error in library.errors])
    found = unwanted(library, keep)
    count, size = len(found.artifacts), found.size
    for path in found.artifacts if dry_run else ():
        click.echo(f"{path} ({path.stat().st_size:,} bytes)")
    if not dry_run:
        found.remove()
    done = "would remove" if dry_run else "removed"
    click.echo(f"{done} {count} file{'s' * (count != 1)}, {size:,} bytes; {found.wanted} are kept")


@main.command()
@click.argument("name", metavar="POST#ID")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help=f"File to write; what it holds is said by its suffix: {', '.join(SUFFIXES)}.",
)
@click.option("--control", is_flag=True, help="The figure's control in its place.")
@click.option("--checkpoint", metavar="STEP", default="", help="The figure at this one of the checkpoints it shows.")
@click.option("--again", is_flag=True, help="Compute it anew, and leave what is kept of it as it is.")
@CONTENT
@STORE
@click.option("--drafts", is_flag=True, help="Look in drafts, too.")
@tells_errors
def figure(
    name: str,
    out: Path | None,
    control: bool,
    checkpoint: str,
    again: bool,
    content: Path,
    store: Path,
    drafts: bool,
) -> None:
    """Make one figure again, alone, with the site's very pixels.

    POST#ID is a figure as its page's address ends, such as posts/cells.html#quote-cell; posts/cells.md, cells, and an
    id that no other figure has, do as well. Without --out it says what can be written, and prints the measures.
    """
    if control and checkpoint:
        raise BuildError("--control and --checkpoint: the control has no checkpoints; give one of them")
    with display(sys.stderr) as shows:
        part = CONTROL if control else checkpoint
        made = remake(name, content, ArtifactStore(store), shows, out, part, again, drafts)
    for gap in made.gaps:
        click.echo(f"warning: {gap}", err=True)
    for file in made.files:
        click.echo(f"wrote {shown(file)}")
    if out is not None:
        return
    click.echo(f"{made.name}: {made.kind}, key {made.key}")
    for written, what in offers(made):
        click.echo(f"  --out {written:24}{what}")
    for measure, value in made.artifact.measures.items():
        low, high = made.artifact.intervals.get(measure, (None, None))
        click.echo(f"{measure} = {value:g}" + ("" if low is None else f" ({low:g} to {high:g})"))


@main.command()
@click.argument("model")
@click.option(
    "--to", type=click.Path(path_type=Path), help="Folder for the checkpoints.  [default: CONTENT/checkpoints/MODEL]"
)
@CONTENT
@STORE
@tells_errors
def train(model: str, to: Path | None, content: Path, store: Path) -> None:
    """Train MODEL by its recipe in site.toml and write its checkpoints, each with its card.

    A build trains a model itself where it finds no checkpoint; this command is for training once and
    keeping the weights beside the report. A training that was stopped, by Ctrl-C or in any other way, goes on
    from where it last was kept; that is so every minute.
    """
    settings = read_settings(content, shown(content / "site.toml"))
    start = time.perf_counter()
    with display(sys.stderr) as shows:
        library = Library(
            settings, content, ArtifactStore(store), lambda what, done, total: shows.advance(done, total, what)
        )
        if model not in library.models:
            raise BuildError(f"no model {model!r} in {shown(content / 'site.toml')}{nearest(model, library.models)}")
        shows.begin(1)
        shows.start(model)
        for trained in library.train(model):
            path = (to or content / "checkpoints" / model) / f"step-{trained.step:06d}.safetensors"
            write_weights(path, trained.weights, library.card(model, trained, time.perf_counter() - start))
            click.echo(
                f"wrote {shown(path)}: {', '.join(f'{name} {value:g}' for name, value in trained.measures.items())}"
            )
        library.desk(model).clear()
        shows.finish(model, time.perf_counter() - start)


@main.command()
@CONTENT
@STORE
@click.option("--drafts", is_flag=True, help="Check the claims of drafts, too.")
@click.option("--junit", type=click.Path(path_type=Path), help="Write the verdicts here as JUnit XML, for CI.")
@click.option("--markdown", type=click.Path(path_type=Path), help="Write them here as Markdown, for pull requests.")
@tells_errors
def check(content: Path, store: Path, drafts: bool, junit: Path | None, markdown: Path | None) -> None:
    """Compute what the claims need and say which of them hold.

    The exit code is 0 where all hold, 1 where one is broken or something else is wrong, 2 where one could not be known.
    """
    kept = ArtifactStore(store)
    with display(sys.stderr) as shows:
        found = check_claims(make_plan(content, kept, shows, drafts, loading=False), kept, shows)
    if junit:
        write_whole(junit, verdicts.junit(found))
    if markdown:
        write_whole(markdown, verdicts.markdown(found).encode())
    click.echo(verdicts.table(found))
    sys.exit(verdicts.exit_code(found))


@main.group()
def report() -> None:
    """Work with the report.json of built sites."""


@report.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--markdown", is_flag=True, help="Print Markdown, for a pull request.")
@tells_errors
def diff(old: Path, new: Path, markdown: bool) -> None:
    """Say what changed from the build of report OLD to that of NEW.

    Claims that flipped, models with other weights, figures that were computed anew, and measures that changed, of
    those that carry intervals only those that changed beyond them.
    """
    found = list(report_diff.differences(report_diff.read_report(old), report_diff.read_report(new)))
    for heading, lines in found:
        click.echo(f"### {heading}\n" if markdown else f"{heading}:")
        for line in lines:
            click.echo(f"- {verdicts.escaped(line)}" if markdown else f"  {line}")
        click.echo()
    if not found:
        click.echo("Nothing changed.")


@main.command()
@OUT
@click.option("--port", default=8000, show_default=True, help="Port on this machine.")
@tells_errors
def serve(out: Path, port: int) -> None:
    """Serve a built site on localhost, until Ctrl-C."""
    if not (out / "index.html").exists():
        raise BuildError(f"there is no site in {shown(out)} yet; run whatfires build")
    handler = functools.partial(http_server.SimpleHTTPRequestHandler, directory=str(out))
    with http_server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        click.echo(f"http://localhost:{server.server_port}/ (Ctrl-C stops)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("stopped.")


@main.command()
@click.argument("kind", required=False)
@tells_errors
def kinds(kind: str | None) -> None:
    """List the kinds of figures, or teach one: its options, their defaults, and an example."""
    if kind is None:
        for name, path in KINDS.items():
            click.echo(f"{name:18}{(import_module(path).__doc__ or '').strip().splitlines()[0]}")
        return
    if kind not in KINDS:
        raise BuildError(f"no kind {kind!r}{nearest(kind, KINDS)}")
    module = import_module(KINDS[kind])
    click.echo((module.__doc__ or "").strip() + "\n")
    for name, option in module.Options.model_fields.items():
        default = "required" if option.is_required() else f"default {option.get_default(call_default_factory=True)!r}"
        click.echo(f"  {option.alias or name}: {option.description or ''} ({default})")
    click.echo(f"\n```figure\nid: example\nkind: {kind}\n{module.EXAMPLE.strip()}\n```")
