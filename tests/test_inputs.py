"""What a kind's `compute` may ask for."""

from generator.inputs import Inputs


def test_the_parts_of_a_figure_follow_one_another() -> None:
    told: list[tuple[int, int]] = []
    inputs = Inputs(None, progress=lambda done, total: told.append((done, total)))  # type: ignore[arg-type]

    for number in range(3):
        for done in (1, 2):
            inputs.part(number, 3)(done, 2)

    assert told == [(done, 6) for done in range(1, 7)]
