"""Sites whose figures are computed by workers: what kills them, and what must be the same whoever computes."""

from __future__ import annotations

import shutil
from pathlib import Path

from generator.artifact import ArtifactStore
from generator.pipeline import Outcome, Stage, build
from generator.runners import Crew
from generator.stores import store_at
from tests.conftest import SITE_TOML, SmallSite

NETWORK = """
[models.{0}]
source = "python"
factory = "{1}"
height = 32
width = 32
classes = ["a", "b", "c", "d", "e"]
"""
DEADLY = """
import multiprocessing
import os
import signal
from pathlib import Path

from tests import nets

LEFT = Path({left!r})


def make():
    left = int(LEFT.read_text())
    if left and multiprocessing.parent_process() is not None:
        LEFT.write_text(str(left - 1))
        os.kill(os.getpid(), signal.SIGKILL)
    return nets.vision()
"""
IMAGE = "```figure\nid: {0}\nkind: class-image\nmodel: {1}\nclasses: [{2}]\nsteps: 1\nsize: 32\n```\n\n"
TEXTS = (
    "```figure\nid: written\nkind: sample\nmodel: tiny-text\nlength: 30\ntemperatures: [1.0]\n```\n\n"
    "```figure\nid: more\nkind: sample\nmodel: tiny-text\nlength: 31\ntemperatures: [1.0]\n```\n\n"
    "```figure\nid: seen\nkind: templates\nmodel: tiny-linear\n```\n\n"
)
HEAD = "---\ntitle: A post\ndate: 2026-01-02\n---\n\n"


def of_each_kind(site: SmallSite) -> None:
    """Figures of networks that the build trains, of one that is random, and a control."""
    control = IMAGE.format("held", "tiny-vision", "e").replace("steps", "control: random-weights\nsteps")
    images = "".join(IMAGE.format(f"image-{one}", "tiny-vision", one) for one in "abcd")
    site.post(HEAD + TEXTS + images + control)


def with_deadly(site: SmallSite, left: int) -> None:
    """A site with a network that ends so many of the workers that load it; and one that does not."""
    (site.content / "left").write_text(str(left))
    (site.content / "deadly.py").write_text(DEADLY.format(left=str(site.content / "left")))
    site.toml(SITE_TOML + NETWORK.format("deadly", "deadly:make"))
    images = "".join(IMAGE.format(f"image-{one}", "tiny-vision", one) for one in "abcd")
    site.post(HEAD + IMAGE.format("doomed", "deadly", "a") + images)


def without_figures(store: ArtifactStore) -> str:
    """A copy of a store that keeps what was measured of this machine, and no figures or weights; its address.

    How a network runs fastest is measured, and comes out otherwise now and then: so it is what two sites must share
    that are to be the same to the byte.
    """
    copy = store.folder.with_name("copied")
    shutil.copytree(store.folder, copy)
    for path in copy.glob("??/*.npz"):
        if "machine" not in store.provenance(path.stem).get("ingredients", {}):
            path.unlink()
    shutil.rmtree(copy / "posts", ignore_errors=True)
    return str(copy)


def pages(site: SmallSite) -> dict[str, bytes]:
    """The bytes of all files of a site that are the same whoever computed it: the report tells who, and how long."""
    return {name: content for name, content in site.files().items() if name != "report.json"}


def built(site: SmallSite, crew: Crew, store: str = "", out: Path | None = None) -> Outcome:
    return build(site.content, out or site.out, store_at(store or str(site.store.folder)), stage=Stage(crew=crew))
