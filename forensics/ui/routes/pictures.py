"""Pictures of samples: re-encoded by us, kept under the hash of their content."""

from dataclasses import replace

from fastapi import APIRouter
from fastapi.responses import FileResponse

from forensics.data.sample import Sample
from forensics.errors import DataError
from forensics.ui.context import Context

TYPES = {".png": "image/png", ".jpg": "image/jpeg"}
KINDS = ("thumb", "view")
# A picture opened by itself is a document; the name of the file is ours.
HEADERS = {
    "Cache-Control": "private, max-age=600",
    "Content-Disposition": "inline; filename=picture",
}


def picture_routes(context: Context) -> APIRouter:
    """Return the routes of pictures.

    A page names a row of the catalogue, never a file; what it gets is made by us from the pixels
    at the first asking, and its ETag is the hash that the file is kept under.
    """
    routes = APIRouter(prefix="/pictures")

    @routes.get("/{name}/{kind}/{row}")
    def picture(name: str, kind: str, row: int, image: int = 0) -> FileResponse:
        if kind not in KINDS:
            raise DataError(f"There are no {kind[:20]!r} pictures.")
        case = context.case(name)
        sample = _of_picture(case.catalog.select([row])[0], image)
        path = case.pictures.thumb(sample) if kind == "thumb" else None
        if path is None:  # says why, where there is no thumbnail
            path = case.pictures.picture(sample)
        tag = {"ETag": f'"{path.stem}"'}
        return FileResponse(path, media_type=TYPES[path.suffix], headers=HEADERS | tag)

    return routes


def _of_picture(sample: Sample, image: int) -> Sample:
    """Return a sample as if it had only one of its pictures."""
    if image == 0:
        return sample
    if not 0 <= image < len(sample.images):
        raise DataError(f"Sample {sample.id[:80]!r} has no picture {image + 1}.")
    return replace(sample, image=sample.images[image], more_images=())
