"""Figures: what they show as plain data, and the renderers. Matplotlib is imported when the first figure is drawn."""

from descend.figures.html import trace_html
from descend.figures.planemap import draw_plane
from descend.figures.plots import draw_traces
from descend.figures.style import save_figure

__all__ = ["draw_plane", "draw_traces", "save_figure", "trace_html"]
