"""What a case examines, for the report: from ``case.json`` alone."""

import shlex

from forensics.case import Case
from forensics.case.manifest import unread_note
from forensics.case.names import shown_place, stated_preprocessing
from forensics.registry import KINDS
from forensics.report.facts import Examined, Hashed
from forensics.report.reading import short

ERRORS_SHOWN = 20


def examined(case: Case) -> Examined:
    """Return what the case examines, with the hashes that were taken when it was made."""
    manifest = case.manifest
    return Examined(
        kind=KINDS.get(manifest.kind, manifest.kind),
        model=shown_place(manifest.model, case) or "",
        base=shown_place(manifest.base, case),
        data=shown_place(manifest.data, case) or "",
        data_format=manifest.data_format,
        samples=manifest.samples,
        errors=manifest.errors,
        turns=manifest.turns,
        unread=unread_note(manifest.unread_rows) if manifest.unread_rows else "",
        created=manifest.created,
        preprocessing=stated_preprocessing(manifest.preprocessing),
        hashes=tuple(
            Hashed(what=what, sha256=found.sha256, files=found.files, bytes=found.bytes)
            for what, found in manifest.hashes.items()
        ),
        row_errors=tuple(
            (short(error.source.rpartition("/")[2]), error.line, short(error.reason))
            for error in case.row_errors(0, ERRORS_SHOWN)
        ),
        versions=dict(manifest.versions),
        command=creation(case),
    )


def creation(case: Case) -> str | None:
    """Return the command line that makes such a case; ``None`` where its data lies inside it."""
    manifest = case.manifest
    if str(case.folder) in manifest.data:
        return None
    words = ["forensics", "case", "new", "CASE"]
    for flag, place in (("--model", manifest.model), ("--data", manifest.data),
                        ("--base", manifest.base)):  # fmt: skip
        if place is not None:
            words += [flag, shown_place(place, case) or ""]
    if manifest.turns != "first":
        words += ["--turns", manifest.turns]
    return shlex.join(words)
