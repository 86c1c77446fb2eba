"""Cases: the folder that the app, the command line and a notebook all read and write."""

from forensics.case.case import Case
from forensics.case.catalog import Catalog
from forensics.case.journal import Journal
from forensics.case.journal_tables import AuditEntry, Decision
from forensics.case.manifest import Manifest
from forensics.case.pictures import Pictures

__all__ = ["AuditEntry", "Case", "Catalog", "Decision", "Journal", "Manifest", "Pictures"]
