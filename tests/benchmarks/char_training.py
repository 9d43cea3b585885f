"""Training character LSTMs, beside the plain loop of PyTorch's char-rnn ports: time for the same characters.

How many threads, and whether in bfloat16, is measured before: a training of many millions of characters does it once.
The loss afterwards, on text that follows, must be as low as theirs: each loop begins where it does by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from generator import interp, machine
from generator.deferred import Deferred
from tests.benchmarks import corpora, losses
from tests.benchmarks.child import Task, answer, seconds, task
from tests.benchmarks.harness import Benchmark, Outcome, Side

torch = Deferred("torch")


def learn(given: Task) -> None:
    setting = given.setting
    machine.settle()  # as the command line does
    text = torch.tensor(corpora.characters(setting["characters"] + setting["held_out"]))
    learnt, held_out = text.split([setting["characters"], setting["held_out"]])
    torch.manual_seed(given.run)
    network = interp.recurrent.CharRNN(
        corpora.SYMBOLS, "lstm", setting["layers"], setting["width"], setting["embedding"]
    )
    names = ("steps", "batch", "window", "rate")
    plan = interp.training.Plan(**{name: setting[name] for name in names}, schedule="constant", warm=0.0)
    pace = interp.training.measured(network, plan, interp.training.doublings())
    plan = replace(plan, threads=pace.threads, half=pace.half)
    with interp.training.one_core_each():
        training = interp.training.Training(network, learnt.to(torch.uint8), plan)
        training.step()  # warm
        spent = seconds(lambda: [training.step() for _ in range(1, plan.steps)])
    answer(spent, loss=losses.held_out(network, held_out), threads=pace.threads, half=pace.half)


def quality(ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> dict[str, float]:
    """Both losses, how high theirs is in ours, and how ours ran."""
    mine, other = (float(np.mean([one.details["loss"] for one in side])) for side in (ours, theirs))
    told = ours[-1].details
    return {"loss": mine, "loss.theirs": other, "loss.ratio": other / mine, "threads": told["threads"], "half": told["half"]}  # fmt: skip


def benchmark(name: str, layers: int, width: int, steps: int) -> Benchmark:
    batch, window = 64, 64
    setting: dict[str, Any] = {
        "layers": layers, "width": width, "embedding": 64, "batch": batch, "window": window, "steps": steps,
        "rate": 4e-3, "characters": batch * (steps * window + window), "held_out": 200_000,
    }  # fmt: skip
    return Benchmark(
        name,
        f"training a character LSTM of {layers} × {width} on {steps * batch * window:,} characters",
        "a plain loop",
        1.5,
        Side("tests.benchmarks.char_training"),
        Side("tests.benchmarks.peers.char_rnn_loop"),
        setting,
        quality=quality,
        least={"loss.ratio": 0.99},
    )


SMALL = benchmark("char-training", 1, 256, 320)
LARGE = benchmark("char-training-large", 2, 512, 80)

if __name__ == "__main__":
    learn(task())
