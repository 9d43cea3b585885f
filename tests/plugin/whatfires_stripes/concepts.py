"""Concepts of text, named in a figure block as `functions: {shouting: shouting}`."""

import re

import numpy as np


def shouting(text):
    """Where words in capitals stand."""
    mask = np.zeros(len(text), dtype=bool)
    for word in re.finditer(r"\b[A-Z]{2,}\b", text):
        mask[word.start() : word.end()] = True
    return mask
