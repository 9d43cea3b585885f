"""What changes while a build is at work leaves no artifact under a key that tells of what was there before."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from generator import weights
from generator.figures import sample
from generator.inputs import Inputs
from generator.runners import here
from generator.spec import BuildErrors
from tests import nets
from tests.conftest import POST, SITE_TOML, SmallSite

VISION = SITE_TOML.replace(
    'factory = "tests.nets:vision"', 'factory = "tests.nets:vision"\ncheckpoints = "*.safetensors"'
)
DREAM = "id: t\nkind: class-image\nmodel: tiny-vision\nclasses: [a]\nsteps: 1\nsize: 32\n"


def checkpoint(site: SmallSite, seed: int, step: int = 1) -> Path:
    path = site.content / f"step-{step}.safetensors"
    torch.manual_seed(seed)
    save_file(nets.vision().state_dict(), path)
    return path


def keys(site: SmallSite) -> set[str]:
    """Of artifacts that tell what they are made of."""
    every = (path.stem for path in site.store.folder.glob("*/*.npz"))
    return {key for key in every if (kept := site.store.get(key)) is not None and kept.provenance}


def when_jobs_begin(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Let something happen after the plan was made, and before anything is computed."""
    run = here.run

    def changed(*given: object) -> object:
        change()
        return run(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(here, "run", changed)


def test_weights_that_changed_since_the_plan_are_refused_and_nothing_is_kept_of_them(
    small_site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_site.toml(VISION)
    small_site.figure(DREAM)
    checkpoint(small_site, 0)
    digest = weights.AsTheyAre.digest

    def then_changed(self: weights.AsTheyAre, path: Path) -> str:
        found = digest(self, path)
        checkpoint(small_site, 1)
        return found

    monkeypatch.setattr(weights.AsTheyAre, "digest", then_changed)
    with pytest.raises(BuildErrors, match=r"step-1.safetensors changed while the build was at work; build again"):
        small_site.build()
    monkeypatch.undo()
    monkeypatch.chdir(small_site.folder)

    assert keys(small_site) == set()
    assert small_site.build().computed == 1


def test_a_checkpoint_that_is_removed_since_the_plan_is_told(
    small_site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_site.toml(VISION)
    small_site.figure(DREAM)
    path = checkpoint(small_site, 0)
    digest = weights.AsTheyAre.digest

    def then_removed(self: weights.AsTheyAre, path: Path) -> str:
        found = digest(self, path)
        path.unlink()
        return found

    monkeypatch.setattr(weights.AsTheyAre, "digest", then_removed)
    with pytest.raises(BuildErrors, match=f"checkpoint .*{path.name} was removed while the build was at work"):
        small_site.build()


def test_a_checkpoint_that_comes_while_a_build_is_at_work_waits_for_the_next(
    small_site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_site.toml(VISION)
    small_site.figure(DREAM)
    checkpoint(small_site, 0)
    when_jobs_begin(monkeypatch, lambda: checkpoint(small_site, 1, step=2))
    small_site.build()
    first = small_site.read("report.json")
    monkeypatch.undo()
    monkeypatch.chdir(small_site.folder)

    assert '"checkpoint": "step-1.safetensors"' in first
    assert small_site.build().computed == 1
    assert '"checkpoint": "step-2.safetensors"' in small_site.read("report.json")


def test_data_that_change_while_figures_are_computed_leave_nothing_of_them_in_the_store(
    small_site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the figure, nor the weights that were trained on them, nor what figures share."""
    small_site.figure("id: t\nkind: unit-census\nmodel: tiny-text\ndataset: tiny-corpus\ndocuments: 3\nlength: 200\n")
    text = small_site.content / "texts" / "text0.py"
    when_jobs_begin(monkeypatch, lambda: text.write_text("print('other')\n" * 50))
    with pytest.raises(BuildErrors, match="data set tiny-corpus changed while figures were computed from it"):
        small_site.build()
    left = keys(small_site)
    monkeypatch.undo()
    monkeypatch.chdir(small_site.folder)
    small_site.build()

    assert left == set()
    assert keys(small_site)


def test_figures_of_other_data_are_kept_where_some_changed(
    small_site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_site.toml(SITE_TOML + '\n[datasets.other]\nsource = "text"\npath = "other/*.txt"\n')
    other = small_site.content / "other" / "a.txt"
    other.parent.mkdir()
    other.write_text("abc" * 100)
    figure = "\n```figure\nid: read\nkind: activation-text\nmodel: tiny-text\nunits: [{index: 1}]\ntext: {dataset: other, split: train, length: 9}\n```\n"
    small_site.post(POST + figure)
    when_jobs_begin(monkeypatch, lambda: other.write_text("xyz" * 100))
    with pytest.raises(BuildErrors, match="data set other changed"):
        small_site.build()
    monkeypatch.undo()
    monkeypatch.chdir(small_site.folder)

    done = small_site.build()
    assert (done.computed, done.reused) == (1, 1)


def test_a_picture_of_the_content_that_changes_while_it_is_shown_is_told(
    small_site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = small_site.content / "a.png"
    Image.new("RGB", (32, 32), "red").save(picture)
    small_site.figure("id: t\nkind: activation-maps\nmodel: tiny-vision\nlayer: conv1\nimage: {file: a.png}\n")
    when_jobs_begin(monkeypatch, lambda: Image.new("RGB", (32, 32), "blue").save(picture))

    with pytest.raises(BuildErrors, match=r"file content/a.png changed while figures were computed from it"):
        small_site.build()
    assert keys(small_site) == set()


def test_what_an_interrupted_build_computed_from_data_that_changed_is_not_kept(
    small_site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(options: object, inputs: Inputs) -> None:
        assert inputs.model  # which is trained for it, on the data that change then
        (small_site.content / "texts" / "text0.py").write_text("print('other')\n" * 50)
        raise KeyboardInterrupt

    monkeypatch.setattr(sample, "compute", interrupted)
    with pytest.raises(KeyboardInterrupt):
        small_site.build()

    assert keys(small_site) == set()


def test_a_checkpoint_of_a_timeline_that_changed_since_the_plan_is_no_gap_in_it(
    small_site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_site.toml(VISION)
    small_site.figure(DREAM + "checkpoint: all\n")
    checkpoint(small_site, 0)
    checkpoint(small_site, 1, step=2)
    when_jobs_begin(monkeypatch, lambda: checkpoint(small_site, 9))

    with pytest.raises(BuildErrors, match=r"step-1.safetensors changed while the build was at work; build again"):
        small_site.build()
