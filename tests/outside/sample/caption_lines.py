"""A data format of another package: a text file with ``picture<TAB>caption`` on each line."""

from collections.abc import Iterator
from pathlib import Path

from forensics.data.assemble import Assembler
from forensics.data.records import BadRow, Draft, FileDataset, Record, Turns
from forensics.errors import DataError


class CaptionLines(FileDataset):
    """Stream the lines of a file; pictures are relative to its folder."""

    format = "lines"

    def records(self) -> Iterator[Record]:
        """Yield every line."""
        assembler = Assembler(self.path.name, self.path.stem, self.root, self.turns)
        with self.path.open(encoding="utf-8") as file:
            for number, text in enumerate(file, start=1):
                picture, tab, caption = text.rstrip("\n").partition("\t")
                problem = None if tab else BadRow("the line has no tab")
                cells = {"image": picture, "question": "describe", "answer": caption}
                yield from assembler.records(
                    Draft(line=number, row=number, raw=text, cells=cells, problem=problem)
                )

    def write(self, kept: Iterator[Record], to: Path) -> None:
        """Write lines back as they were."""
        with to.open("w", encoding="utf-8") as file:
            file.writelines(str(record.raw) for record in kept)


def open_lines(rest: str, turns: Turns) -> CaptionLines:
    """Open ``lines:/file.txt``."""
    path = Path(rest).absolute()
    if not path.is_file():
        raise DataError(f"{path} is no file.", remedy="Check the path.")
    return CaptionLines(path, f"lines:{path}", path.parent, turns)
