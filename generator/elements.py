"""Elements of HTML that stand in a line of text: what lies before and after them is one word or sentence."""

AS_WRITTEN = frozenset({"code", "kbd", "samp"})  # whose text is no prose
IN_A_LINE = AS_WRITTEN | {
    "a", "abbr", "b", "bdi", "cite", "data", "del", "em", "i", "ins", "mark", "q", "s", "small", "span", "strong",
    "sub", "sup", "u",
}  # fmt: skip
