"""torch's LSTM reading text, and nothing kept of it."""

from __future__ import annotations

import torch
from torch import nn

from tests.benchmarks import corpora
from tests.benchmarks.child import Task, answer, seconds, task


def main(given: Task) -> None:
    setting = given.setting
    torch.manual_seed(0)
    embedding = nn.Embedding(corpora.SYMBOLS, setting["embedding"])
    lstm = nn.LSTM(setting["embedding"], setting["width"], batch_first=True).eval()
    rows = torch.tensor(corpora.characters(setting["characters"])).view(setting["batch"], -1)

    @torch.inference_mode()
    def work(upto: int) -> None:
        state = None
        for start in range(0, upto, setting["window"]):
            _, state = lstm(embedding(rows[:, start : start + setting["window"]]), state)

    work(setting["window"])  # warm
    answer(seconds(lambda: work(rows.shape[1])), threads=torch.get_num_threads())


if __name__ == "__main__":
    main(task())
