"""A few of each sort of hostile input; `make bench NAME=fuzz` reads a hundred thousand."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.hostile.attacks import ATTACKS, Attack, outcome

FEW = 60  # a second or two


@pytest.mark.parametrize("name", ATTACKS)
def test_a_hostile_input_is_read_or_refused_and_never_executed(name: str, tmp_path: Path) -> None:
    attack: Attack = ATTACKS[name]

    @settings(
        max_examples=FEW,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(attack.inputs)
    def once(example: Any) -> None:
        outcome(attack, example, tmp_path)

    once()
