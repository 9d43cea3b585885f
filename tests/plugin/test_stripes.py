"""What this package adds keeps the contracts of Whatfires; run by pytest where the package is installed."""

from pathlib import Path

import pytest

from generator.testing import ConceptContract, DatasetContract, KindContract, ModelContract, Report, ThemeContract

TOML = '[datasets.stripes]\nsource = "stripes"\n\n[models.edges]\nsource = "edges"\n'


@pytest.fixture
def report(tmp_path: Path) -> Report:
    return Report(tmp_path, TOML)


@pytest.mark.parametrize("kind", ["mean-stripes"])
class TestKinds(KindContract): ...


@pytest.mark.parametrize("model", ["edges"])
class TestModels(ModelContract): ...


@pytest.mark.parametrize("dataset", ["stripes"])
class TestDatasets(DatasetContract): ...


@pytest.mark.parametrize("concept", ["whatfires_stripes.concepts:shouting"])
class TestConcepts(ConceptContract): ...


@pytest.mark.parametrize("theme", ["night"])
class TestThemes(ThemeContract): ...
