"""Pictures of the report: re-encoded by this program, small, and no more than a budget holds."""

import io

from PIL import Image

from forensics.case import Case
from forensics.data.pictures import encode_picture
from forensics.data.sample import Sample
from forensics.errors import DataError
from forensics.report.blocks import Picture

SIDE = 176  # longest side in pixels; smaller pictures keep their own
LARGEST = 5 * 2**20  # bytes of all pictures together; Base64 adds a third
MOST = 160


class Pictures:
    """Hands out encoded pictures until their number or their bytes are used up.

    A picture that was handed out before costs nothing more in the twin, but its bytes again in
    the page, so each counts.

    Args:
        case: Whose pictures they are.
    """

    def __init__(self, case: Case) -> None:
        self._case = case
        self._bytes = 0
        self._count = 0

    def sample(self, sample: Sample) -> Picture | None:
        """Return a small picture of a sample; ``None`` if it has none, or the budget is used up."""
        if sample.image is None or self._full:
            return None
        try:
            return self._take(self._case.pictures.picture(sample, SIDE).read_bytes())
        except (DataError, OSError):
            return None

    def kept(self, address: object) -> Picture | None:
        """Return a picture that a job kept, by its address; ``None`` if it is gone."""
        path = self._case.pictures.kept(str(address))
        return None if path is None else self.encode(path.read_bytes())

    def encode(self, data: bytes) -> Picture | None:
        """Return an image file re-encoded and scaled down; ``None`` if it cannot be read."""
        if self._full:
            return None
        try:
            with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as opened:
                return self._take(encode_picture(opened, SIDE))
        except (OSError, ValueError, Image.DecompressionBombError):
            return None

    def drawn(self, image: Image.Image) -> Picture | None:
        """Return a picture that a job drew, scaled down; ``None`` if the budget is used up."""
        return None if self._full else self._take(encode_picture(image, SIDE))

    @property
    def _full(self) -> bool:
        return self._bytes >= LARGEST or self._count >= MOST

    def _take(self, data: bytes) -> Picture:
        with Image.open(io.BytesIO(data)) as opened:
            width, height = opened.size
        self._bytes += len(data)
        self._count += 1
        return Picture(data=data, width=width, height=height)
