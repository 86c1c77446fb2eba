"""``forensics sign``: stand for what a case has found, by name."""

from dataclasses import asdict
from pathlib import Path

import click

from forensics.case import Case
from forensics.cli.flags import case_flag
from forensics.cli.output import emit, json_flag


@click.command()
@case_flag
@click.option("--by", "name", required=True, help="Who signs.")
@click.option("--role", default="", help="In what capacity, for instance 'lead analyst'.")
@click.option("--statement", default="", help="In your words, up to 2,000 characters.")
@json_flag
def sign(case_folder: Path, name: str, role: str, statement: str, as_json: bool) -> None:
    """Sign the findings of a case as they are now.

    The signature is a line of the case's journal with the hash of what it stands for: what is
    examined, every finished run, and people's decisions. The report shows it, and says when a
    finding is newer. It is no cryptographic signature: whoever can write the case folder can write
    another line.

    JSON: name, role, statement, at, account, facts_sha256, holds, changes.
    """
    from forensics.report.signing import sign as append

    made = append(Case.open(case_folder), name, role=role, statement=statement)
    emit(
        asdict(made),
        as_json,
        lambda: (
            f"Signed by {made.name} at {made.at}; findings {made.facts_sha256[:16]}. "
            f"Next: forensics export report --case {case_folder} --to report.html"
        ),
    )
