"""Points of many dimensions, laid out in the plane so that neighbours stay neighbours, by one of three methods.

Only the angles between points count, as in Carter et al., 2019. The same seed gives the same layout.
"""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from generator.deferred import Deferred

if TYPE_CHECKING:
    import sklearn.manifold as manifold
    import threadpoolctl
    import umap
else:
    manifold, threadpoolctl, umap = Deferred("sklearn.manifold"), Deferred("threadpoolctl"), Deferred("umap")

Layout = Literal["umap", "tsne", "pca"]
PERPLEXITY = 30.0  # van der Maaten and Hinton's middle value
NEIGHBOURS = 15  # that UMAP looks at: its own default
LIBRARIES = {"umap": ("umap", "atlas"), "tsne": ("sklearn", "examples")}  # and the extra of ours that brings each


def missing(method: Layout) -> str:
    """Why the method cannot be used here, "" where it can."""
    library, extra = LIBRARIES.get(method, ("numpy", ""))
    if find_spec(library) is not None:
        return ""
    return f"layout {method} needs the package {library}: pip install 'whatfires[{extra}]', or choose layout pca"


def laid_out(points: NDArray[np.float32], method: Layout, seed: int) -> NDArray[np.float64]:
    """(points, dimensions) to (points, 2)."""
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    directions = points.astype(np.float64) / np.maximum(lengths, 1e-12)
    return METHODS[method](directions, seed)


def pca(directions: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """The two directions in which the points vary most; the sign of each so that its largest weight is positive."""
    centred = directions - directions.mean(0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    axes = np.vstack([axes, np.zeros_like(axes)])[:2]  # of points of one dimension, too
    largest = axes[np.arange(2), np.abs(axes).argmax(1)]
    return np.asarray(centred @ (axes * np.where(largest < 0, -1, 1)[:, None]).T)


def tsne(directions: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Van der Maaten and Hinton, 2008, from the first two principal components."""
    perplexity = min(PERPLEXITY, (len(directions) - 1) / 3)
    # More threads would add up the same numbers in another order.
    with threadpoolctl.threadpool_limits(1):
        found = manifold.TSNE(perplexity=perplexity, init=pca(directions, seed) * 1e-4, random_state=seed, n_jobs=1)
        return np.asarray(found.fit_transform(directions.astype(np.float32)), dtype=np.float64)


def by_umap(directions: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """McInnes, Healy and Melville, 2018, https://arxiv.org/abs/1802.03426."""
    neighbours = min(NEIGHBOURS, len(directions) - 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that TensorFlow is not installed, and that a seed means one thread
        found = umap.UMAP(n_neighbors=neighbours, random_state=seed, n_jobs=1)
        return np.asarray(found.fit_transform(directions.astype(np.float32)), dtype=np.float64)


METHODS = {"umap": by_umap, "tsne": tsne, "pca": pca}
