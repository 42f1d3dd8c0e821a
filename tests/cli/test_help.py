"""Help is quick, complete and says what a command does; each command's module is imported when it is used."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from descend.cli import COMMANDS

HEAVY = ("jax", "jaxlib", "matplotlib", "sympy", "scipy", "torch", "optax")


def there(name: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(f"descend.cli.{name}") is not None


def loaded(*words: str) -> set[str]:
    """Which of the costly libraries `descend …` imports, in a process of its own."""
    script = (
        "import sys, atexit\n"
        f"atexit.register(lambda: print('\\nLOADED', *(m for m in {HEAVY!r} if m in sys.modules)))\n"
        "from descend.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rsplit("LOADED", 1)[1].split())


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["--version"],
        ["optimizers", "--help"],
        ["run", "--help"],
        ["lr", "--help"],
        ["optimizers"],
        ["optimizers", "adam"],
    ],
    ids=" ".join,
)
def test_help_and_tables_import_nothing_costly(words: list[str]) -> None:
    assert loaded(*words) == set()


def test_the_probe_sees_what_is_imported() -> None:
    assert "jax" in loaded("run", "x^2", "--start", "1", "--steps", "1", "--lr", "0.1")


def test_importing_the_package_imports_nothing_costly() -> None:
    script = f"import sys, descend; print(*(m for m in {(*HEAVY, 'numpy', 'click')!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_help_lists_every_command(command: Any) -> None:
    text = command("--help").stdout
    for name, told in COMMANDS.items():
        assert name in text
        assert told.split(",")[0].split()[0] in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_module_and_a_help(command: Any, name: str) -> None:
    if not there(name):
        pytest.xfail(f"{name} is listed and not built")
    text = command(name, "--help").stdout
    assert "Usage" in text
    assert "--json" in text or name in ("watch", "lab")  # which speaks as it goes, and which serves a page
    assert "descend " + name in text.split("Usage", 1)[1]


def test_an_unknown_command_is_refused(command: Any) -> None:
    result = command("bogus")
    assert result.exit_code == 2
    assert "No such command 'bogus'" in result.stderr
