"""The page about optimizers is what the registry says today."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from descend.rules import OPTIMIZERS
from descend.schedules import SCHEDULES

ROOT = Path(__file__).parents[2]


def make_docs() -> object:
    spec = importlib.util.spec_from_file_location("make_docs", ROOT / "scripts" / "make_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "optimizers.md").read_text(encoding="utf-8")
    assert page == make_docs().page(), "run python scripts/make_docs.py"  # type: ignore[attr-defined]


def test_every_rule_and_schedule_is_on_it_and_every_link_leads_somewhere() -> None:
    page = (ROOT / "docs" / "optimizers.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"^## (\w+)$", page, re.M))
    assert set(OPTIMIZERS) <= headings
    assert set(re.findall(r"\(#(\w+)\)", page)) <= headings
    assert all(f"`{name}(" in page for name in SCHEDULES)
