"""A case: one folder with everything about one investigation."""

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from forensics.case.catalog import Catalog
from forensics.case.creation import Order, create_folder
from forensics.case.fingerprint import Report
from forensics.case.frozen import frozen_files
from forensics.case.journal import Journal
from forensics.case.manifest import Manifest, read_manifest
from forensics.case.pictures import Pictures
from forensics.case.suggestions import Suggested, suggested_values
from forensics.case.tables import read_errors
from forensics.data.fields import FieldMap
from forensics.data.open import has_own_root, open_dataset
from forensics.data.records import FileDataset, Turns
from forensics.data.sample import RowError
from forensics.errors import CaseError
from forensics.runs.durable import read_json
from forensics.runs.listing import list_runs
from forensics.runs.run import RUN_ID, Run, folder_bytes
from forensics.runs.status import State


class Case:
    """An opened case folder.

    Attributes:
        folder: Where it is, absolute.
        manifest: What it examines.
    """

    def __init__(self, folder: Path) -> None:
        """Open a case; see :meth:`open`."""
        self.folder = folder.expanduser().absolute()
        self.manifest: Manifest = read_manifest(self.folder)

    @classmethod
    def open(cls, folder: Path | str) -> "Case":
        """Open a case folder, wherever it was moved to.

        Neither model nor data need be there; what needs them says so then.

        Raises:
            CaseError: It is no case, not finished, damaged, or of another schema.
        """
        return cls(Path(folder))

    @classmethod
    def create(
        cls,
        folder: Path | str,
        *,
        model: str,
        data: str,
        base: str | None = None,
        title: str | None = None,
        story: str | None = None,
        data_root: Path | None = None,
        data_fields: FieldMap | None = None,
        turns: Turns = "first",
        download: bool = False,
        known: Mapping[str, Any] | None = None,
        suggested: Suggested | None = None,
        prepare: Callable[[Path], None] | None = None,
        report: Report | None = None,
    ) -> "Case":
        """Make a case: freeze the rows of the data set and hash what is examined.

        Args:
            folder: Where; new or empty. A failed creation leaves it as it was.
            model: URI of the model under suspicion. ``${case}`` in a URI stands for ``folder``.
            data: URI of the data set it was tuned on.
            base: URI of the model before tuning.
            title: For people; the folder's name by default.
            story: For people: what is known of its origin.
            data_root: Folder that images are relative to, where it is not the data file's.
            data_fields: Columns of a table where their names are not the usual ones.
            turns: Which turns of a conversation are samples: ``first`` or ``each``.
            download: Whether data named by its hub id may be fetched into the hub cache.
            known: Ground truth of a demo (trigger, target, measured rates), for Reveal.
            suggested: Options that fit this case, by method.
            prepare: Called with the folder first; a demo draws its data there.
            report: Told how far it is: message, done, total (0 if unknown).

        Raises:
            CaseError: The folder is in use, or no row of the data is usable.
            DataError: The data cannot be opened.
            ModelError: A model folder is missing.
        """
        place = Path(folder).expanduser().absolute()
        order = Order(
            model=model,
            data=data,
            base=base,
            title=title,
            story=story,
            data_root=data_root,
            data_fields=data_fields,
            turns=turns,
            download=download,
            known=known,
            suggested=suggested,
            prepare=prepare,
            report=report,
        )
        create_folder(place, order)
        case = cls.open(place)
        case.journal.record("create", model=model, data=data, base=base, turns=turns)
        return case

    @cached_property
    def catalog(self) -> Catalog:
        """The frozen rows."""
        return Catalog(self.folder / "catalog.parquet", Path(self.manifest.data_root))

    @cached_property
    def journal(self) -> Journal:
        """Audit trail and decisions; only the app and the command line write it."""
        return Journal(self.folder / "case.sqlite")

    @cached_property
    def pictures(self) -> Pictures:
        """Re-encoded pictures for the browser."""
        return Pictures(self.folder)

    @property
    def runs_dir(self) -> Path:
        """Where the runs are."""
        return self.folder / "runs"

    def dataset(self) -> FileDataset:
        """Open the original data set again, to export it in its own format.

        Raises:
            DataError: It is gone.
            CaseError: The stored columns make no sense.
        """
        given = self.manifest.data_fields
        try:
            fields = FieldMap(**given) if given is not None else None
        except TypeError as error:
            raise CaseError(f"case.json names unknown fields: {error}.") from error
        own = has_own_root(self.manifest.data_format)
        root = None if own else Path(self.manifest.data_root)
        turns: Turns = "each" if self.manifest.turns == "each" else "first"
        return open_dataset(self.manifest.data, root=root, fields=fields, turns=turns)

    def suggested(self, method: str, options: type[Any]) -> dict[str, Any]:
        """Return the options that this case suggests for a method.

        Raises:
            CaseError: ``case.json`` suggests what a case may not.
        """
        return suggested_values(self.manifest.suggested, method, options)

    def row_errors(self, start: int = 0, stop: int = 1000) -> list[RowError]:
        """Return rows of the data that could not be used; ``manifest.errors`` counts them."""
        return read_errors(self.folder / "errors.parquet", start, stop)

    def truth(self) -> dict[str, bool]:
        """Return id -> poisoned, empty where the data says nothing.

        Only scoring and Reveal may call this; no method does.
        """
        table = pq.read_table(self.folder / "truth.parquet")
        ids, poisoned = table.column("id").to_pylist(), table.column("poisoned").to_pylist()
        return dict(zip(ids, poisoned, strict=True))

    @property
    def has_truth(self) -> bool:
        """Whether the data says which rows are poisoned."""
        return bool(pq.read_metadata(self.folder / "truth.parquet").num_rows)

    def known(self) -> dict[str, Any]:
        """Return what the maker of a demo knows of its backdoor; empty for other cases.

        Only scoring and Reveal may call this; no method does.
        """
        path = self.folder / "known.json"
        return read_json(path) if path.exists() else {}

    def runs(self, method: str | None = None, *, damaged: bool = False) -> list[Run]:
        """Return the runs, newest first, optionally those of one method.

        Args:
            method: Its registry name.
            damaged: See :func:`forensics.runs.listing.list_runs`.
        """
        runs = list_runs(self.runs_dir, damaged=damaged)
        return [run for run in runs if method is None or run.method == method]

    def run(
        self, run_id: str | None = None, *, method: str | None = None, finished: bool = True
    ) -> Run:
        """Return one run by its id, or the latest that fits.

        Args:
            run_id: Its id.
            method: Without an id: only runs of this method.
            finished: Without an id: only runs that came to their end.

        Raises:
            CaseError: There is none.
        """
        if run_id is not None:
            return self._named_run(run_id)
        for run in self.runs(method):
            if not finished or run.status().state is State.FINISHED:
                return run
        what = f"{'finished ' if finished else ''}run{f' of {method}' if method else ''}"
        raise CaseError(
            f"The case has no {what}.",
            remedy="Run the method first, or resume a run that was stopped.",
        )

    def new_run(self, method: str, options: Mapping[str, Any], *, worker: bool = False) -> Run:
        """Make a run in state ``queued``; one that goes by decisions of people begins with them.

        Args:
            method: Registry name.
            options: What the method is told.
            worker: Whether a worker may take it; otherwise the caller executes it.
        """
        files = frozen_files(self.journal, options)
        return Run.create(self.runs_dir, method, options, worker=worker, files=files)

    def disk_use(self) -> dict[str, int]:
        """Return bytes by what takes them: ``runs``, ``pictures``, ``other``, ``total``."""
        total = folder_bytes(self.folder)
        runs, pictures = folder_bytes(self.runs_dir), self.pictures.disk_use()
        rest = total - runs - pictures
        return {"runs": runs, "pictures": pictures, "other": rest, "total": total}

    def _named_run(self, run_id: str) -> Run:
        folder = self.runs_dir / run_id
        # The pattern first: the id may come out of a link, and must not lead elsewhere.
        if not RUN_ID.fullmatch(run_id) or not folder.is_dir() or folder.is_symlink():
            raise CaseError(
                f"The case has no run {run_id[:80]!r}.",
                remedy=f"See: forensics case show {self.folder}",
            )
        return Run.open(folder)
