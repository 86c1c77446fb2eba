"""The settings, each with what it means and where its value comes from."""

from dataclasses import asdict
from typing import Any

from forensics.settings import (
    LONGEST_NAME,
    NAMES,
    NUMBERS,
    THEMES,
    current,
    settings_file,
    sources,
    variable,
)

WORDS = {
    "device": ("Device", "Where models run. A job that has begun stays where it is."),
    "megapixels": ("Largest picture, megapixels", "Larger ones are reported and skipped."),
    "image_megabytes": ("Largest picture file, MB", "Larger ones are reported and skipped."),
    "request_megabytes": ("Largest request of a page, MB", "What a page may send at once."),
    "roots": ("Folders allowed", "Data, models and cases must lie in one of these; empty: anywhere "
              "that this account can read."),
    "theme": ("Theme", "For browsers that have not chosen one by the button at the top."),
    "reviewer": ("Reviewer", "The name on decisions and in the audit trail; empty: the account's."),
}  # fmt: skip


def settings_view(*, changeable: bool) -> dict[str, Any]:
    """Return every setting for the drawer.

    Args:
        changeable: Whether whoever asks may change them.

    Returns:
        ``file``, ``changeable`` and ``settings``: name, label, help, value, ``source``
        (``default``, ``file``, ``environment``), ``variable``, and what values there are
        (``choices``, ``low`` and ``high``, ``longest``).
    """
    values, origin = asdict(current()), sources()
    lines = []
    for name in NAMES:
        label, words = WORDS[name]
        line = {"name": name, "label": label, "help": words, "value": values[name],
                "source": origin[name], "variable": variable(name)}  # fmt: skip
        if name in NUMBERS:
            line |= {"low": NUMBERS[name][0], "high": NUMBERS[name][1]}
        if name in ("device", "theme"):
            line["choices"] = ["auto", "cpu", "cuda"] if name == "device" else list(THEMES)
        if name == "reviewer":
            line["longest"] = LONGEST_NAME
        lines.append(line)
    shown = str(settings_file()) if changeable else None
    return {"file": shown, "changeable": changeable, "settings": lines}
