"""Training a character LSTM as PyTorch's char-rnn ports do: torch's layers in float32, Adam, torch's own threads."""

from __future__ import annotations

import torch
from torch import nn

from tests.benchmarks import corpora, losses
from tests.benchmarks.child import Task, answer, seconds, task


class CharLSTM(nn.Module):
    def __init__(self, layers: int, width: int, embedding: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(corpora.SYMBOLS, embedding)
        self.lstm = nn.LSTM(embedding, width, layers, batch_first=True)
        self.head = nn.Linear(width, corpora.SYMBOLS)

    def forward(self, ids, state):
        hidden, state = self.lstm(self.embedding(ids), state)
        return self.head(hidden), state


def main(given: Task) -> None:
    setting = given.setting
    batch, window, steps = setting["batch"], setting["window"], setting["steps"]
    text = torch.tensor(corpora.characters(setting["characters"] + setting["held_out"]))
    learnt, held_out = text.split([setting["characters"], setting["held_out"]])
    streams = learnt.view(batch, -1)
    torch.manual_seed(given.run)
    network = CharLSTM(setting["layers"], setting["width"], setting["embedding"])
    optimiser = torch.optim.Adam(network.parameters(), lr=setting["rate"])
    state = None

    def step(number: int) -> None:
        nonlocal state
        chunk = streams[:, number * window : (number + 1) * window + 1]
        logits, state = network(chunk[:, :-1], state)
        state = tuple(part.detach() for part in state)
        loss = nn.functional.cross_entropy(logits.reshape(-1, corpora.SYMBOLS), chunk[:, 1:].reshape(-1))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()

    step(0)  # warm
    spent = seconds(lambda: [step(number) for number in range(1, steps)])
    answer(spent, loss=losses.held_out(network, held_out), threads=torch.get_num_threads())


if __name__ == "__main__":
    main(task())
