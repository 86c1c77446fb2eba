"""Channels of scans that flag samples: any method whose runs keep a table of scores."""

from typing import Any, Final

import numpy as np

from forensics.case import Case
from forensics.detectors.attention_entropy import Decision
from forensics.detectors.attention_entropy.reasons import SampleReasons, explain_layer
from forensics.errors import CaseError
from forensics.jobs.attention.arrays import ARRAYS, load_arrays
from forensics.jobs.attention.layouts import load_layouts
from forensics.jobs.flag_files import SCORES
from forensics.runs import Run
from forensics.triage.channels import Channel, Reason, Values, numbers, rank_shares, read_table

ENTROPY: Final = "attention-entropy"
# What the published rules compare their scores with, where the run does not say.
CUTS: Final = {"attention-allocation": 0.5}  # 2601.21692: a posterior above one half
MEANINGS: Final = {
    ENTROPY: "entropy of the attention; low = it sits on few places",
    "attention-allocation": "probability of being poisoned by the votes of heads",
    "evidence-fusion": "place between other samples (0) and the suspected group (1)",
}


def flag_channel(case: Case, run: Run, title: str) -> Channel | None:
    """Return the channel of a finished scan; ``None`` where it flags no samples at all.

    Raises:
        CaseError: Its table is damaged.
    """
    result = run.result()
    if not result.get("flagged_ids_file") or not run.path(SCORES).is_file():
        return None
    table = read_table(run, SCORES, len(case.catalog))
    mode = str(result.get("mode", ""))
    told = (result.get("modes") or {}).get(mode) or {}
    try:
        value = numbers(table, f"score_{mode}")
        flagged = np.asarray(table["flagged"], dtype=np.bool_)
    except (KeyError, ValueError, TypeError) as error:
        raise CaseError(f"The scores of {run.id} are damaged.", remedy="Run it again.") from error
    higher = result.get("suspicious_side") == "high"
    cut = told.get("cut", CUTS.get(run.method))
    return Channel(
        key=run.method,
        title=title,
        run=run.id,
        verdict=None if result.get("verdict") is None else str(result["verdict"]),
        rows=np.asarray(table["row"], dtype=np.int64),
        value=value,
        share=rank_shares(value, higher=higher),
        flagged=flagged,
        ranks_only=False,
        cut=float(cut) if isinstance(cut, int | float) else None,
        higher=higher,
        unit=str(told.get("unit", "")),
        meaning=MEANINGS.get(run.method, "high = suspicious" if higher else "low = suspicious"),
        reason=_reason(case, run, table, value, told),
    )


def _reason(case: Case, run: Run, table: Any, value: Values, told: dict[str, Any]) -> Reason:
    if "reason" in table.column_names:
        written = table["reason"]
        return lambda place: str(written[place].as_py() or "") or _number(value[place])
    if run.method == ENTROPY and (run.folder / ARRAYS).is_file():
        return _EntropyReasons(case, run, value, told)
    return lambda place: _number(value[place])


def _number(value: float) -> str:
    return "no score" if np.isnan(value) else f"score {value:.3g}"


class _EntropyReasons:
    """Sentences of an entropy scan from what it stored; nothing is fitted again.

    Args:
        case: The case.
        run: The scan.
        score: ``[n]`` of its mode.
        told: What its result says of the mode.
    """

    def __init__(self, case: Case, run: Run, score: Values, told: dict[str, Any]) -> None:
        self._case, self._run, self._score, self._told = case, run, score, told
        self._made: SampleReasons | None = None

    def __call__(self, place: int) -> str:
        if self._made is None:
            self._made = self._make()
        return self._made.reason(place)

    def _make(self) -> SampleReasons:
        arrays = load_arrays(self._run.folder)
        result, nothing = self._run.result(), np.zeros(self._score.size)
        mode = str(result.get("mode"))
        layers = tuple(int(layer) for layer in self._told.get("layers") or ())
        decision = Decision(
            mode=mode, tau=float(result.get("tau", 0.0)), layers=layers, score=self._score,
            flagged=nothing.astype(np.bool_), posterior=nothing, mixture=None, cut=None,
            unit=str(self._told.get("unit", "nat")),
        )  # fmt: skip
        return explain_layer(
            decision,
            described_layer(result),
            tokens=arrays.tokens,
            peak_token=arrays.peak_token,
            top2_mass=arrays.top2_mass,
            questions=[str(text) for text in self._case.catalog.questions[arrays.rows]],
            where=load_layouts(self._run.folder, arrays.layout).where,
        )


def described_layer(result: dict[str, Any]) -> int | None:
    """Return the layer that reasons of an entropy scan speak of: the one with most separation.

    In mode ``guarded`` only accepted layers count, if there are any; ``None`` without any fit.
    """
    mode = str(result.get("mode"))
    accepted = ((result.get("modes") or {}).get(mode) or {}).get("layers") or ()
    name = "separation_within" if mode == "guarded" else f"separation_{mode}"
    found = {int(line["layer"]): line.get(name) for line in result.get("layers") or ()}
    known = {layer: value for layer, value in found.items() if value is not None}
    if mode == "guarded":
        known = {layer: value for layer, value in known.items() if layer in accepted} or known
    return max(known, key=lambda layer: (known[layer], -layer), default=None)
