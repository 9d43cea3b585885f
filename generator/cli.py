"""The command line: what each command is called and takes. What it does, the module says that it calls."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator import __version__
from generator.deferred import Deferred
from generator.flags import CACHE, FAILED, OUT, STORE, Commands, number_or_all, size, takes_content, takes_crew, warn

if TYPE_CHECKING:
    from generator import (
        artifact,
        building,
        calling,
        checkpointing,
        chromium,
        estimate,
        files,
        machine,
        pipeline,
        plan,
        progress,
        remaking,
        report_diff,
        rounds,
        runners,
        serving,
        settings,
        site_folder,
        spec,
        starter,
        stores,
        teaching,
        unwanted,
        verdicts,
        watching,
    )
    from generator import explain as explaining
    from generator import single_file as single_files
else:
    # Each command loads what it needs: a build in which nothing changed is over before all of this would be.
    explaining, single_files = Deferred("generator.explain"), Deferred("generator.single_file")
    artifact = Deferred("generator.artifact")
    building = Deferred("generator.building")
    calling = Deferred("generator.calling")
    checkpointing = Deferred("generator.checkpointing")
    chromium = Deferred("generator.chromium")
    estimate = Deferred("generator.estimate")
    files = Deferred("generator.files")
    machine = Deferred("generator.machine")
    pipeline = Deferred("generator.pipeline")
    plan = Deferred("generator.plan")
    progress = Deferred("generator.progress")
    remaking = Deferred("generator.remaking")
    report_diff = Deferred("generator.report_diff")
    rounds = Deferred("generator.rounds")
    serving = Deferred("generator.serving")
    settings = Deferred("generator.settings")
    site_folder = Deferred("generator.site_folder")
    spec = Deferred("generator.spec")
    starter = Deferred("generator.starter")
    stores = Deferred("generator.stores")
    teaching = Deferred("generator.teaching")
    unwanted = Deferred("generator.unwanted")
    verdicts = Deferred("generator.verdicts")
    watching = Deferred("generator.watching")


def say(lines: Iterable[str]) -> None:
    """Print lines as they come."""
    for line in lines:
        click.echo(line)


def write(path: Path, content: bytes) -> None:
    files.write_whole(path, content)
    click.echo(f"wrote {spec.shown(path)}: {len(content):,} bytes")


def require_site(out: Path) -> Path:
    """The folder. BuildError where no site is in it."""
    if not (out / "index.html").exists():
        raise spec.BuildError(f"there is no site in {spec.shown(out)} yet; run whatfires build")
    return out


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
    type=number_or_all,
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
def build(
    content: Path,
    out: Path,
    store: str,
    cache: str | None,
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
        well = building.verify(content, store, drafts, verify, verify_seed)
    elif folders:
        watching.watch(rounds.Asked(content, out, store, folders, drafts, again, crew(), keep_going, cache), click.echo)
        return
    else:
        well = building.build(content, out, store, cache, drafts, again, base_url, keep_going, crew)
    if not well:
        sys.exit(FAILED)


@main.command()
@click.argument("figure", metavar="[POST#ID]", required=False)
@takes_content
@OUT
@STORE
@click.option("--drafts", is_flag=True, help="Drafts, too.")
def explain(figure: str | None, content: Path, out: Path, store: str, drafts: bool) -> None:
    """Say whether a figure is fresh or stale, and which of its inputs changed since the site was written.

    POST#ID is written posts/cells.md#quote-cell, cells#quote-cell, or quote-cell alone; a post alone means all its
    figures. Without it, each stale figure of the site is told in one line. Nothing is computed or written.
    """
    kept = artifact.Borrowed(stores.store_at(store))
    kept.tell = lambda line: None  # what is damaged is told with its figure
    asked = plan.make_plan(content, kept, progress.Quiet(), drafts, loading=False)
    if figure is None or figure.startswith("models/"):
        asked = pipeline.with_known_units(asked)
    every = list(asked.jobs)
    places = every if figure is None else calling.called(figure, every, asked.posts, content)
    accounts = explaining.explained(asked, places, explaining.shown_in(out / site_folder.REPORT))
    say(explaining.lines_of(accounts, whole=figure is None))


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
def plan_command(
    content: Path, store: str, cache: str | None, drafts: bool, sample: int, workers: tuple[int, ...]
) -> None:
    """Say what a build would compute, and about how long it would take, before it is started.

    The estimate comes from figures that are kept already, and from a few that are computed for it: seconds, bytes in
    the store and bytes in the site, by kind and model.
    """
    kept = stores.store_of(content, store, cache)
    with building.at_work(store) as shows:
        asked = pipeline.with_units(plan.make_plan(content, kept, shows, drafts, loading=False), shows)
        found = estimate.estimate(asked, kept, shows, sample)
    warn(f"warning: {one}" for one in asked.deprecations)
    say(estimate.lines_of(found, workers))


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
    type=size,
    help="Remove only as much as it takes for the store to be no larger than this, such as 5GB: first what no build is "
    "known to have wanted, then what was wanted the most builds ago.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
def gc(content: Path, store: str, keep: int, keep_under: int | None, dry_run: bool) -> None:
    """Remove from the store what no build wants any more.

    What the last builds of this and of any other content folder wanted stays, with all that it needs to be computed
    again to the bit; so do the weights and unfinished trainings of models in site.toml. Not while a build uses it.
    """
    say(unwanted.clean(content, stores.store_at(store), keep, keep_under, dry_run))


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
def figure(
    name: str,
    out: Path | None,
    control: bool,
    checkpoint: str,
    again: bool,
    content: Path,
    store: str,
    cache: str | None,
    drafts: bool,
) -> None:
    """Make one figure again, alone, with the site's very pixels.

    POST#ID is a figure as its page's address ends, such as posts/cells.html#quote-cell; posts/cells.md, cells, and an
    id that no other figure has, do as well. Without --out it says what can be written, and prints the measures.
    """
    if control and checkpoint:
        raise spec.BuildError("--control and --checkpoint: the control has no checkpoints; give one of them")
    with building.at_work(store) as shows:
        part = remaking.CONTROL if control else checkpoint
        made = remaking.remake(name, content, stores.store_of(content, store, cache), shows, out, part, again, drafts)
    warn(f"warning: {gap}" for gap in made.gaps)
    say(f"wrote {spec.shown(file)}" for file in made.files)
    if out is None:
        say(remaking.lines_of(made))


@main.command()
@click.argument("post")
@click.option(
    "--single-file", type=click.Path(path_type=Path), help="HTML file to write, with all that it needs in it."
)
@click.option("--pdf", type=click.Path(path_type=Path), help="PDF file to write; Chromium prints it.")
@takes_content
@OUT
def export(post: str, single_file: Path | None, pdf: Path | None, content: Path, out: Path) -> None:
    """Write one page of the built site as one file that can be mailed.

    POST is a page as its address ends, such as posts/cells.html; posts/cells.md and cells do as well. The HTML file
    opens anywhere, without a network; figures that can be used on the site can be used in it.
    """
    if single_file is None and pdf is None:
        raise spec.BuildError("say what to write: --single-file FILE.html, --pdf FILE.pdf, or both")
    require_site(out)
    address = settings.read_settings(content, spec.shown(content / "site.toml")).base_url.rstrip("/")
    page = single_files.single_file(out, single_files.page_called(post, out), address)
    if single_file is not None:
        write(single_file, page)
    if pdf is not None:
        write(pdf, chromium.printed(page))


@main.command()
@click.argument("names", nargs=-1, required=True, metavar="FOLDER | post TITLE")
@takes_content
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
    say(f"wrote {spec.shown(path)}" for path in starter.new_report(Path(names[0])))
    click.echo(f"Now: cd {shlex.quote(names[0])} && whatfires serve")


@main.command()
@click.argument("model")
@click.option(
    "--to", type=click.Path(path_type=Path), help="Folder for the checkpoints.  [default: CONTENT/checkpoints/MODEL]"
)
@takes_content
@STORE
def train(model: str, to: Path | None, content: Path, store: str) -> None:
    """Train MODEL by its recipe in site.toml and write its checkpoints, each with its card.

    A build trains a model itself where it finds no checkpoint; this command is for training once and
    keeping the weights beside the report. A training that was stopped, by Ctrl-C or in any other way, goes on
    from where it last was kept; that is so every minute.
    """
    with building.at_work(store) as shows:
        say(checkpointing.train(model, content, stores.store_at(store), shows, to))


@main.command()
@takes_content
@STORE
@CACHE
@click.option("--drafts", is_flag=True, help="Check the claims of drafts, too.")
@click.option("--junit", type=click.Path(path_type=Path), help="Write the verdicts here as JUnit XML, for CI.")
@click.option("--markdown", type=click.Path(path_type=Path), help="Write them here as Markdown, for pull requests.")
@takes_crew
def check(
    content: Path,
    store: str,
    cache: str | None,
    drafts: bool,
    junit: Path | None,
    markdown: Path | None,
    crew: Callable[[], runners.Crew],
) -> None:
    """Compute what the claims need and say which of them hold.

    The exit code is 0 where all hold, 1 where one is broken or something else is wrong, 2 where one could not be known.
    """
    kept = stores.store_of(content, store, cache)
    with building.at_work(store) as shows:
        asked = plan.make_plan(content, kept, shows, drafts, loading=False)
        found = pipeline.check_claims(asked, kept, shows, crew())
    warn(f"warning: {one}" for one in asked.deprecations)
    if junit:
        files.write_whole(junit, verdicts.junit(found))
    if markdown:
        files.write_whole(markdown, verdicts.markdown(found).encode())
    click.echo(verdicts.table(found))
    sys.exit(verdicts.exit_code(found))


@main.group()
def report() -> None:
    """Work with the report.json of built sites."""


@report.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--markdown", is_flag=True, help="Print Markdown, for a pull request.")
def diff(old: Path, new: Path, markdown: bool) -> None:
    """Say what changed from the build of report OLD to that of NEW.

    Claims that flipped, models with other weights, figures that were computed anew, and measures that changed, of
    those that carry intervals only those that changed beyond them.
    """
    say(report_diff.lines_of(report_diff.read_report(old), report_diff.read_report(new), markdown))


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
def serve(
    content: Path, store: str, cache: str | None, out: Path | None, port: int, drafts: bool, browser: bool, built: bool
) -> None:
    """Show the report in a browser while you write it, until Ctrl-C.

    It is built, served on this machine, and built again when something changed; the browser follows. What is wrong is
    shown in the page, with its file and line; a figure that fails shows why in its place, and is tried again once
    something that it is made of has changed.
    """
    if built:
        serving.serve_built(require_site(out or Path("site")), port, click.echo)
        return
    asked = rounds.Asked(content, out or Path(".whatfires/serve"), store, (), drafts, keep_going=True, cache=cache)
    serving.serve(asked, port, click.echo, browser)


@main.command()
@click.argument("kind", required=False)
def kinds(kind: str | None) -> None:
    """List the kinds of figures, or teach one: its options, their values and defaults, and an example."""
    say(teaching.lines_of_kinds() if kind is None else teaching.lines_of(kind))


@main.command()
@click.argument("what", type=click.Choice(["figure", "claim", "front-matter", "site"]), default="figure")
def schema(what: str) -> None:
    """Print the JSON Schema of figure blocks, claim blocks, front matter, or site.toml, for editors.

    Editors complete and check what is written by it, such as VS Code with its extensions for YAML and TOML.
    """
    click.echo(json.dumps(teaching.schema(what), indent=1, ensure_ascii=False))
