"""The instruments: tensors in, tensors out. No file, no HTML, no settings; nothing of ours is imported.

`from generator import interp` costs nothing: an instrument, and torch with it, is loaded on first use
(scientific Python's SPEC 1). The list of instruments is in `__init__.pyi`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
