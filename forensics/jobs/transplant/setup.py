"""What a transplant test decides before it asks the model anything."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.case import Case
from forensics.detectors.answers import AnswerTable, comparable_answer, tabulate_answers
from forensics.detectors.question_groups import group_questions
from forensics.detectors.transplant.plan import (
    NONE,
    Sources,
    Suspicion,
    choose_sources,
    host_candidates,
    suspect,
)
from forensics.errors import InputError, OptionError
from forensics.jobs.transplant.grafts import Grafts, usable_peaks
from forensics.jobs.transplant.options import TransplantOptions
from forensics.jobs.transplant.scan import ATTENTION, Scanned, picture_codes, read_scan
from forensics.runs import RunContext
from forensics.runs.choices import keep_choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The plan of a test.

    Attributes:
        scan: Whose flags are tested.
        answers: Taught answers of the scanned samples.
        suspicion: Suspected answer and layer.
        sources: Whose peaks are cut out.
        candidates: ``[c]`` places that may be hosts, in random order.
        grafts: Makes patches and prompts.
    """

    scan: Scanned
    answers: AnswerTable
    suspicion: Suspicion
    sources: Sources
    candidates: NDArray[np.int64]
    grafts: Grafts

    @property
    def answer(self) -> str | None:
        """The suspected answer as the data writes it; ``None`` where each donor has its own."""
        return None if self.suspicion.code == NONE else self.answers.texts[self.suspicion.code]

    def taught(self, place: int) -> str:
        """Return the answer that a sample is taught, in the form in which answers are compared."""
        code = int(self.answers.codes[place])
        return comparable_answer(self.answers.texts[code]) if code >= 0 else ""

    def tested(self) -> set[str]:
        """Return every answer that some patch is tested for."""
        return {self.taught(int(place)) for place in self.sources.all}


def prepare(case: Case, options: TransplantOptions, context: RunContext) -> Setup:
    """Read the scan and draw donors, controls and possible hosts.

    Raises:
        InputError: Nothing is flagged, no flagged sample has an answer or a peak to cut out, or
            there is no picture to paste into.
    """
    # A test that goes on meets the answers about the scan that was the latest when it began.
    named = options.run or keep_choice(
        context.folder, "scan", lambda: case.run(method=ATTENTION).id
    )
    scan = read_scan(case, named, options.force)
    answers = tabulate_answers(list(case.catalog.answers[scan.rows]))
    questions = [str(text) for text in case.catalog.questions[scan.rows]]
    suspicion = suspect(
        scan.flagged,
        scan.read,
        answers,
        group_questions(questions, len(questions)),
        scan.peak_mass,
        scan.layers if options.layer is None else [_checked(scan, options.layer)],
    )
    if suspicion is None:
        raise InputError("No flagged sample has an answer, so there is none to reproduce.")
    images = picture_codes(case, scan.rows)
    sources = choose_sources(
        suspicion,
        scan.flagged,
        usable_peaks(scan, suspicion.layer),
        answers,
        images,
        scan.peak_mass[:, suspicion.layer],
        options.donors,
    )
    if not sources.donors.size:
        raise InputError("No flagged sample has an attention peak inside its picture.")
    candidates = host_candidates(
        sources, scan.read & ~scan.suspected, answers, images, options.seed
    )
    if not candidates.size:
        raise InputError(
            "There is no unsuspected picture to paste a patch into.",
            remedy="Scan more samples of the data set.",
        )
    grafts = Grafts(case, scan, sources, suspicion.layer, options.seed)
    return Setup(
        scan=scan,
        answers=answers,
        suspicion=suspicion,
        sources=sources,
        candidates=candidates,
        grafts=grafts,
    )


def _checked(scan: Scanned, layer: int) -> int:
    layers = scan.peak_mass.shape[1]
    if layer >= layers:
        raise OptionError(f"--layer must be at most {layers - 1}, not {layer}.")
    return layer
