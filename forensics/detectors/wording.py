"""Numbers, answers and places as the sentences of verdicts and reasons write them."""

from collections.abc import Sequence

from forensics.statistics.paired import Difference


def percent(share: float) -> str:
    """Write a share as ``98 %``; 0 and 100 only where they are exact.

    >>> percent(0.9996), percent(0.0004), percent(1.0), percent(0.1)
    ('> 99.9 %', '< 0.1 %', '100 %', '10 %')
    """
    value = 100 * share
    if value in (0.0, 100.0) or 1 <= value <= 99:
        return f"{value:.0f} %"
    if value < 0.1:
        return "< 0.1 %"
    return "> 99.9 %" if value > 99.9 else f"{value:.1f} %"


def finely(share: float | None) -> str:
    """Write a share to a tenth of a percent, as it should stand beside its difference.

    >>> finely(0.976), finely(None)
    ('97.6 %', 'not defined')
    """
    return "not defined" if share is None else f"{100 * share:.1f} %"


def points(difference: float) -> str:
    """Write a difference of two shares in points, with its sign.

    >>> points(0.002), points(-0.019), points(-1.0), points(-0.0001)
    ('+0.2', '−1.9', '−100', '0')
    """
    text = f"{100 * difference:+.1f}".removesuffix(".0")
    return "0" if text in ("+0", "-0") else text.replace("-", "\N{MINUS SIGN}")


def quote(text: str, longest: int = 60) -> str:
    """Quote untrusted text on one line, cut to a length."""
    line = " ".join(text.split())
    return f"“{line if len(line) <= longest else line[: longest - 1].rstrip() + '…'}”"


def name_layers(layers: Sequence[int]) -> str:
    """Name ascending layers: ``layer 2``, ``layers 1–3``, ``layers 1, 4 and 7``.

    >>> name_layers([1, 2, 3]), name_layers([1, 4]), name_layers([0])
    ('layers 1–3', 'layers 1 and 4', 'layer 0')
    """
    if len(layers) == 1:
        return f"layer {layers[0]}"
    if len(layers) > 2 and layers[-1] - layers[0] == len(layers) - 1:
        return f"layers {layers[0]}–{layers[-1]}"
    return f"layers {', '.join(map(str, layers[:-1]))} and {layers[-1]}"


def place(row: int, column: int, rows: int, columns: int) -> str:
    """Say where in a grid a token lies, by thirds: ``at the centre``, ``at the top left``."""
    vertical = ("top", "", "bottom")[min(2, (6 * row + 3) // (2 * rows))]
    horizontal = ("left", "", "right")[min(2, (6 * column + 3) // (2 * columns))]
    return f"at the {' '.join(part for part in (vertical, horizontal) if part) or 'centre'}"


def span(found: Difference) -> str:
    """Write a difference with its interval."""
    text = f"{found.value:.2f} (95 % interval {found.low:.2f} to {found.high:.2f})"
    return text.replace("-", "\N{MINUS SIGN}")
