"""Maps as plain data and as files: the colours are the ranks, each cell is drawn as it is, and a large map fits into memory."""

from __future__ import annotations

import tracemalloc
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.image import imread

from descend.figures.basins import basins
from descend.figures.palette import blocks
from descend.figures.planemap import DIVERGED, MISSING, SHADES, draw_plane, map_view, pixels
from descend.figures.style import write_figure
from descend.planes import Plane, linspace
from descend.planes.job import COLUMNS


def made(loss, outcome=None, **more):
    """A plane with these final losses, shape (columns, rows) as a plane has them."""
    shape = loss.shape
    zeros = {name: np.zeros(shape, "i4" if kind != "f" else "f4") for name, kind in COLUMNS.items()}
    codes = np.zeros(shape, np.int8) if outcome is None else outcome
    axes = {"lr": linspace(0.1, 1, shape[0]), "momentum": linspace(0, 0.9, shape[1])}
    config = {"objective": "f", "optimizer": "momentum", "steps": 100, "minimum": 0.0}
    return Plane(axes, zeros | {"loss": loss, "outcome": codes} | more, config)


@given(arrays(np.float32, st.tuples(st.integers(1, 40), st.integers(1, 40)), elements=st.floats(0, 8, width=16)))
def test_the_colour_is_the_rank(loss):
    """Each value's place among all, as ranks by comparison of every pair give it; equal values share one."""
    below = (loss.T[..., None, None] > loss.T).sum(axis=(2, 3))
    expected = np.round((1 - below / max(loss.size - 1, 1)) * (SHADES - 1))
    assert np.array_equal(map_view(made(loss), "loss").index, expected)


def test_what_diverged_or_is_missing_has_no_rank():
    loss = np.array([[1.0, 2.0], [np.inf, np.nan]], np.float32)
    view = map_view(made(loss, np.array([[0, 0], [3, -1]], np.int8)), "loss")
    assert view.index.tolist() == [[SHADES - 1, DIVERGED], [0, MISSING]]


@pytest.mark.parametrize("shape", [(3, 5), (700, 620), (40, 1)])
def test_every_cell_is_drawn_in_its_colour(shape):
    plane = made(np.random.default_rng(0).random(shape, dtype=np.float32))
    file = BytesIO()
    write_figure(draw_plane(plane, "loss", limit=False), file, "png")
    file.seek(0)
    image = np.round(255 * imread(file)[..., :3]).astype(int)
    cells = pixels(map_view(plane, "loss")).astype(int)
    figure = draw_plane(plane, "loss", limit=False)
    box = figure.axes[0].bbox
    rows, columns = cells.shape[:2]
    place = lambda a, b, n: np.round(a + (np.arange(n) + 0.5) * (b - a) / n - 0.5).astype(int)  # noqa: E731
    height = image.shape[0]
    across, down = place(round(box.x0), round(box.x1), columns), place(height - round(box.y1), height - round(box.y0), rows)
    inner = slice(1, -1) if min(shape) > 2 else slice(None)  # the frame lies over the outermost pixels
    assert np.array_equal(image[down][:, across][inner, inner], cells[inner, inner])


@given(st.integers(0, 3000), st.integers(1, 3_000_000))
def test_blocks_cover_each_row_once(rows, columns):
    parts = [range(rows)[part] for part in blocks((rows, columns))]
    assert [k for part in parts for k in part] == list(range(rows))
    assert all(len(part) * columns <= 1_000_000 or len(part) == 1 for part in parts)


@pytest.mark.parametrize("by", ["loss", "rate", "steps", "basin"])
def test_a_large_map_is_drawn_in_little_memory(by):
    """Some forty bytes a descent, the page's own pixels among them; as doubles it took a hundred and more."""
    side = 1500
    rng = np.random.default_rng(0)
    loss = rng.random((side, side), dtype=np.float32)
    point = np.where(rng.random((side, side, 1)) < 0.5, 1.0, -1.0).astype(np.float32) * np.ones(2, np.float32)
    plane = made(loss, rate=loss, steps_to=(100 * loss).astype(np.int32), point=point)
    draw_plane(made(loss[:40, :40], point=point[:40, :40]), by)  # what is imported for it
    tracemalloc.start()
    try:
        write_figure(draw_plane(plane, by), BytesIO(), "png")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 48 * side * side


def test_basins_are_told_by_the_nearest_resting_point():
    point = np.array([[[1.0, 1.0], [-1, -1]], [[1, 1], [5, 5]]], np.float32).repeat(20, 0).repeat(20, 1)
    plane = made(np.zeros((40, 40), np.float32), point=point)
    found = basins(plane, np.ones((40, 40), bool))
    kinds = found.index // 36
    assert len(found.ticks) == 3
    same = (point.swapaxes(0, 1)[:, :, None, None] == point.swapaxes(0, 1)[None, None]).all(axis=-1)
    assert np.array_equal(kinds[..., None, None] == kinds, same)
