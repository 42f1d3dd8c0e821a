"""Every question a page or a widget may ask: name -> (function, whether it is quick). Each is allowed by being listed here."""

from __future__ import annotations

from descend.lab import anatomy, playground, sharing
from descend.lab.desk import Ask

__all__ = ["ASKS"]

ASKS: dict[str, tuple[Ask, bool]] = {
    "catalogue": (playground.catalogue, True),
    "ground": (playground.ground, True),
    "run": (playground.run, True),
    "limits": (playground.limits, True),
    "explain": (playground.explain, True),
    "point": (playground.point, True),
    "anatomy": (anatomy.anatomy, True),
    "share": (sharing.share, True),
}
