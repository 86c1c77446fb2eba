"""A finished scan in memory: its arrays, fits, decisions and verdicts, computed when asked for."""

import threading
from collections import OrderedDict
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from forensics.case import Case
from forensics.data.sample import Sample
from forensics.detectors.attention_entropy import (
    Decision,
    GuardedDecision,
    GuardedEntropy,
    LayerFits,
    SampleReasons,
    Verdict,
    comparable_entropy,
    decide,
    decide_guarded,
    examine_guarded,
    explain_samples,
    fit_layers,
    judge,
    judge_guarded,
    shown_fits,
)
from forensics.errors import CaseError
from forensics.jobs.attention.arrays import (
    ARRAYS,
    MAPS,
    AttentionArrays,
    load_arrays,
)
from forensics.jobs.attention.layouts import SampleLayouts, load_layouts
from forensics.jobs.attention.result import explaining_columns
from forensics.runs import Run, State

RULES = ("root", "code", "guarded")
OTHER = {"root": "code", "code": "root", "guarded": "root"}  # the decision told beside
KEPT_DECISIONS = 24


class Evidence:
    """What one attention scan measured, and what follows from it for any rule and gate.

    Arrays are in the order of the scan; ``arrays.rows`` leads to the rows of the catalogue.

    Args:
        case: The case.
        run: A finished attention scan of it.

    Raises:
        CaseError: The scan is not finished, or its arrays are gone.
    """

    def __init__(self, case: Case, run: Run) -> None:
        state = run.status().state
        if state is not State.FINISHED:
            raise CaseError(f"The scan {run.id} is {state}.", remedy="Wait for it, or resume it.")
        try:
            self.arrays: AttentionArrays = load_arrays(run.folder)
            self.layouts: SampleLayouts = load_layouts(run.folder, self.arrays.layout)
        except OSError as error:
            raise CaseError(f"The arrays of {run.id} are gone.", remedy="Scan again.") from error
        self.case = case
        self.run = run
        scale = str(run.options.get("scale", "auto"))
        self.values, self.unit = comparable_entropy(self.arrays.entropy, self.arrays.tokens, scale)
        self.rule = str(run.options.get("mode", RULES[0]))
        self.tau = float(run.options.get("tau", 2.0))
        self._guard = bool(run.options.get("high_side_guard", False))
        self._lock = threading.RLock()
        self._decisions: OrderedDict[tuple[str, float], Decision] = OrderedDict()
        self._verdicts: dict[tuple[str, float], Verdict] = {}
        self._reasons: dict[tuple[str, float], SampleReasons] = {}

    @property
    def layers(self) -> int:
        """Number of decoder layers."""
        return int(self.values.shape[1])

    @property
    def heads(self) -> int:
        """Number of attention heads of a layer."""
        return int(self.arrays.masses.shape[2])

    @cached_property
    def fits(self) -> LayerFits:
        """Two Gaussians per layer; they do not depend on the gate."""
        return fit_layers(
            self.values, init=str(self.run.options.get("init", "k-means")), unit=self.unit
        )

    @property
    def guarded(self) -> GuardedEntropy:
        """What mode guarded measured within strata; it does not depend on the gate either."""
        with self._lock:  # seconds for a large scan: once is enough
            return self._guarded

    @cached_property
    def _guarded(self) -> GuardedEntropy:
        return examine_guarded(
            self.values, self.arrays.tokens,
            answers=self.answers, questions=self.questions, unit=self.unit,
        )  # fmt: skip

    def shown_values(self, rule: str) -> NDArray[np.float64]:
        """Return what a rule compares: entropies, or their residuals within strata."""
        return self.guarded.values if rule == "guarded" else self.values

    def shown_fits(self, decision: Decision) -> LayerFits:
        """Return the fits that belong to a decision."""
        if isinstance(decision, GuardedDecision):
            return shown_fits(self.guarded, decision)
        return self.fits

    @cached_property
    def position(self) -> dict[int, int]:
        """Catalogue row -> place in the arrays."""
        return {int(row): place for place, row in enumerate(self.arrays.rows)}

    @cached_property
    def questions(self) -> list[str]:
        """Questions, in the order of the scan."""
        return [str(text) for text in self.case.catalog.questions[self.arrays.rows]]

    @cached_property
    def ids(self) -> list[str]:
        """Ids, in the order of the scan."""
        return [str(name) for name in self.case.catalog.ids[self.arrays.rows]]

    @cached_property
    def pictured(self) -> NDArray[np.bool_]:
        """Which samples have an image, in the order of the scan."""
        images = self.case.catalog.column("image")[self.arrays.rows]
        return np.array([image is not None for image in images], dtype=np.bool_)

    def brief(self, place: int) -> Sample:
        """Return a sample's texts, from memory; its place in the data set is left out."""
        return Sample(
            id=self.ids[place], question=self.questions[place], answer=self.answers[place]
        )

    @cached_property
    def answers(self) -> list[str | None]:
        """Taught answers, in the order of the scan."""
        return list(self.case.catalog.answers[self.arrays.rows])

    def decision(self, rule: str | None = None, tau: float | None = None) -> Decision:
        """Return which samples a rule flags with a gate; those of the scan by default."""
        key = (rule or self.rule, self.tau if tau is None else tau)
        with self._lock:
            if key not in self._decisions:
                self._decisions[key] = self._decide(*key)
                while len(self._decisions) > KEPT_DECISIONS:
                    oldest = self._decisions.popitem(last=False)[0]
                    self._verdicts.pop(oldest, None)
                    self._reasons.pop(oldest, None)
            self._decisions.move_to_end(key)
            return self._decisions[key]

    def _decide(self, rule: str, tau: float) -> Decision:
        if rule == "guarded":
            return decide_guarded(self.guarded, tau)
        return decide(self.values, mode=rule, tau=tau, fits=self.fits, high_side_guard=self._guard)

    def verdict(self, rule: str | None = None, tau: float | None = None) -> Verdict:
        """Return the verdict of a rule with a gate."""
        primary = self.decision(rule, tau)
        key = (primary.mode, primary.tau)
        with self._lock:
            if key not in self._verdicts:
                self._verdicts[key] = self._judge(primary)
            return self._verdicts[key]

    def _judge(self, primary: Decision) -> Verdict:
        beside = self.decision(OTHER[primary.mode], primary.tau)
        if isinstance(primary, GuardedDecision):
            columns = explaining_columns(self.case, self.arrays)
            return judge_guarded(primary, beside, self.guarded, metadata=columns)
        return judge(
            primary, beside, entropy=self.values, fits=self.fits,
            answers=self.answers, questions=self.questions,
        )  # fmt: skip

    def reasons(self, rule: str | None = None, tau: float | None = None) -> SampleReasons:
        """Return why each sample is suspected, or is not."""
        decision = self.decision(rule, tau)
        key = (decision.mode, decision.tau)
        with self._lock:
            if key not in self._reasons:
                self._reasons[key] = explain_samples(
                    decision, self.shown_fits(decision), tokens=self.arrays.tokens,
                    peak_token=self.arrays.peak_token, top2_mass=self.arrays.top2_mass,
                    questions=self.questions, where=self.layouts.where,
                )  # fmt: skip
            return self._reasons[key]

    @cached_property
    def entropy_range(self) -> tuple[float, float]:
        """Ends of the map's colour scale: the middle 98 % of all entropies."""
        values = self.values[np.isfinite(self.values)]
        if not values.size:
            return 0.0, 1.0
        low, high = np.quantile(values, (0.01, 0.99))
        return float(low), float(high)

    @cached_property
    def _map_places(self) -> dict[int, int]:
        with safe_open(self.run.folder / MAPS, framework="numpy") as file:
            return {int(row): place for place, row in enumerate(file.get_tensor("rows"))}

    def map(self, row: int) -> NDArray[np.float16] | None:
        """Return the kept map of a catalogue row, ``[layer, token]``, each layer summing to 1."""
        place = self._map_places.get(row)
        if place is None:
            return None
        with safe_open(self.run.folder / MAPS, framework="numpy") as file:
            values: NDArray[np.float16] = file.get_slice("maps")[place]
        return values


class EvidenceShelf:
    """The scans looked at last, so that a click does not read files; safe between threads.

    Args:
        keep: How many.
    """

    def __init__(self, keep: int = 3) -> None:
        self._keep = keep
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, int], Evidence] = OrderedDict()

    def get(self, case: Case, run_id: str) -> Evidence:
        """Return a scan's evidence.

        Raises:
            CaseError: There is no such finished scan.
        """
        run = case.run(run_id)
        path = run.folder / ARRAYS
        key = (str(path), path.stat().st_mtime_ns if path.exists() else 0)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = Evidence(case, run)
                while len(self._kept) > self._keep:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]
