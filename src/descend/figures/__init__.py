"""Figures: what they show as plain data, and the renderers. Matplotlib is imported when the first figure is drawn."""

from descend.figures.fit import draw_fit, draw_fit_many
from descend.figures.html import trace_html
from descend.figures.planemap import draw_plane
from descend.figures.plots import draw_traces
from descend.figures.style import save_figure
from descend.figures.text import loss_plot, sparkline

__all__ = [
    "draw_fit",
    "draw_fit_many",
    "draw_plane",
    "draw_traces",
    "loss_plot",
    "save_figure",
    "sparkline",
    "trace_html",
]
