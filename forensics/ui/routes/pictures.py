"""Pictures of samples: re-encoded by us, named by the hash of their content."""

import re

from fastapi import APIRouter
from fastapi.responses import FileResponse, RedirectResponse

from forensics.data.sample import Sample
from forensics.errors import DataError
from forensics.ui.context import Context

PICTURE = re.compile(r"[0-9a-f]{64}\.(png|jpg)")
TYPES = {".png": "image/png", ".jpg": "image/jpeg"}
FOLDERS = {"thumb": "thumbs", "view": "views"}
FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}
SHORT = {"Cache-Control": "private, max-age=300"}
# A picture opened by itself is a document; give it no rights at all.
INERT = {"Content-Disposition": "inline; filename=picture"}


def address(name: str, row: int, sample: Sample, kind: str = "thumb") -> str | None:
    """Return where a sample's picture is served; ``None`` for a sample without an image."""
    return None if sample.image is None else f"/pictures/{name}/{kind}/{row}"


def picture_routes(context: Context) -> APIRouter:
    """Return the routes of pictures.

    A page asks by row; it is made at the first asking, and the browser is sent to its content
    address, which it may keep for ever.
    """
    routes = APIRouter(prefix="/pictures")

    @routes.get("/{name}/{kind}/{row}")
    def by_row(name: str, kind: str, row: int) -> RedirectResponse:
        if kind not in FOLDERS:
            raise DataError(f"There are no {kind[:20]!r} pictures.")
        case = context.case(name)
        sample = case.catalog.select([row])[0]
        path = case.pictures.thumb(sample) if kind == "thumb" else None
        if path is None:  # says why, where there is no thumbnail
            path = case.pictures.picture(sample)
        where = f"/pictures/{name}/{path.parent.name}/file/{path.name}"
        return RedirectResponse(where, status_code=307, headers=SHORT)

    @routes.get("/{name}/{folder}/file/{picture}")
    def by_content(name: str, folder: str, picture: str) -> FileResponse:
        if folder not in FOLDERS.values() or not PICTURE.fullmatch(picture):
            raise DataError("There is no such picture.")
        path = context.case(name).folder / folder / picture
        # A link in a case from somebody else could lead to any file of this machine.
        if not path.is_file() or path.is_symlink():
            raise DataError("There is no such picture.")
        return FileResponse(path, media_type=TYPES[path.suffix], headers=FOREVER | INERT)

    return routes
