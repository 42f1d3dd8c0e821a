"""What the documents name exists: commands, options, files, registry entries; their examples run, and so do the docstrings'.

A fenced block whose info string holds the word `quick` is run line by line, each `descend …` in one empty folder.
"""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

import descend
from descend.cli import COMMANDS, main

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
MODULES = sorted(Path(descend.__file__).parent.rglob("*.py"))

FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```", re.MULTILINE | re.DOTALL)
#: `src/descend/loop.py`, `docs/decisions.md`, `scripts/test`: in backquotes, with a slash, beginning at a folder of ours.
PATHS = re.compile(r"`(?P<path>(?:src|docs|tests|scripts|benchmarks|\.ci)/[\w./-]+)`")
LINKS = re.compile(r"\]\((?P<path>(?!https?:|#|mailto:)[^)\s#]+)")

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))


def built(name: str) -> bool:
    return importlib.util.find_spec(f"descend.cli.{name}") is not None


def lines(text: str, *, quick: bool = False) -> Iterator[list[str]]:
    """The words of each `descend …` line in the fenced blocks, continued lines joined, comments dropped."""
    for block in FENCE.finditer(text):
        if quick and "quick" not in block["info"].split():
            continue
        for line in block["body"].replace("\\\n", " ").splitlines():
            code = line.strip().removeprefix("$ ")
            if code.startswith("descend "):
                yield shlex.split(code, comments=True)[1:]


def inline(text: str) -> Iterator[list[str]]:
    """Commands named in running text: `descend lr`."""
    for code in re.findall(r"`descend ([^`]+)`", FENCE.sub("", text)):
        yield code.split()


def options(name: str) -> set[str]:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    return {option for param in command.params for option in param.opts} | {"--help", "-h"}


@every_page
def test_commands_and_options_named_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for words in [*lines(text), *inline(text)]:
        name = words[0]
        if name.startswith("-"):
            assert name in ("--help", "--version")
            continue
        assert name in COMMANDS, f"{page.name} names `descend {name}`"
        if built(name):
            for word in words[1:]:
                if word.startswith("--"):
                    assert word.partition("=")[0] in options(name), f"{page.name}: descend {name} has no {word}"


@every_page
def test_paths_and_links_named_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for match in PATHS.finditer(text):
        assert (ROOT / match["path"]).exists(), f"{page.name} names {match['path']}"
    for match in LINKS.finditer(FENCE.sub("", text)):
        assert (page.parent / match["path"]).exists(), f"{page.name} links to {match['path']}"


@every_page
def test_quick_examples_run(page: Path, tmp_path: Path, monkeypatch: Any, command: Any) -> None:
    monkeypatch.chdir(tmp_path)
    for words in lines(page.read_text(encoding="utf-8"), quick=True):
        result = command(*words)
        assert result.exit_code == 0, (words, result.output)


@every_page
def test_python_examples_run(page: Path, tmp_path: Path, monkeypatch: Any) -> None:
    """Blocks in Python marked quick are run in order, in one namespace a page."""
    monkeypatch.chdir(tmp_path)
    space: dict[str, Any] = {}
    for block in FENCE.finditer(page.read_text(encoding="utf-8")):
        if {"python", "quick"} <= set(block["info"].split()):
            exec(compile(block["body"], str(page), "exec"), space)


def test_reference_tables_list_every_entry() -> None:
    """Where a generated reference exists, it has every registry entry, and no other."""
    from descend.objectives import SURFACES

    for name, entries in (("optimizers", list(descend.optimizers.__all__)), ("surfaces", list(SURFACES))):
        page = ROOT / "docs" / "reference" / f"{name}.md"
        if page.exists():
            headed = re.findall(r"^#+ `?([a-z0-9_]+)`?\s*$", page.read_text(encoding="utf-8"), re.MULTILINE)
            assert headed == entries


def test_the_help_of_the_program_names_commands_that_exist(command: Any) -> None:
    for words in (line.split() for line in command("--help").stdout.splitlines()):
        if words[:1] == ["descend"]:
            assert words[1] in COMMANDS


@pytest.mark.parametrize("name", [n for n in COMMANDS if built(n)])
def test_the_examples_in_a_commands_help_name_its_options(name: str) -> None:
    found = main.get_command(click.Context(main), name)
    assert found is not None
    for line in (found.help or "").splitlines():
        if line.strip().startswith("descend "):
            words = shlex.split(line.strip())
            assert words[1] == name
            assert {w.partition("=")[0] for w in words if w.startswith("--")} <= options(name)


def dotted(path: Path) -> str:
    parts = path.relative_to(Path(descend.__file__).parent.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


#: The examples there are must be found: a finder that finds none would pass.
WITH_EXAMPLES = [dotted(p) for p in MODULES if ">>> " in p.read_text(encoding="utf-8")]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_docstring_examples(name: str) -> None:
    module = importlib.import_module(name)
    finder, runner = doctest.DocTestFinder(exclude_empty=True), doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    tried = 0
    for test in finder.find(module, name) + _of_rules(module, finder):
        tried += len(test.examples)
        runner.run(test)
    assert tried > 0, f"{name} has examples that are not found"
    assert runner.summarize(verbose=False).failed == 0


def _of_rules(module: Any, finder: doctest.DocTestFinder) -> list[doctest.DocTest]:
    """Rules are objects with a function inside, which the finder does not look into."""
    found = []
    for name, thing in vars(module).items():
        function = getattr(thing, "function", None)
        if callable(function) and getattr(function, "__module__", "") == module.__name__:
            found += finder.find(function, name, module=module)
    return found


def test_there_are_examples() -> None:
    assert {"descend.loop", "descend.stability", "descend.equations", "descend.trace", "descend.rules"} <= set(WITH_EXAMPLES)
