"""All that processes of tests need, loaded: what they are forked from, for each would load it for seconds."""

import gc
from importlib import import_module

gc.disable()  # none of it is rubbish, now or ever
for name in (
    "distributed.cli.dask_scheduler",
    "distributed.cli.dask_worker",
    "s3fs",
    "sklearn.datasets",
    "torch._dynamo",
    "generator.warm.figures",
    "generator.warm.pages",
):
    import_module(name)
gc.freeze()
gc.enable()
