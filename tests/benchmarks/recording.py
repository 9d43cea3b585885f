"""Recording every cell of an LSTM over a text to its mean and variance, beside the forward pass alone."""

from __future__ import annotations

from collections.abc import Sequence

from generator import interp, machine
from generator.deferred import Deferred
from tests.benchmarks import corpora
from tests.benchmarks.child import Task, answer, seconds, task
from tests.benchmarks.harness import Benchmark, Outcome, Side

torch = Deferred("torch")


def read(given: Task) -> None:
    setting = given.setting
    machine.settle()  # as the command line does
    torch.manual_seed(0)
    network = interp.recurrent.CharRNN(corpora.SYMBOLS, "lstm", 1, setting["width"], setting["embedding"])
    reader = interp.recurrent.Recurrent(network.eval(), "".join(map(chr, range(corpora.SYMBOLS))))
    rows = torch.tensor(corpora.characters(setting["characters"])).view(setting["batch"], -1)
    found = interp.moments.Moments(setting["width"])

    def work(upto: int) -> None:
        documents = list(rows[:, :upto])
        pieces = interp.reading.record(reader, documents, ("cell",), batch=setting["batch"], window=setting["window"])
        for piece in pieces:
            found.add(piece.activations)

    work(setting["window"])  # warm
    warmed = found.count
    answer(seconds(lambda: work(rows.shape[1])), counted=found.count - warmed, threads=torch.get_num_threads())


def quality(ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> dict[str, float]:
    return {"counted": float(ours[-1].details["counted"])}


BENCHMARK = Benchmark(
    "recording",
    "mean and variance of 512 cells of an LSTM over 1,048,576 characters",
    "the forward pass alone",
    round(1 / 1.3, 3),
    Side("tests.benchmarks.recording"),
    Side("tests.benchmarks.peers.forward_pass"),
    {"width": 512, "embedding": 64, "batch": 256, "window": 64, "characters": 2**20},
    quality=quality,
    least={"counted": 2**20},
)

if __name__ == "__main__":
    read(task())
