"""Sign-off: who stands for what the report says, and what is newer than the signature.

A signature is a line of the journal with hashes of what was signed. It is no cryptographic
signature: whoever can write the case folder can write another line.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Final

from forensics.case import Case
from forensics.errors import OptionError
from forensics.jobs.flag_files import FLAGGED_IDS
from forensics.report.facts import Signature
from forensics.report.hidden import without_truth
from forensics.report.reading import short, table_of
from forensics.report.runs import result_of, run_facts
from forensics.runs import Run, State

WHAT: Final = "sign"
_FOUND: Final = ("run", "method", "state", "created", "verdict", "reason", "sentence", "evidence",
                 "not_covered", "options", "n", "failed", "flagged", "versions")  # fmt: skip
LONGEST: Final = {"name": 80, "role": 80, "statement": 2000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a signature stands for, as hashes.

    Attributes:
        case: SHA-256 of ``case.json``: what is examined.
        runs: Finished run -> SHA-256 of what the report tells of it, and of its list of flagged
            ids. No score that was computed from ground truth takes part.
        decisions: SHA-256 of what people decided about samples.
    """

    case: str
    runs: dict[str, str]
    decisions: str

    @property
    def facts_sha256(self) -> str:
        """One hash of all of it: of the canonical JSON of the three."""
        return _digest(asdict(self))


def findings(case: Case) -> Findings:
    """Hash what is examined, what finished runs found, and what people decided."""
    runs = {run.id: _finding(case, run) for run in case.runs()
            if run.status().state is State.FINISHED}  # fmt: skip
    decided = [[one.sample, one.verdict, one.note, one.by, one.at]
               for one in case.journal.every_decision()]  # fmt: skip
    return Findings(
        case=hashlib.sha256((case.folder / "case.json").read_bytes()).hexdigest(),
        runs=runs,
        decisions=_digest(decided),
    )


def sign(
    case: Case, name: str, *, role: str = "", statement: str = "", account: str | None = None
) -> Signature:
    """Append a signature to the journal, over the findings as they are now.

    Args:
        case: The case.
        name: Who signs.
        role: In what capacity.
        statement: In their words.
        account: Who is logged in; the account that runs the program by default.

    Raises:
        OptionError: The name is empty, or a text is too long.
    """
    given = {"name": name.strip(), "role": role.strip(), "statement": statement.strip()}
    if not given["name"]:
        raise OptionError("A signature needs a name.", remedy="For instance: --by 'A. Analyst'")
    for what, text in given.items():
        if len(text) > LONGEST[what]:
            raise OptionError(f"The {what} is longer than {LONGEST[what]} characters.")
    found = findings(case)
    case.journal.record(
        WHAT, who=account, **given, facts_sha256=found.facts_sha256, signed=asdict(found)
    )
    return signatures(case)[-1]


def signatures(case: Case) -> list[Signature]:
    """Return all signatures, oldest first, each with what changed since."""
    entries = case.journal.entries(WHAT)
    now = findings(case) if entries else None
    return [_signature(entry, now) for entry in entries if now is not None]


def _signature(entry: Any, now: Findings) -> Signature:
    told = table_of(entry.detail)
    signed = table_of(told.get("signed"))
    changes = _changes(signed, now)
    return Signature(
        name=short(told.get("name"), LONGEST["name"]),
        role=short(told.get("role"), LONGEST["role"]),
        statement=short(told.get("statement"), LONGEST["statement"]),
        at=str(entry.at),
        account=short(entry.who, 80),
        facts_sha256=short(told.get("facts_sha256"), 64),
        holds=not changes and told.get("facts_sha256") == now.facts_sha256,
        changes=tuple(changes),
    )


def _changes(signed: Any, now: Findings) -> list[str]:
    told = []
    before = table_of(signed.get("runs"))
    new = [run for run in now.runs if run not in before]
    gone = [run for run in before if run not in now.runs]
    other = [run for run in before if run in now.runs and before[run] != now.runs[run]]
    for runs, words in ((new, "finished since"), (gone, "deleted since"),
                        (other, "changed since")):  # fmt: skip
        if runs:
            names = ", ".join(short(run, 80) for run in runs[:5])
            more = f" and {len(runs) - 5} more" if len(runs) > 5 else ""
            told.append(f"{len(runs)} run{'s' if len(runs) > 1 else ''} {words}: {names}{more}")
    if signed.get("decisions") != now.decisions:
        told.append("decisions about samples changed since")
    if signed.get("case") != now.case:
        told.append("what the case examines was changed since")
    return told


def _finding(case: Case, run: Run) -> str:
    """Hash one run: its verdict, numbers, options and flags, ground truth left out."""
    result = result_of(run)
    shown = None if result is None else without_truth(result, run.options)
    facts = asdict(run_facts(case, run, shown, is_newest=False))
    flags = run.folder / FLAGGED_IDS
    ids = hashlib.sha256(flags.read_bytes()).hexdigest() if flags.is_file() else None
    return _digest([{name: facts[name] for name in _FOUND}, ids])


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
