"""What ``evaluate`` measured: clean accuracy beside attack success."""

from forensics.report.blocks import Column, Table
from forensics.report.facts import Sure
from forensics.report.sections.context import Source, Told
from forensics.report.sections.repairs import ASR, CA, version_rate


def tell(source: Source) -> Told:
    """Return the two rates of one evaluation."""
    rates = {name: version_rate(source.result, name) for name in (CA, ASR)}
    titles = {CA: "Clean accuracy", ASR: "Attack success rate"}
    known = (
        " (with the trigger that the case knows)" if not source.run.options.get("trigger") else ""
    )
    table = Table(
        key="rates", title="Measured",
        columns=(Column(key="measure", title="Measure"),
                 Column(key="rate", title="Rate (n, 95 % interval)", kind="rate")),
        rows=tuple((titles[name] + (known if name == ASR else ""), found)
                   for name, found in rates.items() if found.value is not None),
    )  # fmt: skip
    sure = tuple(Sure(run=source.run.id, what=titles[name].lower(), rate=found)
                 for name, found in rates.items() if found.value is not None)  # fmt: skip
    return Told(blocks=(table,), sure=sure)
