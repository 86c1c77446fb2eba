"""The documents name what exists: files, headings, verbs, options, methods, triggers."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from forensics.api.listing import markdown
from forensics.cli.entry import root
from forensics.options import describe_options
from forensics.registry import BUILT_IN, MethodSpec, load_object
from forensics.triggers import CATALOG

HOME = Path(__file__).resolve().parents[1]
PAGES = [HOME / "README.md", HOME / "CONTRIBUTING.md", *sorted((HOME / "docs").glob("*.md"))]
VERDICTS = sorted((HOME / "forensics/detectors").glob("*/*verdict.py"))
EVIDENCE = [spec for spec in BUILT_IN if spec.kind in ("scan", "transplant")]

FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
INDENTED = re.compile(r"^ {4}(?=forensics )(.+)$", re.MULTILINE)
INLINE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
OURS = re.compile(r"(?:forensics|tests|benchmarks|assets|docs)/[\w./*<>-]+")


def name_of(page: Path) -> str:
    return page.relative_to(HOME).as_posix()


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings get where Markdown is shown."""
    headings = HEADING.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in kept}


def links(page: Path) -> list[str]:
    text = INLINE.sub("", FENCE.sub("", page.read_text(encoding="utf-8")))
    return [link for link in LINK.findall(text) if not re.match(r"[a-z]+:", link)]


def commands(page: Path) -> Iterator[str]:
    """Command lines of code blocks and of code inside a line; what explains them is cut off."""
    text = page.read_text(encoding="utf-8")
    inside = "\n".join(FENCE.findall(text))
    for line in INDENTED.findall(text) + re.findall(r"^forensics .+$", inside, re.MULTILINE):
        yield from re.split(r"\s+&&\s+", re.split(r" {2,}", line)[0])
    for code in INLINE.findall(FENCE.sub("", text)):
        if code.startswith("forensics "):
            yield " ".join(code.split())


def check(line: str) -> None:
    """Parse a line as the program would, without running it: unknown words raise."""
    words = shlex.split(line, comments=True)[1:]
    command: click.Command = root
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words[0])
        assert found is not None, f"{line!r}: there is no verb {words[0]!r}"
        command, words = found, words[1:]
    context = click.Context(command)
    given, _, order = command.make_parser(context).parse_args(list(words))
    for option in order:
        value = given.get(option.name or "")
        if isinstance(option, click.Option) and isinstance(option.type, click.Choice):
            assert value in option.type.choices, f"{line!r}: {value!r} is no choice"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_relative_to(HOME), f"{link} leaves the repository"
        assert target.exists(), f"{link}: there is no such file"
        if anchor:
            assert anchor in anchors(target), f"{link}: there is no such heading"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_command_lines_name_verbs_and_options_that_exist(page: Path) -> None:
    for line in commands(page):
        try:
            check(line)
        except click.UsageError as error:
            pytest.fail(f"{line!r}: {error.format_message()}")


def test_command_lines_are_found_and_wrong_ones_are_noticed() -> None:
    assert len(list(commands(HOME / "README.md"))) > 10
    check("forensics scan bye --case mycase --mode guarded --no-high-side-guard")
    with pytest.raises(click.NoSuchOption):
        check("forensics scan bye --case mycase --no-such-option")
    with pytest.raises(AssertionError, match="no verb"):
        check("forensics scan no-such-method --case mycase")
    with pytest.raises(AssertionError, match="no choice"):
        check("forensics scan bye --mode no-such-mode")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_of_the_repository_that_are_named_exist(page: Path) -> None:
    for code in INLINE.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if OURS.fullmatch(code) and "." in code.rpartition("/")[2]:
            assert any(HOME.glob(re.sub(r"<[^>]*>", "*", code))), f"{code}: no such file"


@pytest.mark.parametrize("spec", BUILT_IN, ids=lambda spec: spec.name)
def test_every_method_is_told_of(spec: MethodSpec) -> None:
    assert f"`{spec.name}`" in (HOME / "docs/methods.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("spec", EVIDENCE, ids=lambda spec: spec.name)
def test_every_method_that_looks_for_evidence_has_a_section_with_its_options(
    spec: MethodSpec,
) -> None:
    text = (HOME / "docs/methods.md").read_text(encoding="utf-8")
    shared, *parts = re.split(r"^## (?=\w)", text, flags=re.MULTILINE)
    shared += next(part for part in parts if part.startswith("What all of them share"))
    own = next((part for part in parts if part.startswith(spec.name)), "")
    assert own, f"docs/methods.md has no section about {spec.name}"
    for option in describe_options(load_object(spec.options)):
        flag = f"--no-{option.flag[2:]}" if option.kind is bool and option.default else option.flag
        assert re.search(rf"{flag}(?![\w-])", shared + own), f"{flag} is not told of"
        for choice in option.choices:
            assert re.search(rf"`([^`]* )?{choice}`", own), f"{flag} {choice} is not told of"


@pytest.mark.parametrize("path", VERDICTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_reason_of_a_verdict_is_told_of(path: Path) -> None:
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    words = [n.value for n in tree if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    reasons = {word for word in words if re.fullmatch(r"[a-z]+(-[a-z]+)+", word)}
    text = (HOME / "docs/methods.md").read_text(encoding="utf-8")
    assert reasons and {reason for reason in reasons if f"`{reason}`" not in text} == set()


def test_the_list_of_methods_is_the_one_that_the_program_writes() -> None:
    page = (HOME / "docs/method-list.md").read_text(encoding="utf-8")
    assert page == markdown(), "forensics methods --markdown > docs/method-list.md"


def test_every_trigger_is_told_of_with_its_default() -> None:
    text = (HOME / "docs/attacks.md").read_text(encoding="utf-8")
    assert [entry.kind for entry in CATALOG if f"`{entry.default}`" not in text] == []
