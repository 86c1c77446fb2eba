"""The bottom line: what the newest verdicts say together, without a number of its own."""

from collections.abc import Sequence

from forensics.report.facts import Conclusion, RunFacts

HEADLINES = {
    "suspicious": "Suspicious",
    "inconclusive": "Inconclusive",
    "no evidence": "No evidence found",
}
NOTHING = "No method has given a verdict yet"
DEPENDENT = (
    "Several methods read the same measurements, so their verdicts are not independent votes; no "
    "joint probability is given."
)
NOT_CLEAN = (
    "“No evidence” is not “clean”: each method names below what it cannot see, and a backdoor of "
    "another kind would not show."
)


def conclude(verdicts: Sequence[RunFacts], repairs: Sequence[RunFacts]) -> Conclusion:
    """Return the most suspicious verdict, who says so, who does not, and what repairs changed.

    Args:
        verdicts: Runs that give a verdict: the newest of each method and options.
        repairs: Finished repairs, the newest of each method and options.
    """
    said = [verdict for verdict in HEADLINES if any(run.verdict == verdict for run in verdicts)]
    told = [f"{run.method}: {run.sentence}" for run in verdicts if run.verdict in said[:1]][:1]
    told += [_who(verdict, verdicts) for verdict in said]
    if len(said) > 1:
        told.append("The runs disagree: look at the evidence of each before acting.")
    if len(verdicts) > 1:
        told.append(DEPENDENT)
    if said and said[0] != "suspicious":
        told.append(NOT_CLEAN)
    if len(repairs) == 1:
        told.append(f"Repair: {repairs[0].sentence}")
    elif repairs:
        told.append(f"{len(repairs)} repairs were measured; see Repairs.")
    verdict = said[0] if said else None
    return Conclusion(
        verdict=verdict, headline=HEADLINES.get(verdict or "", NOTHING), sentences=tuple(told)
    )


def _who(verdict: str, runs: Sequence[RunFacts]) -> str:
    names: dict[str, int] = {}
    for run in runs:
        if run.verdict == verdict:
            names[run.method] = names.get(run.method, 0) + 1
    listed = [name if times == 1 else f"{name}, {times} times" for name, times in names.items()]
    found = sum(names.values())
    return (
        f"{HEADLINES[verdict]}: {found} of {len(runs)} run{'s' if len(runs) > 1 else ''} with a "
        f"verdict ({'; '.join(listed)})."
    )
