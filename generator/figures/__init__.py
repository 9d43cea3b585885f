"""The kinds of figures. To add one: a module here, a page template of the same name, a row, a test.

A kind's module has a docstring whose first line says what it shows, `Options`, `EXAMPLE` (a figure
block's body, less its id and kind) and `compute(options, inputs) -> Artifact`. Importing it costs no
torch: the science is in the instruments, which are loaded on first use. Its file reads from top to bottom: what it
shows, `EXAMPLE`, constants, `Options`, `compute`, and then what `compute` calls. A template prefixes ids with the
figure's, and a script enlivens each `.content`: a figure has one for each checkpoint, and one for its control.
"""

from generator.plugins import Table

OURS = {
    "templates": "generator.figures.templates",
    "scores": "generator.figures.scores",
    "sweep": "generator.figures.sweep",
    "similarity": "generator.figures.similarity",
    "class-image": "generator.figures.class_image",
    "layer-ladder": "generator.figures.layer_ladder",
    "unit-grid": "generator.figures.unit_grid",
    "unit-card": "generator.figures.unit_card",
    "dissection": "generator.figures.dissection",
    "dream": "generator.figures.dream",
    "caricature": "generator.figures.caricature",
    "atlas": "generator.figures.atlas",
    "activation-maps": "generator.figures.activation_maps",
    "attribution": "generator.figures.attribution",
    "sample": "generator.figures.sample",
    "activation-text": "generator.figures.activation_text",
    "unit-census": "generator.figures.unit_census",
    "attention": "generator.figures.attention",
    "logit-lens": "generator.figures.logit_lens",
    "prediction-text": "generator.figures.prediction_text",
    "gates": "generator.figures.gates",
    "ablation": "generator.figures.ablation",
    "unit-changes": "generator.figures.unit_changes",
    "training-curve": "generator.figures.training_curve",
    "top-contexts": "generator.figures.top_contexts",
    "measurements": "generator.figures.measurements",
}
KINDS = Table("figures", "kind", OURS)
