"""Is what a case examines still what it was?"""

from forensics.api.cases import CaseLike, open_case
from forensics.case.custody import Custody
from forensics.case.custody import verify as compare


def verify(case: CaseLike) -> Custody:
    """Hash model, data and pictures again, and compare with the hashes of the case's making.

    The outcome is kept in the audit trail, and the report tells it.

    Raises:
        CaseError: The hashes are missing or damaged, or a file cannot be read.
    """
    opened = open_case(case)
    found = compare(opened)
    opened.journal.record("verify", **found.audit())
    return found
