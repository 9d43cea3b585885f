"""`python build.py` is `whatfires build`: trains or loads models, computes every figure, writes the site."""

import sys

from generator.cli import main

if __name__ == "__main__":
    main(["build", *sys.argv[1:]])
