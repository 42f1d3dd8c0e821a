"""Every question a page or a widget may ask: name -> (function, whether it is quick). Each is allowed by being listed here."""

from __future__ import annotations

from descend.lab import maps, playground
from descend.lab.desk import Ask

__all__ = ["ASKS"]

ASKS: dict[str, tuple[Ask, bool]] = {
    "catalogue": (playground.catalogue, True),
    "ground": (playground.ground, True),
    "run": (playground.run, True),
    "explain": (playground.explain, True),
    "map_choices": (maps.choices, True),
    "map": (maps.map, False),
    "map_run": (maps.run, True),
    "map_limit": (maps.limit, True),
    "map_picture": (maps.picture, False),
}
