"""What a log shows while a build works."""

import io
from contextlib import ExitStack

import pytest

from generator import progress
from generator.spec import printable


def test_a_log_has_a_line_for_each_figure_and_one_now_and_then_while_it_is_computed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([0.0, 0.0, 10.0, 31.0, 45.0, 62.0, 80.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    log = io.StringIO()
    plain = progress.Plain(log)

    plain.begin(2)
    plain.start("cells")
    plain.advance(1, 10, "training lstm")
    plain.advance(5, 10, "training lstm")
    plain.advance(6, 10, "training lstm")
    plain.advance(1, 4)
    plain.finish("cells", 80.0)

    assert log.getvalue().splitlines() == [
        "[1/2] cells: training lstm, 50% done",
        "[1/2] cells: 25% done",
        "[1/2] cells: computed in 80.0 s, about 80 s left",
    ]


@pytest.mark.parametrize("name", ["[/]", "[red]model", "\x1b[31mmodel"])
def test_names_are_shown_as_they_are_and_steer_no_terminal(name: str) -> None:
    terminal, log = io.StringIO(), io.StringIO()
    with ExitStack() as closing:
        for shows in (progress.Live(terminal, closing), progress.Plain(log)):
            shows.begin(1)
            shows.start(name)
            shows.advance(1, 2)
            shows.finish(name, 1.0)

    for said in (terminal.getvalue(), log.getvalue()):
        assert f"{printable(name)}: computed in 1.0 s" in said
        assert "\x1b[31m" not in said


def test_a_log_is_no_terminal() -> None:
    with progress.display(io.StringIO()) as display:
        assert isinstance(display, progress.Plain)
