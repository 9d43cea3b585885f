"""The sources of models. To add one: a module here, a row, a test.

A source's module has `Settings` (its row in site.toml; a field `dataset` or `corpus` names the data
that training reads), `load(name, settings, weights, seed, root) -> Model`, which with no weights gives the
network as its source has it, and with weights that hold no tensors the network untrained, as `seed`
initialises it, `fingerprint(settings, root) -> dict` for what decides the network besides settings and
checkpoint, and, where it can be trained, a field `train` (its recipe, with the seed),
`SPLITS`, the parts of its data that training reads, and `train(settings, splits, desk)`, which yields a
`Trained` for each checkpoint, the final one last.
"""

from generator.plugins import Table

OURS = {
    "linear-svm": "generator.models.linear_svm",
    "efficientnet-lite": "generator.models.efficientnet_lite",
    "torchvision": "generator.models.torchvision",
    "char-rnn": "generator.models.char_rnn",
    "transformers": "generator.models.transformers",
    "python": "generator.models.python",
}
SOURCES = Table("models", "source of models", OURS)
