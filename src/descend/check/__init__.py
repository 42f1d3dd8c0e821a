"""Is an optimizer right? The equation that differs, named; or the dialect it follows.

from descend.check import check, assert_conforms

print(check("my_adam.py:Adam", "adamw"))
assert_conforms(MyAdam, "adamw")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from descend.check.checking import check as check
    from descend.check.conforms import assert_conforms as assert_conforms
    from descend.check.verdict import Found as Found
    from descend.check.verdict import Report as Report

__all__ = ["Found", "Report", "assert_conforms", "check"]

_HOMES = {
    "assert_conforms": "descend.check.conforms",
    "check": "descend.check.checking",
    "Found": "descend.check.verdict",
    "Report": "descend.check.verdict",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:  # late, so that the child process loads nothing it does not need
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'descend.check' has no attribute {name!r}")
