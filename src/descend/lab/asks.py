"""Every question a page or a widget may ask: name -> (function, whether it is quick). Each is allowed by being listed here."""

from __future__ import annotations

import importlib

from descend.lab import playground
from descend.lab.desk import Ask

__all__ = ["ASKS", "prepare"]

ASKS: dict[str, tuple[Ask, bool]] = {
    "catalogue": (playground.catalogue, True),
    "ground": (playground.ground, True),
    "run": (playground.run, True),
    "explain": (playground.explain, True),
}


def prepare() -> None:
    """Import the engine's library, in one thread, before several threads use it."""
    importlib.import_module("jax.numpy")
