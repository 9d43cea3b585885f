"""Files with damage: flipped, cut, doubled, with other bytes put in."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

LENGTHS = [0, 1, 7, 8, 255, 2**16, 2**31 - 1, 2**32, 2**40, 2**63, 2**64 - 1]
DAMAGE = st.lists(
    st.tuples(
        st.sampled_from(["flip", "set", "cut", "put", "double", "drop", "length"]),
        st.floats(0, 1, exclude_max=True),
        st.binary(min_size=1, max_size=8),
        st.integers(0, 40),
    ),
    max_size=4,
)


def damaged(files: Sequence[bytes]) -> SearchStrategy[bytes]:
    return st.builds(spoilt, st.sampled_from(files), DAMAGE)


def spoilt(content: bytes, damage: Sequence[tuple[str, float, bytes, int]]) -> bytes:
    for how, where, put, count in damage:
        at = int(where * len(content))
        before, after = content[:at], content[at:]
        content = {
            "flip": before + bytes(one ^ (1 << count % 8) for one in after[:1]) + after[1:],
            "set": before + put + after[len(put) :],
            "cut": before,
            "put": before + put + after,
            "double": before + after[:count] + after,
            "drop": before + after[count:],
            "length": LENGTHS[count % len(LENGTHS)].to_bytes(8, "little") + content[8:],
        }[how]
    return content
