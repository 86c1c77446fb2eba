"""The patch of a proved transplant test as the judge of a repair; settled once a run."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image

from forensics.case import Case
from forensics.data.images import open_image
from forensics.data.sample import Sample
from forensics.detectors.transplant.boxes import Box, frame_of, peak_box
from forensics.errors import CaseError, DataError
from forensics.jobs.judge import RECONSTRUCTION, Judge
from forensics.jobs.transplant.cutout import CutoutTrigger, Frames, Piece
from forensics.jobs.transplant.pictures import cut
from forensics.jobs.transplant.scan import Scanned, read_scan
from forensics.models.base import GenerativeModel, Prompt
from forensics.runs import Run, RunContext, State
from forensics.runs.choices import keep_choice

METHOD: Final = "transplant"
REPRODUCED: Final = "reproduced"
TITLE: Final = "the patch that the transplant test cut out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a transplant test proved.

    Attributes:
        run: Its id.
        scan: The scan whose flags it tested.
        layer: Whose attention peaks were cut out.
        margin: Size of the patch, see :func:`peak_box`.
        donors: Ids of the samples that gave patches.
        answer: What the patch leads to.
    """

    run: str
    scan: str
    layer: int
    margin: int
    donors: tuple[str, ...]
    answer: str


def latest_proof(case: Case) -> Proof | None:
    """Return what the latest transplant test proved whose scan is still there.

    Tests that reproduced several answers, or took samples by force, prove no single trigger.
    """
    runs = case.runs()
    scans = {run.id for run in runs}
    proofs = (
        _proof(run) for run in runs if run.method == METHOD and run.status().state is State.FINISHED
    )
    return next((found for found in proofs if found is not None and found.scan in scans), None)


def settle_proved(
    case: Case,
    context: RunContext,
    samples: Sequence[Sample],
    open_model: Callable[[], GenerativeModel],
) -> Judge | None:
    """Judge a repair by the latest proof; a run that goes on keeps to what it began with.

    Args:
        case: The case.
        context: Of the repair.
        samples: What the patch will be put into.
        open_model: Opens a model whose processor sees pictures as the repaired one does; called
            once a run, and only where there is a proof.

    Raises:
        CaseError: The proof, or all that its patches were cut from, is gone.
    """

    def latest() -> str | None:
        found = latest_proof(case)
        return None if found is None else found.run

    named = keep_choice(context.folder, "judge", latest)
    if named is None:
        return None
    proof = _proof(case.run(named))
    if proof is None:
        raise CaseError(f"Run {named} proves no patch any more.", remedy="Repair again.")
    donors = keep_choice(context.folder, "donors", lambda: readable_donors(case, proof))
    seen = keep_choice(
        context.folder, "frames", lambda: [*frames_of(open_model(), samples).items()]
    )
    frames = {(int(size[0]), int(size[1])): _box(frame) for size, frame in seen}
    return judge_by(case, proof, donors, frames)


def judge_by(case: Case, proof: Proof, donors: Sequence[str], frames: Frames) -> Judge:
    """Return a proof's patches as a trigger, and the answer that they carry.

    Args:
        case: The case.
        proof: See :func:`latest_proof`.
        donors: Those of its donors whose patches to take.
        frames: See :class:`CutoutTrigger`.

    Raises:
        CaseError: There are no such donors, or one's picture is gone.
    """
    scan = _scan(case, proof)
    try:
        pieces = tuple(_piece(case, scan, proof, name) for name in donors)
    except DataError as error:
        raise _gone(str(error)) from error
    if not pieces:
        raise _gone("None of its pictures can be read.")
    return Judge(
        by=RECONSTRUCTION, trigger=CutoutTrigger(proof.run, pieces, frames), spec=None,
        target=proof.answer, title=TITLE, run=proof.run,
    )  # fmt: skip


def readable_donors(case: Case, proof: Proof) -> list[str]:
    """Return the donors whose patches can be cut out again."""
    scan, found = _scan(case, proof), []
    for name in proof.donors:
        try:
            _piece(case, scan, proof, name)
        except DataError:
            continue  # its picture is gone since the test; the other donors stand for it
        found.append(name)
    return found


def frames_of(model: GenerativeModel, samples: Iterable[Sample]) -> dict[tuple[int, int], Box]:
    """Return which part the model sees of pictures as large as the samples' first ones.

    Samples whose picture cannot be read are left out.
    """
    found: dict[tuple[int, int], Box] = {}
    for sample in samples:
        try:
            size = open_image(sample.images[0]).size if sample.images else None
        except DataError:
            continue  # whoever measures on it reports it
        if size is not None and size not in found:
            blank = Prompt(images=(Image.new("RGB", size),), question=sample.question)
            found[size] = frame_of(model.collate([blank]).grids[0], 0)
    return found


def _proof(run: Run) -> Proof | None:
    """Read what a test proved; ``None`` where it proved no single trigger, or tells nonsense."""
    said = run.result()
    if said.get("reason") != REPRODUCED or said.get("forced"):
        return None
    scan, answer, donors = said.get("scan"), said.get("suspected_answer"), said.get("donors")
    layer, margin = said.get("layer"), said.get("margin")
    if not (isinstance(scan, str) and isinstance(answer, str) and isinstance(donors, list)):
        return None
    if not (isinstance(layer, int) and isinstance(margin, int)):
        return None
    return Proof(
        run=run.id, scan=scan, layer=layer, margin=margin, answer=answer,
        donors=tuple(str(name) for name in donors),
    )  # fmt: skip


def _piece(case: Case, scan: Scanned, proof: Proof, name: str) -> Piece:
    """Cut a donor's patch out again, as the test did.

    Raises:
        DataError: Its picture cannot be read, or shows no such patch.
    """
    row = case.catalog.index(name)
    place = int((scan.rows == row).argmax())
    peak = peak_box(scan.grids(place), int(scan.peak_token[place, proof.layer]), proof.margin)
    images = case.catalog.select([row])[0].images
    if scan.rows[place] != row or peak is None or peak.image >= len(images):
        raise DataError(f"Sample {name[:80]!r} gave no patch.")
    return Piece(cut(open_image(images[peak.image]), peak.box), peak.box, peak.frame)


def _scan(case: Case, proof: Proof) -> Scanned:
    scan = read_scan(case, proof.scan, 0)
    if not 0 <= proof.layer < scan.peak_token.shape[1]:
        raise _gone(f"The scan {proof.scan} has no layer {proof.layer}.")
    return scan


def _box(values: Sequence[float]) -> Box:
    left, top, right, bottom = values
    return left, top, right, bottom


def _gone(why: str) -> CaseError:
    return CaseError(
        f"The patches of the transplant test cannot be cut out any more. {why}",
        remedy="Name the trigger with --trigger and --answer, or test again.",
    )
