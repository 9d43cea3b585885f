"""What is in the packages that are published, and that they work where there is no checkout."""

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml

from generator import __version__
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel and a source distribution, in a folder."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked as an installer would."""
    folder = tmp_path_factory.mktemp("site-packages")
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        wheel.extractall(folder)
    return folder


def run(installed: Path, folder: Path, *given: str) -> subprocess.CompletedProcess[str]:
    code = f"import sys; from generator.cli import main; main({list(given)!r})"
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    return subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_a_wheel_has_code_templates_and_types_and_nothing_else(installed: Path) -> None:
    files = {path.relative_to(installed).as_posix() for path in installed.rglob("*") if path.is_file()}
    ours = {f"generator/{path.relative_to(ROOT / 'generator')}" for path in (ROOT / "generator").rglob("*.py*")}
    theme = {f"generator/theme/{path.relative_to(ROOT / 'templates')}" for path in (ROOT / "templates").rglob("*.*")}
    about = {name for name in files if ".dist-info/" in name}

    assert {name for name in ours if "__pycache__" not in name} <= files
    assert theme <= files
    assert "generator/py.typed" in files
    assert {name.partition("/")[0] for name in files - about} == {"generator"}
    assert any(name.endswith("licenses/LICENSE") for name in about)


def test_a_source_distribution_has_the_tests_and_no_site_or_weights(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {"LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "CITATION.cff"} <= names
    assert {"templates/base.html", "tests/test_packaging.py"} <= names
    assert not [name for name in names if name.startswith(("site/", "content/checkpoints/", ".whatfires"))]


def test_an_installed_package_starts_a_report_and_builds_it(installed: Path, tmp_path: Path) -> None:
    started = run(installed, tmp_path, "new", "my-report")
    done = run(installed, tmp_path / "my-report", "build")
    page = (tmp_path / "my-report" / "site" / "posts" / "what-does-it-see.html").read_text()

    assert started.returncode == done.returncode == 0, started.stderr + done.stderr
    assert '<figure id="' in page
    assert run(installed, tmp_path, "schema", "figure").stdout.startswith("{")


def test_the_version_that_is_cited_is_ours_and_its_changes_are_told() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    newest = re.search(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert str(cited["version"]) == __version__, "CITATION.cff and generator/__init__.py have different versions"
    assert newest, "CHANGELOG.md has no section"
    assert re.fullmatch(rf"Unreleased|{re.escape(__version__)} \(\d{{4}}-\d\d-\d\d\)", newest[1]), newest[1]
