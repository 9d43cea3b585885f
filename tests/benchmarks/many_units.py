"""Whether more units take longer each: as many pictures of a layer as are asked for, beside sixteen of them.

There is no peer: both sides are ours, and `theirs` is the sixteen. A layer with fewer units than are asked for is
grown again, from other seeds.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from generator import interp
from tests.benchmarks import ours
from tests.benchmarks.child import Task, answer, seconds, task
from tests.benchmarks.harness import Benchmark, Outcome, Side

FEW = 16
SIZES = (FEW, 64, 256, 1024)


def grow(given: Task) -> None:
    """Seconds for a unit: on our side of the largest number, and beside it of every one; on the other of the fewest."""
    setting = given.setting
    network, normalise = ours.network(setting["network"])
    layer, size = ours.layer(setting["layer"]), setting["size"]
    example = normalise(interp.parameterisation.Pixels([0], size, size).images().detach())
    pace = interp.pace.measured(network, (layer,), example)  # once for a network; a build keeps it

    def work(count: int, steps: int) -> Any:
        channels = [number % setting["width"] for number in range(count)]
        return interp.visualise.visualise(
            network,
            interp.objectives.channel(layer, channels),
            interp.parameterisation.Fourier(range(count), size, size),
            normalise=normalise,
            seeds=range(count),
            steps=steps,
            flat=0,
            pace=pace,
        )

    work(FEW, 1)  # warm
    spent = {}
    for count in setting[given.folder.name.partition("-")[0]]:
        spent[count] = seconds(lambda count=count: work(count, setting["steps"])) / count  # type: ignore[misc]
    answer(spent[max(spent)], units_per_minute={str(count): 60 / one for count, one in spent.items()})


def quality(ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> dict[str, float]:
    """Units per minute by number of units, the median of all runs, and the lowest of them over the highest."""
    rates = {
        f"per-minute.{count}": statistics.median(one.details["units_per_minute"][count] for one in ours)
        for count in ours[0].details["units_per_minute"]
    }
    return rates | {"flat": min(rates.values()) / max(rates.values())}


SIDE = Side("tests.benchmarks.many_units")
BENCHMARK = Benchmark(
    "units-per-minute",
    "16, 64, 256 and 1,024 pictures of units of a layer of EfficientNet-Lite0, 64 px, 8 steps: seconds for a unit of "
    "1,024, beside those for a unit of 16; units per minute stay flat within 20 %",
    "whatfires at 16 units",
    0.8,
    SIDE,
    SIDE,
    {
        "network": "efficientnet-lite0",
        "layer": "_blocks.9",
        "width": 112,
        "size": 64,
        "steps": 8,
        "ours": SIZES,
        "theirs": (FEW,),
    },
    quality=quality,
    least={"flat": 0.8},
)

if __name__ == "__main__":
    grow(task())
