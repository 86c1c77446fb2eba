"""Read WebDataset shards: tar files in which members of one name but other suffixes are a sample.

The ``webdataset`` library is not used: it decodes members by their suffix, pickles among them, and
opens URLs and shell pipes. Here images, ``json``, ``txt`` and ``cls`` count; every other member is
passed over unopened.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from forensics.data.assemble import Assembler
from forensics.data.fields import USUAL_NAMES
from forensics.data.records import BadRow, Draft, FileDataset, Record, Turns, shown
from forensics.data.sample import ImageRef
from forensics.data.shards import find_shards
from forensics.data.tar_members import BrokenTar, Member, list_members

IMAGE_SUFFIXES = ("jpg", "jpeg", "png", "webp", "bmp")
MAX_MEMBERS = 128
MAX_TEXT_BYTES = 16 << 20
MAX_SAMPLE_BYTES = 512 << 20
_FIELDS = ("conversations", "question", "answer", "label", "poisoned")


@dataclass(slots=True)
class _Group:
    """The members of one sample; what they hold is read in the order of the tar file."""

    key: str
    members: list[tuple[str, Member]]
    problem: BadRow | None = None
    images: list[ImageRef] = field(default_factory=list)

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """First byte and end of each member, headers included."""
        return tuple((member.start, member.end) for _, member in self.members)


class WebDataset(FileDataset):
    """Stream the samples of WebDataset shards.

    The id of a sample is its key, with the shard's name before it where there are several shards,
    since keys are often counted anew in each. Shards that cannot be read to their end give one
    row error and what stands before it.

    Args:
        path: The folder of the shards, absolute.
        uri: How the user names them, scheme included.
        root: The same folder.
        turns: Which turns of a conversation are samples.
        shards: The tar files in order.
    """

    format = "wds"

    def __init__(
        self, path: Path, uri: str, root: Path, turns: Turns, shards: tuple[Path, ...]
    ) -> None:
        super().__init__(path, uri, root, turns)
        self.shards = shards

    @classmethod
    def open(cls, text: str, turns: Turns = "first") -> "WebDataset":
        """Find the shards of a URI, scheme removed.

        Raises:
            DataError: See :func:`~forensics.data.shards.find_shards`.
        """
        folder, pattern, shards = find_shards(text)
        return cls(folder, f"wds:{folder / pattern}", folder, turns, shards)

    @property
    def files(self) -> tuple[Path, ...]:
        """Return the shards."""
        return self.shards

    def records(self) -> Iterator[Record]:
        """Yield every sample shard by shard; its original is the byte spans of its members."""
        assembler = Assembler(self.path.name, self.path.name, self.root, self.turns)
        row = 0
        for shard in self.shards:
            for line, group in enumerate(_groups(shard), start=1):
                row += 1
                yield from assembler.records(self._draft(shard, group, line, row))

    def _draft(self, shard: Path, group: _Group, line: int, row: int) -> Draft:
        problem = group.problem
        cells: dict[str, object] = {}
        try:
            cells = self._cells(shard, group)
        except BadRow as bad:
            problem = problem or bad
        except OSError as error:
            problem = problem or BadRow(f"the shard cannot be read: {error.strerror}")
        if group.key:
            prefix = f"{shard.stem}/" if len(self.shards) > 1 else ""
            cells["id"] = prefix + group.key
        return Draft(
            line=line, row=row, raw=group.spans, cells=cells, problem=problem, source=shard.name
        )

    def _cells(self, shard: Path, group: _Group) -> dict[str, object]:
        cells: dict[str, object] = {}
        for suffix, member in group.members:
            last = suffix.rpartition(".")[2]
            if member.problem is not None:
                raise member.problem
            if last in IMAGE_SUFFIXES:
                group.images.append(
                    ImageRef(
                        root=self.root, path=shard.name, offset=member.offset, size=member.size
                    )
                )
            elif suffix == "json":
                cells |= _json_cells(_text(shard, member))
            elif suffix in ("txt", "cls"):
                cells[suffix] = _text(shard, member).strip()
        text, label = cells.pop("txt", None), cells.pop("cls", None)
        return {"image": group.images, "answer": text, "label": label} | cells


def _groups(shard: Path) -> Iterator[_Group]:
    """Yield the samples of a shard; the last one of a broken shard may lack members: an error."""
    broken: list[BadRow] = []
    for key, found in groupby(_usable(shard, broken), key=lambda part: part[0]):
        members: list[tuple[str, Member]] = []
        count = size = 0
        for _, suffix, member in found:
            count, size = count + 1, size + member.size
            if count <= MAX_MEMBERS:
                members.append((suffix, member))
        # Where the shard breaks off, that is known by now, since the next member was asked for.
        yield _Group(key, members, broken.pop() if broken else _group_problem(members, count, size))
    if broken:
        yield _Group("", [], broken.pop())


def _usable(shard: Path, broken: list[BadRow]) -> Iterator[tuple[str, str, Member]]:
    """Yield key, suffix and member; hidden files and files without a suffix are passed over."""
    try:
        for member in list_members(shard):
            folder, slash, name = member.name.rpartition("/")
            stem, dot, suffix = name.partition(".")
            if (stem and dot) or member.problem is not None:
                yield folder + slash + stem, suffix.lower(), member
    except BrokenTar as error:
        broken.append(BadRow(f"the rest of the shard cannot be read: {error}", _AGAIN))
    except OSError as error:
        broken.append(BadRow(f"the shard cannot be read: {error.strerror}", _AGAIN))


def _group_problem(members: list[tuple[str, Member]], count: int, size: int) -> BadRow | None:
    suffixes = [suffix for suffix, _ in members]
    twice = next((suffix for suffix in suffixes if suffixes.count(suffix) > 1), None)
    if count > MAX_MEMBERS:
        return BadRow(f"the sample has {count:,} members, over the limit of {MAX_MEMBERS}")
    if size > MAX_SAMPLE_BYTES:
        return BadRow(f"the sample is larger than {MAX_SAMPLE_BYTES >> 20} MB")
    if twice is not None:
        return BadRow(f"the sample has the member '.{twice}' twice", "Give each its own name.")
    return None


def _text(shard: Path, member: Member) -> str:
    if member.size > MAX_TEXT_BYTES:
        raise BadRow(f"member {shown(member.name)} is larger than {MAX_TEXT_BYTES >> 20} MB")
    with shard.open("rb") as stream:
        stream.seek(member.offset)
        return stream.read(member.size).decode("utf-8-sig", "surrogateescape")


def _json_cells(text: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRow(f"the json member is not valid JSON: {str(error)[:100]}") from None
    if not isinstance(value, dict):
        raise BadRow(f"the json member holds a {type(value).__name__}, not an object")
    found: dict[str, object] = {}
    for name in _FIELDS:
        usual = next((key for key in USUAL_NAMES[name] if key in value), None)
        if usual is not None:
            found[name] = value[usual]
    if "question" in found:
        found.pop("conversations", None)
    return found


_AGAIN = "Copy or download the shard again."
