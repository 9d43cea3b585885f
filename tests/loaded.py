"""All that processes of tests need, loaded: what they are forked from, for each would load it for seconds."""

import gc

import distributed.cli.dask_scheduler
import distributed.cli.dask_worker
import s3fs
import sklearn.datasets
import torch._dynamo

import generator.warm.figures
import generator.warm.pages

__all__ = ["distributed", "generator", "s3fs", "sklearn", "torch"]

gc.freeze()  # none of it is rubbish, ever
