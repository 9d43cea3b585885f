"""The sources of data. To add one: a module here, a row, a test.

A source's module has `Settings` (its row in site.toml), `missing(settings, root) -> str`, which says
why the data is not at hand ("" where it is), `digest(settings, root) -> str`, which costs no reading
of every image, and `load(settings, split, root)`, which gives `Images` or a sequence of `Document`, such
as `Documents`, which are read when they are asked for.
`root` is the content folder, to which paths are relative.
"""

from generator.plugins import Table

OURS = {
    "cifar10": "generator.datasets.cifar10",
    "image-folder": "generator.datasets.image_folder",
    "digits": "generator.datasets.digits",
    "photographs": "generator.datasets.photographs",
    "python-stdlib": "generator.datasets.python_stdlib",
    "text": "generator.datasets.text",
}
DATASETS = Table("datasets", "source of data sets", OURS)
