"""A map's cells in matplotlib axes, each as many whole pixels as it takes: its own images take ten times the memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["cells"]


def cells(axes: Any, palette: NDArray[np.uint8], index: NDArray[np.uint8]) -> None:
    """Fill the axes with the cells `index` (rows, columns), lowest row first, in the palette's colours (256, 3).

    Matplotlib keeps an image in floating point, in several copies: 1.4 GB for 4096 × 4096 cells. This one looks up the pixels
    of the page and nothing else.
    """
    from matplotlib.artist import Artist

    colours = np.concatenate([palette, np.full((len(palette), 1), 255, np.uint8)], axis=1)

    class Cells(Artist):  # type: ignore[misc, unused-ignore]
        def draw(self, renderer: Any) -> None:
            """Nearest cells of the pixels between the axes' edges, rounded as lines are."""
            box = axes.bbox
            left, bottom, right, top = (round(v) for v in (box.x0, box.y0, box.x1, box.y1))
            finer = renderer.get_image_magnification()
            wide, high = (max(1, round((b - a) * finer)) for a, b in ((left, right), (bottom, top)))
            rows, columns = (
                ((np.arange(n) + 0.5) * size / n).astype(int) for n, size in zip((high, wide), index.shape, strict=True)
            )
            image = np.take(colours, index[rows[:, None], columns[None, :]], axis=0)
            context = renderer.new_gc()
            context.set_clip_rectangle(box)
            renderer.draw_image(context, left, bottom, image)
            context.restore()

        def get_window_extent(self, renderer: Any = None) -> Any:
            """The axes themselves."""
            return axes.bbox

    made = Cells()
    made.set_zorder(0)
    axes.add_artist(made)
