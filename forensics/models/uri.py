"""How a model is named: ``/folder``, ``hf:org/name@revision``, ``openclip:ViT-B-32/TAG``, ..."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from forensics.errors import ModelError
from forensics.settings import check_place

OPEN_CLIP = "openclip:"
OPEN_CLIP_CONFIG = "open_clip_config.json"
HUB_PREFIX = "hf-hub:"
PROMPTS = "+prompts:"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelURI:
    """A parsed model name.

    Attributes:
        base: Local folder, hub id, or what open_clip calls the architecture.
        revision: Hub revision, or open_clip's tag of pretrained weights; ``None`` for folders.
        adapter: Folder of a LoRA adapter; ``None`` without one.
        prompts: File of learnt prompts (CoOp, CoCoOp) that a CLIP-like encoder is asked with.
        library: Which library opens it.
    """

    base: str
    revision: str | None = None
    adapter: Path | None = None
    prompts: Path | None = None
    library: Literal["transformers", "open_clip"] = "transformers"

    @property
    def folder(self) -> Path | None:
        """The base as a folder on this machine, or ``None`` if it is a hub id."""
        path = Path(self.base).expanduser()
        # An architecture of open_clip may be called as a folder that happens to be here.
        absolute = self.library == "transformers" or path.is_absolute()
        return path if absolute and path.is_dir() else None

    def __str__(self) -> str:
        return self._without_prompts() + (f"{PROMPTS}{self.prompts}" if self.prompts else "")

    def _without_prompts(self) -> str:
        if self.library == "open_clip":
            return OPEN_CLIP + self.base + (f"/{self.revision}" if self.revision else "")
        base = self.base + (f"@{self.revision}" if self.revision else "")
        if self.adapter is not None:
            return f"hf:{base}+adapter:{self.adapter}"
        return base if self.folder else f"hf:{base}"


def parse_model_uri(uri: str) -> ModelURI:
    """Take a model's name apart without opening it.

    Args:
        uri: ``/folder``, ``local:/folder``, ``hf:org/name``, ``hf:org/name@revision``, each
            optionally followed by ``+adapter:/folder``; or ``openclip:/folder``,
            ``openclip:ARCHITECTURE/TAG``, ``openclip:hf-hub:org/name``. A plain folder that has
            only open_clip's configuration is one of open_clip. Any of them may end in
            ``+prompts:/file``: learnt prompts of a CLIP-like encoder.

    Raises:
        ModelError: The name is empty, of an unknown scheme, or a folder or file is not there.
        OptionError: It lies outside the folders that the settings allow.
    """
    head, separator, tail = uri.strip().partition(PROMPTS)
    parsed = _parse_model(head.strip(), uri)
    parsed = replace(parsed, prompts=_existing_file(tail, uri)) if separator else parsed
    base = Path(parsed.base) if Path(parsed.base).is_absolute() else None
    for place in (base, parsed.adapter, parsed.prompts):
        if place is not None:
            check_place(place, "The model")
    return parsed


def split_adapter(uri: str) -> tuple[str, Path | None]:
    """Take the adapter off a model's name.

    Returns:
        The name of the base, its revision kept, and the adapter's folder if there is one.

    Raises:
        ModelError: See :func:`parse_model_uri`.
    """
    parsed = parse_model_uri(uri)
    return str(replace(parsed, adapter=None)), parsed.adapter


def encoder_uri(uri: str) -> str:
    """Return the name of the encoder alone, without the learnt prompts that it is asked with."""
    return uri.partition(PROMPTS)[0].strip()


def _parse_model(text: str, uri: str) -> ModelURI:
    if text.startswith(OPEN_CLIP):
        return _open_clip(text.removeprefix(OPEN_CLIP))
    head, separator, tail = text.partition("+adapter:")
    adapter = _existing_folder(tail, uri) if separator else None
    hub = head.startswith("hf:")
    base = head.removeprefix("hf:").removeprefix("local:")
    if not base:
        raise ModelError("The model's name is empty.", remedy="Give a folder or hf:org/name.")
    folder = Path(base).expanduser()
    if folder.is_dir():
        if adapter is None and is_open_clip_folder(folder):
            return ModelURI(base=str(folder.resolve()), library="open_clip")
        return ModelURI(base=str(folder.resolve()), adapter=adapter)
    if not hub or base.startswith(("/", ".", "~")):
        raise ModelError(
            f"Model folder {base!r} does not exist.",
            remedy="Give an existing folder, or hf:org/name for a hub id.",
        )
    name, _, revision = base.partition("@")
    return ModelURI(base=name, revision=revision or None, adapter=adapter)


def is_open_clip_folder(folder: Path) -> bool:
    """Tell whether a folder has the layout of open_clip, and not that of transformers."""
    return (folder / OPEN_CLIP_CONFIG).is_file() and not (folder / "config.json").is_file()


def _open_clip(text: str) -> ModelURI:
    if text.startswith(HUB_PREFIX):
        return ModelURI(base=text, library="open_clip")
    folder = Path(text).expanduser()
    is_there = (folder / OPEN_CLIP_CONFIG).is_file()
    if is_there or text.startswith(("/", ".", "~")):
        if not is_there:
            raise ModelError(
                f"{text!r} is no folder of open_clip: {OPEN_CLIP_CONFIG} is not in it.",
                remedy="Give a folder that open_clip opens as local-dir:.",
            )
        return ModelURI(base=str(folder.resolve()), library="open_clip")
    architecture, _, tag = text.partition("/")
    if not architecture or not tag:
        raise ModelError(
            f"Model 'openclip:{text}' names no weights.",
            remedy="Give openclip:/folder or openclip:ARCHITECTURE/TAG, as ViT-B-32/openai.",
        )
    return ModelURI(base=architecture, revision=tag, library="open_clip")


def _existing_folder(text: str, uri: str) -> Path:
    path = Path(text).expanduser()
    if not path.is_dir():
        raise ModelError(
            f"Model {uri!r}: the adapter folder {text!r} does not exist.",
            remedy="Give the folder that holds adapter_config.json.",
        )
    return path.resolve()


def _existing_file(text: str, uri: str) -> Path:
    path = Path(text.strip()).expanduser()
    if not path.is_file():
        raise ModelError(
            f"Model {uri!r}: there is no file of prompts {text!r}.",
            remedy="Give the file of learnt prompts, for instance +prompts:/prompts.safetensors.",
        )
    return path.resolve()
