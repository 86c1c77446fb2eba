"""Who asks, for code that holds a request."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from forensics.case.people import acting_as


def user_of(request: Any) -> str | None:
    """Return who logged in; ``None`` where nobody has to.

    Args:
        request: Of FastAPI, Starlette or Gradio.
    """
    inner = getattr(request, "request", request)  # Gradio wraps the one of FastAPI
    name = getattr(inner.state, "user", None) if inner is not None else None
    return name if isinstance(name, str) and name else None


@contextmanager
def acting_for(request: Any) -> Iterator[None]:
    """Let what an event of a form records carry the name of whoever caused it.

    Our own routes need it not: the gate does it for them. Gradio runs events in a task of its own.
    """
    with acting_as(user_of(request)):
        yield
