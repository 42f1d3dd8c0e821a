"""Every question a page or a widget may ask: name -> (function, whether it is quick). Each is allowed by being listed here."""

from __future__ import annotations

from descend.lab import anatomy, linefit, linetable, maps, partials, playground, rules, sharing, slopes
from descend.lab.desk import Ask

__all__ = ["ASKS"]

ASKS: dict[str, tuple[Ask, bool]] = {
    "catalogue": (playground.catalogue, True),
    "ground": (playground.ground, True),
    "run": (playground.run, True),
    "limits": (playground.limits, True),
    "explain": (playground.explain, True),
    "slope_presets": (slopes.slope_presets, True),
    "slope": (slopes.slope, True),
    "errors": (slopes.errors, True),
    "derivation": (rules.derivation, True),
    "factors": (rules.factors, True),
    "arrows": (partials.arrows, True),
    "partials": (partials.partials, True),
    "line_presets": (linefit.line_presets, True),
    "line": (linefit.line, True),
    "line_at": (linefit.line_at, True),
    "line_why": (linefit.line_why, True),
    "line_table": (linetable.line_table, True),
    "map_choices": (maps.choices, True),
    "map": (maps.map, False),
    "map_warm": (maps.warm, False),
    "map_run": (maps.run, True),
    "map_limit": (maps.limit, True),
    "map_picture": (maps.picture, False),
    "point": (playground.point, True),
    "anatomy": (anatomy.anatomy, True),
    "share": (sharing.share, True),
}
