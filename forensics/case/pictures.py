"""Re-encoded pictures of a case's images: the only ones that are ever served."""

import contextlib
import hashlib
import os
import re
import threading
from pathlib import Path

from PIL import Image

from forensics.data.images import decode_image, image_bytes, name_of
from forensics.data.pictures import encode_picture
from forensics.data.sample import ImageRef, Sample
from forensics.errors import DataError
from forensics.runs.durable import write_bytes
from forensics.runs.run import folder_bytes

THUMB_SIDE = 128
SIDES = (64, 2048)
LIMIT_BYTES = 512 * 2**20
KEEP_SHARE = 0.8
VERSION = b"1"  # of the encoding; a new one makes new addresses
SUFFIXES = (".jpg", ".png")
ADDRESS = re.compile(r"[0-9a-f]{64}")


class Pictures:
    """The folders ``thumbs`` and ``views`` of a case; safe to share between threads and processes.

    A picture's address is the hash of the source image's bytes and the size asked for. So a
    changed image gets a new picture, two copies of one image share one, and no name comes from
    the data. When the folders outgrow their limit, the pictures unused the longest go.

    Args:
        folder: The case.
        limit: Most bytes of both folders together.
    """

    def __init__(self, folder: Path, limit: int = LIMIT_BYTES) -> None:
        self._folder = folder
        self._limit = limit
        self._lock = threading.Lock()
        self._bytes: int | None = None

    @property
    def folders(self) -> tuple[Path, Path]:
        """Where the pictures are, for the web server's list of what it may serve."""
        return self._folder / "thumbs", self._folder / "views"

    def thumb(self, sample: Sample) -> Path | None:
        """Return a small picture of a sample (longest side 128 px).

        Returns:
            ``None`` where the sample has no image or it cannot be read; :meth:`picture` says why.
        """
        if sample.image is None:
            return None
        try:
            return self._store("thumbs", sample.image, THUMB_SIDE)
        except DataError:
            return None

    def picture(self, sample: Sample, side: int = 768) -> Path:
        """Return a picture of a sample whose longest side is at most ``side`` (64 to 2048 px).

        Raises:
            DataError: The sample has no image, or it cannot be read.
        """
        if sample.image is None:
            raise DataError(f"Sample {sample.id[:80]!r} has no image.")
        return self._store("views", sample.image, min(max(side, SIDES[0]), SIDES[1]))

    def keep(self, image: Image.Image, side: int = 768) -> str:
        """Keep a picture that a job made; :meth:`kept` finds it by what is returned.

        Args:
            image: RGB.
            side: Longest side at most (64 to 2048 px).

        Returns:
            Its address: the hash of its encoded content.
        """
        encoded = encode_picture(image, min(max(side, SIDES[0]), SIDES[1]))
        address = hashlib.sha256(encoded).hexdigest()
        if self._find("views", address) is None:
            self._write("views", address, encoded)
        return address

    def kept(self, address: str) -> Path | None:
        """Return a kept picture; ``None`` where it is gone or the address is none."""
        return self._find("views", address) if ADDRESS.fullmatch(address) else None

    def disk_use(self) -> int:
        """Return the bytes of all pictures."""
        return sum(folder_bytes(folder) for folder in self.folders if folder.is_dir())

    def _store(self, kind: str, image: ImageRef, side: int) -> Path:
        source = image_bytes(image)
        address = hashlib.sha256(b"%s %d " % (VERSION, side) + source).hexdigest()
        known = self._find(kind, address)
        if known is not None:
            return known
        return self._write(
            kind, address, encode_picture(decode_image(source, name_of(image)), side)
        )

    def _write(self, kind: str, address: str, encoded: bytes) -> Path:
        suffix = ".png" if encoded.startswith(b"\x89PNG") else ".jpg"
        path = self._folder / kind / (address + suffix)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_bytes(path, encoded, durable=False)
        self._account(len(encoded), path)
        return path

    def _find(self, kind: str, address: str) -> Path | None:
        for suffix in SUFFIXES:
            path = self._folder / kind / (address + suffix)
            # A link in a case from somebody else could serve any file of this machine.
            if path.is_file() and not path.is_symlink():
                with contextlib.suppress(OSError):  # the mark of use is a courtesy
                    os.utime(path)
                return path
        return None

    def _account(self, added: int, newest: Path) -> None:
        with self._lock:
            self._bytes = self.disk_use() if self._bytes is None else self._bytes + added
            if self._bytes > self._limit:
                self._bytes = self._shrink(newest)

    def _shrink(self, newest: Path) -> int:
        entries = []
        for folder in self.folders:
            for path in folder.glob("*"):
                with contextlib.suppress(FileNotFoundError):  # another process shrinks as well
                    status = path.stat()
                    entries.append((status.st_mtime_ns, status.st_size, path))
        total = sum(size for _, size, _ in entries)
        for _, size, path in sorted(entries):
            if total <= self._limit * KEEP_SHARE:
                break
            if path != newest:
                path.unlink(missing_ok=True)
                total -= size
        return total
