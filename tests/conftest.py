"""What every test shares: CPU, no deadlines, and warnings from descend's own modules as errors."""

from __future__ import annotations

import json
import os
from typing import Any

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("MPLBACKEND", "Agg")

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, settings

settings.register_profile("descend", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("descend")


def pytest_configure(config: pytest.Config) -> None:
    """A warning that one of our modules raises is a defect; other people's are theirs."""
    config.addinivalue_line("filterwarnings", r"error:::descend(\.|$)")


def strict(text: str) -> Any:
    """JSON as the standard has it: NaN and Infinity are refused."""

    def refuse(word: str) -> Any:
        raise AssertionError(f"{word} is not JSON")

    return json.loads(text, parse_constant=refuse)


class Command:
    """`descend …` in this process."""

    def __call__(self, *words: str) -> Result:
        from descend.cli import main

        return CliRunner().invoke(main, list(words), catch_exceptions=True)

    def json(self, *words: str) -> Any:
        """What the command printed as JSON; it must have succeeded."""
        result = self(*words, "--json")
        assert result.exit_code == 0, result.output
        return strict(result.stdout)

    def refused(self, *words: str) -> str:
        """The one sentence with which the command refused: exit code 2, nothing on stdout, no traceback."""
        result = self(*words)
        assert result.exit_code == 2, (result.exit_code, result.output, result.exception)
        assert result.stdout == ""
        assert result.exception is None or isinstance(result.exception, SystemExit)
        assert "Traceback" not in result.stderr
        first, *rest = result.stderr.strip().splitlines()
        assert first.startswith("descend: "), result.stderr
        assert len(rest) <= 2  # an expression is shown with the place marked
        return first.removeprefix("descend: ")


@pytest.fixture
def command() -> Command:
    return Command()
