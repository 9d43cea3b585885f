"""The peers' side of each benchmark: every script runs in an environment of its peer and imports nothing else of ours.

What is imported here comes before any peer: torchvision can be imported only after it where its operators are missing.
"""

from generator.interp import vision as vision
