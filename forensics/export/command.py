"""The command line that does again what a run did."""

import shlex

from forensics.options import describe_options
from forensics.registry import load_object, methods
from forensics.runs import Run


def command_line(run: Run) -> str | None:
    """Write the command of a run, with the options that are not the defaults.

    ``CASE`` stands for the case folder, wherever that is. Values are quoted for a shell.

    Args:
        run: Of a method of the registry.

    Returns:
        ``None`` where the method is not installed.
    """
    spec = methods().get(run.method)
    if spec is None:
        return None
    # Methods of the other kinds are not chosen by name: the case's kind of model decides.
    named = [spec.name] if spec.kind in ("scan", "repair") else []
    words = ["forensics", spec.kind, *named, "--case", "CASE"]
    for field in describe_options(load_object(spec.options)):
        value = run.options.get(field.name, field.default)
        if value is None or value == field.default:
            continue
        if field.kind is bool:
            words.append(field.flag if value else f"--no-{field.flag.removeprefix('--')}")
        else:
            words += [field.flag, str(value)]
    return shlex.join(words)
