"""The other side of `rebuild`."""

from tests.benchmarks.child import task
from tests.benchmarks.rebuild import alone

if __name__ == "__main__":
    alone(task())
