import sys
from types import ModuleType

import numpy as np
import pytest

from generator.layouts import laid_out, missing


def clusters():
    """Three bundles of twelve directions each, in eight dimensions."""
    noise = np.random.default_rng(0).normal(0, 0.05, (36, 8))
    return (np.repeat(np.eye(3, 8), 12, axis=0) + noise).astype(np.float32)


@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_the_nearest_point_is_of_the_same_bundle(method):
    plane = laid_out(clusters(), method, 0)

    distances = np.linalg.norm(plane[:, None] - plane[None], axis=2) + 1e9 * np.eye(36)
    assert plane.shape == (36, 2)
    assert (distances.argmin(1) // 12 == np.arange(36) // 12).mean() >= 0.95


@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_the_same_seed_gives_the_same_layout(method):
    assert np.array_equal(laid_out(clusters(), method, 3), laid_out(clusters(), method, 3))


@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_only_angles_count(method):
    points = clusters()
    longer = points * np.float32(2.0) ** np.arange(36)[:, None].astype(np.float32)

    np.testing.assert_allclose(laid_out(longer, method, 0), laid_out(points, method, 0), rtol=1e-6)


def test_points_of_one_dimension_have_a_layout():
    assert laid_out(np.array([[1.0], [-1.0], [2.0]], np.float32), "pca", 0)[:, 1].tolist() == [0, 0, 0]


def test_umap_gets_the_seed_and_one_thread(monkeypatch):
    class UMAP:
        def __init__(self, **settings):
            self.settings = settings

        def fit_transform(self, points):
            assert self.settings == {"n_neighbors": 15, "random_state": 7, "n_jobs": 1}
            return points[:, :2]

    stand_in = ModuleType("umap")
    stand_in.UMAP = UMAP  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "umap", stand_in)

    assert laid_out(clusters(), "umap", 7).shape == (36, 2)


@pytest.mark.parametrize(("method", "module", "extra"), [("umap", "umap", "atlas"), ("tsne", "sklearn", "examples")])
def test_without_its_library_a_layout_names_the_command_that_brings_it(monkeypatch, method, module, extra):
    monkeypatch.setitem(sys.modules, module, None)

    assert f"layout {method} needs the package {module}: pip install 'whatfires[{extra}]'" in missing(method)


def test_principal_components_need_nothing_more():
    assert missing("pca") == ""
