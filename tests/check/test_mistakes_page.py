"""docs/mistakes.md is what the catalogue says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_field_guide_is_up_to_date() -> None:
    told = subprocess.run([sys.executable, ROOT / "scripts" / "make_mistakes.py", "--check"], capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr
