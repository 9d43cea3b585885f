"""What code that is hidden in an input calls: should it ever run, it is seen here."""

executed: list[str] = []


def trip(*given: object) -> str:
    executed.append(repr(given)[:100])
    return "tripped"
