"""How a model is named: ``/folder``, ``hf:org/name@revision``, ``hf:BASE+adapter:/folder``."""

from dataclasses import dataclass
from pathlib import Path

from forensics.errors import ModelError

_LATER = ("openclip:",)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelURI:
    """A parsed model name.

    Attributes:
        base: Local folder, or hub id.
        revision: Hub revision; ``None`` for local folders.
        adapter: Folder of a LoRA adapter; ``None`` without one.
    """

    base: str
    revision: str | None = None
    adapter: Path | None = None

    @property
    def folder(self) -> Path | None:
        """The base as a folder on this machine, or ``None`` if it is a hub id."""
        path = Path(self.base).expanduser()
        return path if path.is_dir() else None

    @property
    def local_folders(self) -> tuple[Path, ...]:
        """The folders on this machine whose content makes up the model."""
        return tuple(path for path in (self.folder, self.adapter) if path is not None)

    def __str__(self) -> str:
        base = self.base + (f"@{self.revision}" if self.revision else "")
        if self.adapter is not None:
            return f"hf:{base}+adapter:{self.adapter}"
        return base if self.folder else f"hf:{base}"


def parse_model_uri(uri: str) -> ModelURI:
    """Take a model's name apart without opening it.

    Args:
        uri: ``/folder``, ``local:/folder``, ``hf:org/name``, ``hf:org/name@revision``, each
            optionally followed by ``+adapter:/folder``.

    Raises:
        ModelError: The name is empty, of an unknown scheme, or its folder is not there.
    """
    text = uri.strip()
    if any(text.startswith(scheme) for scheme in _LATER):
        raise ModelError(
            f"Model {uri!r}: CLIP models cannot be scanned by this version.",
            remedy="Give a LLaVA folder or hub id.",
        )
    head, separator, tail = text.partition("+adapter:")
    adapter = _existing_folder(tail, uri) if separator else None
    hub = head.startswith("hf:")
    base = head.removeprefix("hf:").removeprefix("local:")
    if not base:
        raise ModelError("The model's name is empty.", remedy="Give a folder or hf:org/name.")
    if Path(base).expanduser().is_dir():
        return ModelURI(base=str(Path(base).expanduser().resolve()), adapter=adapter)
    if not hub or base.startswith(("/", ".", "~")):
        raise ModelError(
            f"Model folder {base!r} does not exist.",
            remedy="Give an existing folder, or hf:org/name for a hub id.",
        )
    name, _, revision = base.partition("@")
    return ModelURI(base=name, revision=revision or None, adapter=adapter)


def _existing_folder(text: str, uri: str) -> Path:
    path = Path(text).expanduser()
    if not path.is_dir():
        raise ModelError(
            f"Model {uri!r}: the adapter folder {text!r} does not exist.",
            remedy="Give the folder that holds adapter_config.json.",
        )
    return path.resolve()
