"""What a run measured with a trigger that only the maker of a demo knows, before it is revealed.

Repairs and evaluations of a demo may be judged by the planted trigger. Its success, its target and
pictures that carry it would tell what the report promises not to tell without ``--reveal``.
"""

from collections.abc import Mapping
from typing import Any, Final

from forensics.detectors.wording import finely
from forensics.report.reading import number, rate_at, rows_of, table_of
from forensics.report.words import value_of

KNOWN: Final = "known"
HIDDEN: Final = "hidden"
BEST: Final = "reconstruction"
CA, ASR = "clean_accuracy", "attack_success_rate"
TOLD_LATER: Final = (
    "Attack success was measured with the trigger that the case’s maker knows; it is told when "
    "ground truth is revealed."
)
_GONE: Final = ("known_trigger", "trigger", "target", "switch", "evidence")
_OF_TARGET: Final = ("target", "target_rate", "emits_target_untriggered", "per_class",
                     "attack_success_rate_exact", "attack_success_rate_masked",
                     "attack_success_image_only", "attack_success_text_only")  # fmt: skip


def goes_by_truth(result: Mapping[str, Any], options: Mapping[str, Any]) -> bool:
    """Tell whether a result rests on a trigger that nobody named in the run's options."""
    if options.get("trigger"):
        return False
    if result.get("method") == "evaluate":
        return bool(result.get("trigger"))
    return result.get("judged_by") == KNOWN


def without_truth(result: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a result without what only the case's maker can know.

    Where a reconstructed trigger was measured beside the known one, it takes its place.
    """
    found = dict(result)
    if not goes_by_truth(result, options):
        return found
    by_best = BEST in table_of(table_of(result.get("before")).get("triggers"))
    found |= {name: None for name in _GONE if name in found}
    found["judged_by"] = BEST if by_best else HIDDEN
    for name in ("before", "after", "reference"):
        if table_of(result.get(name)):
            found[name] = _version(table_of(result[name]))
    found["controls"] = [_version(one) for one in rows_of(result.get("controls"))]
    if result.get("method") == "evaluate":
        return _version(found) | {"method": "evaluate"}
    found["sentence"] = _sentence(found, by_best)
    return found


def _version(version: Mapping[str, Any]) -> dict[str, Any]:
    triggers = {name: one for name, one in table_of(version.get("triggers")).items()
                if name != KNOWN}  # fmt: skip
    best = rate_at(triggers.get(BEST))
    intervals = {name: ends for name, ends in table_of(version.get("intervals")).items()
                 if name == CA}  # fmt: skip
    if best.value is not None:
        intervals[ASR] = [best.low, best.high]
    told = {name: value for name, value in version.items() if name not in _OF_TARGET}
    told |= {"triggers": triggers, "intervals": intervals, ASR: best.value,
             "n_triggered": best.n or 0}  # fmt: skip
    for name in ("minus_before", "minus_repaired", "minus_base"):
        if table_of(told.get(name)):
            told[name] = {key: one for key, one in told[name].items() if key == CA}
    return told


def _sentence(result: Mapping[str, Any], by_best: bool) -> str:
    before, after = table_of(result.get("before")), table_of(result.get("after"))
    parts = []
    if by_best:
        rates = [rate_at(table_of(one["triggers"]).get(BEST)) for one in (after, before)]
        parts.append(
            f"After the repair, the reconstructed trigger brings {value_of(rates[0])} of other "
            f"pictures to its class, before {value_of(rates[1])}."
        )
    shares = [finely(number(one.get(CA))) for one in (after, before)]
    parts.append(f"Clean accuracy is {shares[0]}, before {shares[1]}.")
    return " ".join([*parts, TOLD_LATER])
