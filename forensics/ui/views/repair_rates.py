"""Clean accuracy and attack success of the versions that a repair measured."""

from typing import Any

from forensics.runs import Run
from forensics.ui.views.gallery import short

WHOLE = "repaired"  # the folder in which a run leaves a whole model
RATES = {"clean_accuracy": "n_clean", "attack_success_rate": "n_triggered"}
LABELS = {
    "before": "As delivered",
    "after": "Repaired",
    "wrong-class": "Control: another class’s trigger",
    "random-noise": "Control: random noise",
    "clean-only": "Control: clean pictures only",
    "reference": "Base model, for comparison",
}
JUDGED = {
    "known": ("known trigger", "the known trigger"),
    "planted": ("planted trigger", "a trigger that was planted for the test"),
    "reconstruction": (
        "reconstructed trigger",
        "a reconstructed trigger; the attacker’s own is not known here",
    ),
}
NOT_JUDGED = ("not measured", "No trigger is known here, so attack success was not measured.")


def judged(result: dict[str, Any]) -> dict[str, Any]:
    """Say by which trigger attack success was measured.

    Returns:
        ``by`` (``known``, ``reconstruction``, ``planted`` or ``None``), ``label`` and ``words``.
    """
    by = result.get("judged_by")
    label, words = JUDGED.get(str(by), NOT_JUDGED)
    return {"by": by if by in JUDGED else None, "label": label, "words": words}


def rate_of(found: dict[str, Any], name: str) -> dict[str, Any]:
    """Return one rate with its n and 95 % interval; ``value`` is ``None`` if not measured."""
    low, high = (found.get("intervals") or {}).get(name) or (None, None)
    n = found.get(RATES[name])
    value = found.get(name) if n else None
    return {"value": value, "n": n, "low": None if value is None else low,
            "high": None if value is None else high}  # fmt: skip


def version_of(key: str, found: dict[str, Any]) -> dict[str, Any]:
    """Return one measured version of the model: ``key``, ``label``, ``title``, ``role``, rates."""
    less = found.get("minus_before") or {}
    role = {"before": "moved", "after": "patch", "reference": "base"}.get(key, "control")
    return {
        "key": key,
        "label": LABELS.get(key, key),
        "title": str(found.get("title", key)),
        "role": role,
        **{name: rate_of(found, name) for name in RATES},
        "difference": {name: less.get(name) for name in RATES},
    }


def versions_of(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every version that a repair measured: before, after, controls, the reference."""
    found = [("before", result["before"]), ("after", result["after"])]
    found += [(str(one.get("control", "control")), one) for one in result.get("controls") or ()]
    if result.get("reference"):
        found.append(("reference", result["reference"]))
    return [version_of(key, one) for key, one in found]


def classes_of(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every class before and after; empty where a repair did not keep them.

    Returns:
        For each class ``name``, ``n``, ``n_triggered``, ``target`` (whether the trigger leads to
        it), and ``before`` and ``after``: ``clean_accuracy`` and ``attack_success_rate``.
    """
    before = {row["class"]: row for row in result["before"].get("per_class") or ()}
    aim = result["before"].get("target")
    return [
        {
            "name": short(str(row["class"])),
            "n": row.get("n"),
            "n_triggered": row.get("n_triggered"),
            "target": row["class"] == aim,
            "before": _pair(before.get(row["class"], {})),
            "after": _pair(row),
        }
        for row in result["after"].get("per_class") or ()
    ]


def target_of(result: dict[str, Any]) -> dict[str, Any] | None:
    """Return the accuracy of the class that the trigger leads to: ``class``, ``n``, rates."""
    told = result.get("target_accuracy")
    if isinstance(told, dict):
        return {**told, "class": short(str(told.get("class")))}
    for row in classes_of(result):
        if row["target"]:
            return {"class": row["name"], "n": row["n"],
                    **{key: row[key]["clean_accuracy"] for key in ("before", "after")}}  # fmt: skip
    return None


def has_checkpoint(run: Run) -> bool:
    """Tell whether a finished repair left a model: a file, or a folder of a whole one."""
    name = str(run.result().get("checkpoint") or "")
    if not name:
        return False
    return (run.folder / WHOLE).is_dir() if name == WHOLE else run.path(name).is_file()


def _pair(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row.get(name) for name in RATES}
