"""All that computes figures, loaded: what a worker is forked from. With torch, but none of its threads or devices."""

from __future__ import annotations

from importlib import import_module

from generator import computing, images, key, machine

__all__ = ["computing", "images"]

machine.settle()  # before torch is loaded, which reads it
import_module("torch")
key.note_loaded()
