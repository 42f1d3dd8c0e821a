"""A trace in a notebook: the outcome's sentence and the figure, as one piece of HTML."""

from __future__ import annotations

import base64
import html
import io

from descend.figures.plots import draw_traces
from descend.figures.style import write_figure
from descend.trace import Trace

__all__ = ["trace_html"]


def trace_html(trace: Trace, goal: object = None) -> str:
    """The outcome's sentence and an inline picture as `draw_traces` draws it; every text is escaped."""
    message = trace.outcome.message if trace.outcome else ""
    sentence = f"<p>{html.escape(message or repr(trace))}</p>"
    if "loss" not in trace or not len(trace.loss):
        return f"<div>{sentence}</div>"
    figure = draw_traces([trace], goal=goal)
    file = io.BytesIO()
    write_figure(figure, file, "png")
    picture = base64.b64encode(file.getvalue()).decode("ascii")
    width = round(figure.get_size_inches()[0] * 84)
    alt = html.escape(f"{trace!r}", quote=True)
    image = f'<img alt="{alt}" style="max-width:100%;width:{width}px" src="data:image/png;base64,{picture}"/>'
    return f"<div>{sentence}{image}</div>"
