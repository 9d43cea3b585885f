"""The command line: build, plan, figure, train, check, report, explain, gc, serve, kinds."""

from __future__ import annotations

import functools
import json
import random
import re
import shlex
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from generator import __version__, glance
from generator.deferred import Deferred

if TYPE_CHECKING:
    from generator import (
        artifact,
        calling,
        chromium,
        estimate,
        figures,
        library,
        lock,
        machine,
        pipeline,
        plan,
        progress,
        publish,
        remaking,
        report_diff,
        rounds,
        runners,
        serving,
        settings,
        site_folder,
        spec,
        standing,
        starter,
        stores,
        teaching,
        trust,
        unwanted,
        verdicts,
        watching,
        weights,
    )
    from generator import explain as explaining
    from generator import single_file as single_files
    from generator import verify as verifying
else:
    # Each command loads what it needs: a build in which nothing changed is over before all of this would be.
    single_files = Deferred("generator.single_file")
    explaining, verifying = Deferred("generator.explain"), Deferred("generator.verify")
    artifact = Deferred("generator.artifact")
    calling = Deferred("generator.calling")
    chromium = Deferred("generator.chromium")
    estimate, figures = Deferred("generator.estimate"), Deferred("generator.figures")
    library = Deferred("generator.library")
    lock = Deferred("generator.lock")
    machine = Deferred("generator.machine")
    pipeline = Deferred("generator.pipeline")
    plan = Deferred("generator.plan")
    progress = Deferred("generator.progress")
    publish = Deferred("generator.publish")
    remaking = Deferred("generator.remaking")
    report_diff = Deferred("generator.report_diff")
    rounds, runners = Deferred("generator.rounds"), Deferred("generator.runners")
    serving = Deferred("generator.serving")
    settings = Deferred("generator.settings")
    site_folder = Deferred("generator.site_folder")
    spec = Deferred("generator.spec")
    standing, starter = Deferred("generator.standing"), Deferred("generator.starter")
    stores = Deferred("generator.stores")
    teaching = Deferred("generator.teaching")
    trust = Deferred("generator.trust")
    unwanted = Deferred("generator.unwanted")
    verdicts = Deferred("generator.verdicts")
    watching = Deferred("generator.watching")
    weights = Deferred("generator.weights")

STORE = click.option(
    "--store",
    default=".whatfires/store",
    show_default=True,
    help="Folder where computed figures are kept, or an address that machines share, such as s3://bucket/report.",
)
CACHE = click.option(
    "--cache",
    metavar="STORE",
    default="",
    envvar="WHATFIRES_CACHE",
    help="Another store, folder or address, that is only read: what it has is not computed; also WHATFIRES_CACHE.",
)
OUT = click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="site",
    show_default=True,
    help="Folder that the site is written to.",
)


def takes_content(command: Callable[..., Any]) -> Callable[..., Any]:
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


def takes_crew(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that say who computes figures, given to the command as `crew`."""

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


INTERRUPTED, FAILED = 130, 1
STOPPED = "stopped; the figures computed so far are kept, and the next build goes on from here."


class Commands(click.Group):
    """A group that knows the nearest right word."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            raise click.UsageError(f"no command {args[0]!r}{spec.nearest(args[0], self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)


def number_or_all(text: str | None) -> int | None:
    """How many figures to verify; 0 stands for all of them."""
    if text is None or text == "all":
        return None if text is None else 0
    if not text.isdecimal() or int(text) == 0:
        raise click.BadParameter(f"give a number from 1, or all, not {text!r}")
    return int(text)


def bytes_of(text: str | None) -> int | None:
    """A size such as 5GB or 700 MiB, in bytes."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", text.strip().lower())
    if found is None:
        raise click.BadParameter(f"give a size such as 5GB or 700MB, not {text!r}")
    return int(float(found[1]) * (1024 if found[3] else 1000) ** " kmgt".index(found[2] or " "))


def tells_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """What an author can put right is told as lines of text, not as a traceback."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> Any:
        try:
            return command(*args, **options)
        except spec.BuildErrors as problem:
            for error in problem.errors:
                click.echo(f"error: {error}", err=True)
            click.echo(f"{spec.counted(len(problem.errors), 'error')}; what was computed is kept.", err=True)
        except spec.BuildError as problem:
            click.echo(f"error: {problem}", err=True)
        except MemoryError:
            click.echo("error: out of memory; what was computed is kept", err=True)
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
@takes_content
@OUT
@STORE
@CACHE
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
@click.option(
    "--base-url",
    metavar="URL",
    envvar="WHATFIRES_BASE_URL",
    help="Where the site will be published, in place of base_url in site.toml; also WHATFIRES_BASE_URL.",
)
@click.option(
    "--keep-going",
    is_flag=True,
    help="Write the site though figures failed, with why in their place; exit 1 all the same.",
)
@click.option("--verify-seed", type=int, help="Choose them as the run did that printed this seed.")
@takes_crew
@tells_errors
def build(
    content: Path,
    out: Path,
    store: str,
    cache: str,
    drafts: bool,
    again: tuple[str, ...],
    folders: tuple[Path, ...],
    verify: int | None,
    base_url: str | None,
    verify_seed: int | None,
    keep_going: bool,
    crew: Callable[[], runners.Crew],
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
        watching.watch(rounds.Asked(content, out, store, folders, drafts, again, crew(), keep_going, cache), click.echo)
        return
    start, shared = time.perf_counter(), f"{store * ('://' in store)} {cache}".strip()
    asked = glance.Asked(content, out, here(store), drafts, base_url, shared)
    trusted = not trust.distrusted()  # else nothing is looked at before the folder was
    state = functools.partial(standing.state_at, content, Path(store))
    if trusted and not again and (stands := glance.unchanged(asked, state)):
        warn(stands.warnings)
        told(out, stands.pages, 0, stands.figures, 0, 0, start)
        return
    before = asked.contents if trusted else {}
    with lock.locked(out), lock.in_use(here(store)), progress.display(sys.stderr) as shows:
        stage = pipeline.Stage(base_url=base_url, crew=crew(), keep_going=keep_going, noted=trusted)
        done = pipeline.build(content, out, stores.store_at(store, cache), shows, drafts, again, stage)
    warnings = [*done.warnings, *(f"warning: {warning}" for warning in publish.beyond_limits(out))]
    warnings += [f"claim broken: {broken}" for broken in done.broken]
    warn([*warnings, *done.failures])
    told(out, done.pages, done.computed, done.reused, done.written, done.removed, start)
    if done.failed:
        sys.exit(FAILED)
    if done.grounds is not None:
        figures = done.computed + done.reused
        glance.keep(asked, before, done.themes, done.grounds, glance.Done(done.pages, figures, warnings))


def warn(lines: Iterable[str]) -> None:
    """Say what is wrong, though the build goes on."""
    for line in lines:
        click.echo(line, err=True)


def here(store: str) -> Path:
    """The folder where what is known of posts and pages is kept."""
    return Path(".whatfires/store" if "://" in store else store)


def told(out: Path, pages: int, computed: int, reused: int, written: int, removed: int, start: float) -> None:
    """Say what a build did, and where to look at it."""
    click.echo(
        f"{spec.counted(pages, 'page')}: {spec.counted(computed, 'figure')} computed, {reused:,} kept; "
        f"{spec.counted(written, 'file')} written, {removed:,} removed, "
        f"in {time.perf_counter() - start:.1f} s"
    )
    click.echo(f"Open {(out / 'index.html').resolve().as_uri()} or run: whatfires serve")


def verify_site(content: Path, store: str, drafts: bool, count: int, seed: int) -> NoReturn:
    """Say whether kept figures are what computing gives."""
    with lock.in_use(here(store), writing=False), progress.display(sys.stderr) as shows:
        found = verifying.verify(content, stores.store_at(store), count or None, seed, shows, drafts)
    for line in found.lines():
        click.echo(line)
    sys.exit(1 if found.differing else 0)


@main.command()
@click.argument("figure", metavar="[POST#ID]", required=False)
@takes_content
@OUT
@STORE
@click.option("--drafts", is_flag=True, help="Drafts, too.")
@tells_errors
def explain(figure: str | None, content: Path, out: Path, store: str, drafts: bool) -> None:
    """Say whether a figure is fresh or stale, and which of its inputs changed since the site was written.

    POST#ID is written posts/cells.md#quote-cell, cells#quote-cell, or quote-cell alone; a post alone means all its
    figures. Without it, each stale figure of the site is told in one line. Nothing is computed or written.
    """
    asked = plan.make_plan(content, artifact.Borrowed(stores.store_at(store)), progress.Quiet(), drafts, loading=False)
    if figure is None or figure.startswith("models/"):
        asked = pipeline.with_known_units(asked)
    every = list(asked.jobs)
    places = every if figure is None else calling.called(figure, every, asked.posts, content)
    for line in explaining.lines_of(
        explaining.explained(asked, places, explaining.shown_in(out / site_folder.REPORT)), whole=figure is None
    ):
        click.echo(line)


@main.command("plan")
@takes_content
@STORE
@CACHE
@click.option("--drafts", is_flag=True, help="Drafts, too.")
@click.option(
    "--sample",
    type=click.IntRange(min=0),
    default=2,
    show_default=True,
    help="Figures of each kind and model that are computed for it, and kept, where fewer are kept already.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    multiple=True,
    default=(1, 8, 64),
    show_default=True,
    help="Workers to estimate for, each a machine like this one. Can be repeated.",
)
@tells_errors
def plan_command(content: Path, store: str, cache: str, drafts: bool, sample: int, workers: tuple[int, ...]) -> None:
    """Say what a build would compute, and about how long it would take, before it is started.

    The estimate comes from figures that are kept already, and from a few that are computed for it: seconds, bytes in
    the store and bytes in the site, by kind and model.
    """
    kept = stores.store_at(store, cache)
    with lock.in_use(here(store)), progress.display(sys.stderr) as shows:
        asked = pipeline.with_units(plan.make_plan(content, kept, shows, drafts, loading=False), shows)
        found = estimate.estimate(asked, kept, shows, sample)
    warn(f"warning: {one}" for one in asked.deprecations)
    for line in estimate.lines_of(found, workers):
        click.echo(line)


@main.command()
@takes_content
@STORE
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many builds of each content folder count.",
)
@click.option(
    "--keep-under",
    metavar="SIZE",
    callback=lambda context, option, text: bytes_of(text),
    help="Remove only as much as it takes for the store to be no larger than this, such as 5GB: first what no build is "
    "known to have wanted, then what was wanted the most builds ago.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@tells_errors
def gc(content: Path, store: str, keep: int, keep_under: int | None, dry_run: bool) -> None:
    """Remove from the store what no build wants any more.

    What the last builds of this and of any other content folder wanted stays, with all that it needs to be computed
    again to the bit; so do the weights and unfinished trainings of models in site.toml. Not while a build uses it.
    """
    toml = spec.shown(content / "site.toml")
    shelf = library.Library(settings.read_settings(content, toml), content, stores.store_at(store))
    if shelf.errors:
        raise spec.BuildErrors([spec.BuildError(f"{toml}: {error.message}") for error in shelf.errors])
    with lock.in_use(here(store), alone=not dry_run, writing=not dry_run):
        found = unwanted.unwanted(shelf, keep, keep_under)
        count, size = len(found.artifacts), found.size
        for path in found.artifacts if dry_run else ():
            click.echo(f"{path} ({path.stat().st_size:,} bytes)")
        if not dry_run:
            found.remove()
    done = "would remove" if dry_run else "removed"
    click.echo(f"{done} {count} file{'s' * (count != 1)}, {size:,} bytes; {found.kept} are kept")
    if found.excess:
        raise spec.BuildError(
            f"the store is {found.excess:,} bytes larger than --keep-under: what builds want stays; have fewer builds "
            "count by --keep, or allow for more"
        )


@main.command()
@click.argument("name", metavar="POST#ID")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="File to write; its suffix says what it holds, such as .png or .html. Without it all are listed.",
)
@click.option("--control", is_flag=True, help="The figure's control in its place.")
@click.option("--checkpoint", metavar="STEP", default="", help="The figure at this one of the checkpoints it shows.")
@click.option("--again", is_flag=True, help="Compute it anew, and leave what is kept of it as it is.")
@takes_content
@STORE
@CACHE
@click.option("--drafts", is_flag=True, help="Look in drafts, too.")
@tells_errors
def figure(
    name: str,
    out: Path | None,
    control: bool,
    checkpoint: str,
    again: bool,
    content: Path,
    store: str,
    cache: str,
    drafts: bool,
) -> None:
    """Make one figure again, alone, with the site's very pixels.

    POST#ID is a figure as its page's address ends, such as posts/cells.html#quote-cell; posts/cells.md, cells, and an
    id that no other figure has, do as well. Without --out it says what can be written, and prints the measures.
    """
    if control and checkpoint:
        raise spec.BuildError("--control and --checkpoint: the control has no checkpoints; give one of them")
    with lock.in_use(here(store)), progress.display(sys.stderr) as shows:
        part = remaking.CONTROL if control else checkpoint
        made = remaking.remake(name, content, stores.store_at(store, cache), shows, out, part, again, drafts)
    for gap in made.gaps:
        click.echo(f"warning: {gap}", err=True)
    for file in made.files:
        click.echo(f"wrote {spec.shown(file)}")
    if out is not None:
        return
    click.echo(f"{made.name}: {made.kind}, key {made.key}")
    for written, what in remaking.offers(made):
        click.echo(f"  --out {written:24}{what}")
    for measure, value in made.artifact.measures.items():
        low, high = made.artifact.intervals.get(measure, (None, None))
        click.echo(f"{measure} = {value:g}" + ("" if low is None else f" ({low:g} to {high:g})"))


@main.command()
@click.argument("post")
@click.option(
    "--single-file", type=click.Path(path_type=Path), help="HTML file to write, with all that it needs in it."
)
@click.option("--pdf", type=click.Path(path_type=Path), help="PDF file to write; Chromium prints it.")
@takes_content
@OUT
@tells_errors
def export(post: str, single_file: Path | None, pdf: Path | None, content: Path, out: Path) -> None:
    """Write one page of the built site as one file that can be mailed.

    POST is a page as its address ends, such as posts/cells.html; posts/cells.md and cells do as well. The HTML file
    opens anywhere, without a network; figures that can be used on the site can be used in it.
    """
    if single_file is None and pdf is None:
        raise spec.BuildError("say what to write: --single-file FILE.html, --pdf FILE.pdf, or both")
    if not (out / "index.html").exists():
        raise spec.BuildError(f"there is no site in {spec.shown(out)} yet; run whatfires build")
    address = settings.read_settings(content, spec.shown(content / "site.toml")).base_url.rstrip("/")
    page = single_files.single_file(out, single_files.page_called(post, out), address)
    if single_file is not None:
        write(single_file, page)
    if pdf is not None:
        write(pdf, chromium.printed(page))


def write(path: Path, content: bytes) -> None:
    artifact.write_whole(path, content)
    click.echo(f"wrote {spec.shown(path)}: {len(content):,} bytes")


@main.command()
@click.argument("names", nargs=-1, required=True, metavar="FOLDER | post TITLE")
@takes_content
@tells_errors
def new(names: tuple[str, ...], content: Path) -> None:
    """Start a report in a new folder, or a post in the report that is here.

    \b
    whatfires new my-report             a folder with content, a network to put yours in place of, and a workflow that
                                        publishes it on GitHub Pages; it builds at once
    whatfires new post "How it counts"  content/posts/how-it-counts.md, a draft of today
    """
    if names[0] == "post":
        click.echo(f"wrote {spec.shown(starter.new_post(content, ' '.join(names[1:])))}")
        return
    if len(names) > 1:
        raise spec.BuildError(f"give one folder, or: whatfires new post {shlex.quote(' '.join(names))}")
    for path in starter.new_report(Path(names[0])):
        click.echo(f"wrote {spec.shown(path)}")
    click.echo(f"Now: cd {shlex.quote(names[0])} && whatfires serve")


@main.command()
@click.argument("model")
@click.option(
    "--to", type=click.Path(path_type=Path), help="Folder for the checkpoints.  [default: CONTENT/checkpoints/MODEL]"
)
@takes_content
@STORE
@tells_errors
def train(model: str, to: Path | None, content: Path, store: str) -> None:
    """Train MODEL by its recipe in site.toml and write its checkpoints, each with its card.

    A build trains a model itself where it finds no checkpoint; this command is for training once and
    keeping the weights beside the report. A training that was stopped, by Ctrl-C or in any other way, goes on
    from where it last was kept; that is so every minute.
    """
    asked = settings.read_settings(content, spec.shown(content / "site.toml"))
    start = time.perf_counter()
    with lock.in_use(here(store)), progress.display(sys.stderr) as shows:
        shelf = library.Library(
            asked, content, stores.store_at(store), lambda what, done, total: shows.advance(done, total, what)
        )
        if model not in shelf.models:
            raise spec.BuildError(
                f"no model {model!r} in {spec.shown(content / 'site.toml')}{spec.nearest(model, shelf.models)}"
            )
        shows.begin(1)
        shows.start(model)
        for trained in shelf.train(model):
            path = (to or content / "checkpoints" / model) / f"step-{trained.step:06d}.safetensors"
            weights.write_weights(path, trained.weights, shelf.card(model, trained, time.perf_counter() - start))
            told = ", ".join(f"{name} {value:g}" for name, value in trained.measures.items())
            click.echo(f"wrote {spec.shown(path)}: {told}")
        shelf.desk(model).clear()
        shows.finish(model, time.perf_counter() - start)


@main.command()
@takes_content
@STORE
@CACHE
@click.option("--drafts", is_flag=True, help="Check the claims of drafts, too.")
@click.option("--junit", type=click.Path(path_type=Path), help="Write the verdicts here as JUnit XML, for CI.")
@click.option("--markdown", type=click.Path(path_type=Path), help="Write them here as Markdown, for pull requests.")
@takes_crew
@tells_errors
def check(
    content: Path,
    store: str,
    cache: str,
    drafts: bool,
    junit: Path | None,
    markdown: Path | None,
    crew: Callable[[], runners.Crew],
) -> None:
    """Compute what the claims need and say which of them hold.

    The exit code is 0 where all hold, 1 where one is broken or something else is wrong, 2 where one could not be known.
    """
    kept = stores.store_at(store, cache)
    with lock.in_use(here(store)), progress.display(sys.stderr) as shows:
        asked = plan.make_plan(content, kept, shows, drafts, loading=False)
        found = pipeline.check_claims(asked, kept, shows, crew())
    warn(f"warning: {one}" for one in asked.deprecations)
    if junit:
        artifact.write_whole(junit, verdicts.junit(found))
    if markdown:
        artifact.write_whole(markdown, verdicts.markdown(found).encode())
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
@takes_content
@STORE
@CACHE
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder that the site is written to.  [default: .whatfires/serve; with --built: site]",
)
@click.option("--port", default=8000, show_default=True, help="Port on this machine, or the next that is free.")
@click.option("--drafts/--no-drafts", default=True, show_default=True, help="Show drafts.")
@click.option("--open", "browser", is_flag=True, help="Open it in the browser.")
@click.option("--built", is_flag=True, help="Build nothing: serve the site that `whatfires build` wrote.")
@tells_errors
def serve(
    content: Path, store: str, cache: str, out: Path | None, port: int, drafts: bool, browser: bool, built: bool
) -> None:
    """Show the report in a browser while you write it, until Ctrl-C.

    It is built, served on this machine, and built again when something changed; the browser follows. What is wrong is
    shown in the page, with its file and line; a figure that fails shows why in its place, and is tried again once
    something that it is made of has changed.
    """
    if built:
        folder = out or Path("site")
        if not (folder / "index.html").exists():
            raise spec.BuildError(f"there is no site in {spec.shown(folder)} yet; run whatfires build")
        serving.serve_built(folder, port, click.echo)
        return
    asked = rounds.Asked(content, out or Path(".whatfires/serve"), store, (), drafts, keep_going=True, cache=cache)
    serving.serve(asked, port, click.echo, browser)


@main.command()
@click.argument("kind", required=False)
@tells_errors
def kinds(kind: str | None) -> None:
    """List the kinds of figures, or teach one: its options, their values and defaults, and an example."""
    if kind is None:
        for name in figures.KINDS:
            click.echo(f"{name:18}{teaching.kind(name).summary}")
        click.echo("\nwhatfires kinds KIND tells all that can be asked of one.")
        return
    if kind not in figures.KINDS:
        raise spec.BuildError(f"no kind {kind!r}{spec.nearest(kind, figures.KINDS)}")
    taught = teaching.kind(kind)
    click.echo(f"{taught.summary}\n" + (f"\n{taught.more}\n" if taught.more else ""))
    for heading, rows in (("Options", taught.own), ("Options of all kinds that have them", taught.shared)):
        if rows:
            click.echo(f"{heading}:")
        for row in rows:
            default = f"default {row.default}" if row.default else "required"
            click.echo(f"  {click.style(row.name, bold=True)}: {row.values} ({default})")
            if row.about:
                click.echo(click.wrap_text(row.about, 100, "      ", "      "))
    click.echo(f"\n```figure\n{taught.example}\n```")


@main.command()
@click.argument("what", type=click.Choice(["figure", "claim", "front-matter", "site"]), default="figure")
@tells_errors
def schema(what: str) -> None:
    """Print the JSON Schema of figure blocks, claim blocks, front matter, or site.toml, for editors.

    Editors complete and check what is written by it, such as VS Code with its extensions for YAML and TOML.
    """
    click.echo(json.dumps(teaching.schema(what), indent=1, ensure_ascii=False))
