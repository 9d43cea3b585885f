"""What is not done for an author who is not trusted: `--untrusted`, to build a report that another person wrote.

An author may name code that runs (factories, tokenizers, functions of concepts, page templates), files anywhere and
downloads. For one who is not trusted only what Whatfires itself does is done, with files of their own content folder.

It is a property of the process and not of a call, so that no way to the content can forget it; the processes that this
one starts have it, too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from generator.spec import BuildError, BuildErrors, Options, Place, options_in, shown

VARIABLE = "WHATFIRES_UNTRUSTED"
REFUSED = "which --untrusted refuses"
SOURCES = {  # of models and data that run nothing of an author's; any other is refused
    "linear-svm", "char-rnn", "efficientnet-lite", "torchvision", "transformers",
    "cifar10", "digits", "image-folder", "photographs", "python-stdlib", "text",
}  # fmt: skip
FILES = {"path", "masks", "folder", "checkpoints", "dictionaries", "pretrained"}  # settings that name files
MOST_TOLD = 20  # of what is wrong with a folder


def distrusted() -> bool:
    """Whether the author of what this process reads is not trusted."""
    return os.environ.get(VARIABLE, "").lower() not in ("", "0", "no", "false", "off")


def distrust() -> None:
    """From now on, for this process and those that it starts."""
    os.environ[VARIABLE] = "1"


def check_folder(content: Path) -> None:
    """BuildErrors of links that lead out of the content folder, and of what is neither file nor folder."""
    home = content.resolve()
    errors = []
    for folder, folders, files in os.walk(content):
        for path in (Path(folder, name) for name in sorted((*folders, *files))):
            if links_out(path, home):
                errors.append(BuildError(f"is a link out of the content folder, {REFUSED}", Place(shown(path))))
            elif path.exists() and not path.is_file() and not path.is_dir():
                errors.append(BuildError(f"is neither a file nor a folder, {REFUSED}", Place(shown(path))))
    if errors:
        raise BuildErrors(errors[:MOST_TOLD])


def links_out(path: Path, home: Path) -> bool:
    """Whether it is a link to what does not lie below `home`, which is resolved; one that leads to itself is none."""
    try:
        return path.is_symlink() and not path.resolve().is_relative_to(home)
    except RuntimeError:  # of a loop, until Python 3.13
        return False


def leads_out(path: str) -> bool:
    """Whether a path is not one of a file below the folder that it is relative to, on any system.

    >>> leads_out("texts/*.txt"), leads_out("../texts"), leads_out("/etc/passwd"), leads_out("C:\\\\texts")
    (False, True, True, True)
    """
    posix, windows = PurePosixPath(path), PureWindowsPath(path)
    return posix.is_absolute() or bool(windows.anchor) or ".." in windows.parts


def refused_in_row(settings: Options, content: Path) -> Iterator[tuple[str, str]]:
    """(key, why) of what a row of site.toml asks for and does not get."""
    source = getattr(settings, "source", "")
    if source not in SOURCES:
        yield "source", f"{source!r} runs code that the author names, {REFUSED}"
    for key, value in settings:
        if key in FILES and key in settings.model_fields_set:
            for path in paths_in(value):
                if leads_out(path):
                    yield key, f"{path!r} is not in the content folder, {REFUSED}"
        elif key == "download" and value:
            yield key, f"a download, {REFUSED}"
    pretrained = getattr(settings, "pretrained", None)
    if pretrained and not (content / pretrained).is_dir():
        yield "pretrained", f"there is no folder {pretrained!r} in the content folder, and another model is refused"


def paths_in(value: Any) -> list[str]:
    """The paths that a setting holds: one, several, or several by name."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value.values() if isinstance(value, Mapping) else value)


def refused_in_figure(options: Options | None) -> Iterator[tuple[str, str]]:
    """(key, why) of what a figure's options ask for and do not get, at any depth."""
    for key, value in options_in(options):
        last = key.rpartition(".")[2]
        if last == "functions" and value:
            yield key, f"functions of the author's own, {REFUSED}"
        elif last == "concepts" and isinstance(value, Mapping) and value:
            yield key, f"patterns of the author's own, which may match without end, {REFUSED}"
        elif last == "file" and isinstance(value, str) and leads_out(value):
            yield key, f"{value!r} is not in the content folder, {REFUSED}"
