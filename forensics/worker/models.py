"""The one loaded model, kept warm between jobs and given back when told to."""

import gc
import importlib
import sys
import threading
from collections.abc import Callable
from typing import Any

from forensics.encoders.base import DualEncoder
from forensics.models.base import GenerativeModel
from forensics.models.uri import encoder_uri
from forensics.settings import current


class ModelCache:
    """Opens models when a job asks for them, and keeps the latest.

    Only one is kept: two 7-billion models do not fit into most machines. Whoever still holds the
    other one keeps it alive; a job should hold a model no longer than it needs it.

    Args:
        load: Opens a model by its URI; :func:`forensics.models.loading.open_model` by default,
            imported at the first use.
        load_encoder: The same for CLIP-like encoders;
            :func:`forensics.encoders.loading.open_encoder` by default.
    """

    def __init__(
        self,
        load: Callable[[str], Any] | None = None,
        load_encoder: Callable[[str], Any] | None = None,
    ) -> None:
        self._load = load or _open_model
        self._load_encoder = load_encoder or _open_encoder
        self._lock = threading.RLock()
        self._uri: str | None = None
        self._device = ""
        self._loader: Callable[[str], Any] | None = None
        self._model: Any = None

    def get(self, uri: str) -> GenerativeModel:
        """Return an opened model; loads it if it is not the one at hand.

        Raises:
            ModelError: It cannot be opened.
        """
        model: GenerativeModel = self._opened(uri, self._load)
        return model

    def encoder(self, uri: str) -> DualEncoder:
        """Return an opened CLIP-like encoder; loads it if it is not what is at hand.

        Learnt prompts in the name are left aside: heads on one encoder share it.

        Raises:
            ModelError: It cannot be opened.
        """
        encoder: DualEncoder = self._opened(encoder_uri(uri), self._load_encoder)
        return encoder

    def _opened(self, uri: str, load: Callable[[str], Any]) -> Any:
        device = current().device  # one that was changed since holds for the next job
        with self._lock:
            if (uri, load, device) != (self._uri, self._loader, self._device):
                self.release()  # before loading, so that not both are in memory
                self._model = load(uri)
                self._uri, self._loader, self._device = uri, load, device
            return self._model

    @property
    def loaded(self) -> str | None:
        """URI of the model at hand."""
        return self._uri

    def release(self) -> None:
        """Let go of the model and give its memory back to the device."""
        with self._lock:
            self._uri = self._loader = self._model = None
        gc.collect()
        torch = sys.modules.get("torch")
        if torch is not None and torch.cuda.is_initialized():
            torch.cuda.empty_cache()


def _open_model(uri: str) -> Any:
    return importlib.import_module("forensics.models.loading").open_model(uri)


def _open_encoder(uri: str) -> Any:
    return importlib.import_module("forensics.encoders.loading").open_encoder(uri)
