"""What methods and their runs are called on the page."""

from forensics.registry import MethodSpec, methods
from forensics.runs import Run

SPELT = {"clip-inspector": "CLIP-Inspector"}  # other papers are known by capitals


def method_label(spec: MethodSpec) -> str:
    """Return a short name: the registry's, the paper's, and whether we rebuilt it."""
    alias = SPELT.get(spec.alias, spec.alias.upper())
    paper = f" ({alias})" if spec.alias and spec.paper else ""
    rebuilt = " (reconstruction)" if spec.reconstruction else ""
    return f"{spec.name.replace('-', ' ').capitalize()}{paper}{rebuilt}"


def run_label(run: Run) -> str:
    """Return the short name of a run's method; of one that is not installed, its plain name."""
    spec = methods().get(run.method)
    return run.method if spec is None else method_label(spec)
