"""The lab: a local page where hyperparameters are the picture. `descend lab` starts it; everything is computed in Python.

    asks      one function per question the page may ask; each returns a Frame
    frames    Frame: JSON and arrays in one binary message
    desk      who is answered next: the newest question of a page, pages in turn, maps behind everything quick
    outbox    answers on their way to one page, bounded
    bounds    how big an expression may be
    server    the page, its static files and the WebSocket
    guard     Host, Origin, token: nobody else's page reaches the socket
    static/   the page: plain ES modules, no build step

The same asks answer a notebook's elements (`Playground`, `Map`, `Figure`), so that a picture there is the picture here.
"""

from __future__ import annotations

from typing import Any

__all__ = ["Figure", "Map", "Playground", "serve"]


def __getattr__(name: str) -> Any:
    if name == "serve":
        from descend.lab.server import serve

        return serve
    if name in ("Figure", "Map", "Playground"):
        try:
            from descend.lab import widget
        except ModuleNotFoundError as error:
            if error.name not in ("anywidget", "traitlets", "ipywidgets"):
                raise
            from descend.errors import DescendError

            sentence = (
                "the lab's elements in a notebook need anywidget, which is not installed: pip install 'descend[notebook]'"
            )
            raise DescendError(sentence) from None
        return getattr(widget, name)
    raise AttributeError(f"module 'descend.lab' has no attribute {name!r}")
