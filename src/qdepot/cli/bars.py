"""Counts as bars of text."""

from __future__ import annotations

from collections.abc import Mapping

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_NARROWEST_BAR = 8


def bars(counts: Mapping[str, int], *, width: int = 72, most: int = 16, plain: bool = False) -> str:
    """One line for each outcome: bit string, bar, count and share; no line break at the end.

    If all outcomes fit, they are sorted by bit string, so that two runs can be compared line by line; else the most
    frequent ones come first and a last line says how many are left out.

    Args:
        counts: Outcomes and how often they came.
        width: Columns to fill; a bar is at least 8 wide, whatever the bit strings need.
        most: Lines for outcomes.
        plain: Use ``#`` alone, for what cannot show block elements.
    """
    if not counts:
        return "no counts"
    total = sum(counts.values())
    if len(counts) <= most:
        shown = sorted(counts.items())
    else:
        shown = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]
    label_width = max(len(bits) for bits, _ in shown)
    count_width = max(len(str(count)) for _, count in shown)
    bar_width = max(_NARROWEST_BAR, width - label_width - count_width - len("    100.0 %"))
    largest = max(count for _, count in shown)
    lines = [
        f"{bits:>{label_width}}  {_bar(count / largest, bar_width, plain=plain):<{bar_width}} "
        f"{count:>{count_width}} {count / total:>6.1%}".replace("%", " %")
        for bits, count in shown
    ]
    left_out = len(counts) - len(shown)
    if left_out:
        rest = total - sum(count for _, count in shown)
        lines.append(f"... and {left_out} more, {rest} shots ({rest / total:.1%})".replace("%", " %"))
    return "\n".join(lines)


def _bar(share: float, width: int, *, plain: bool) -> str:
    if plain:
        return "#" * max(1, round(share * width))
    full, eighths = divmod(max(1, round(share * width * 8)), 8)
    return "█" * full + (_EIGHTHS[eighths] if eighths else "")
