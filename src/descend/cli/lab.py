"""`descend lab`: the playground on a local page."""

from __future__ import annotations

import click

from descend.errors import DescendError

__all__ = ["command"]


@click.command(name="lab")
@click.option("--port", type=click.IntRange(0, 65535), help="Default: 8421, or any free one where that is taken.")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to serve; beyond this machine a token is demanded."
)
@click.option("--no-open", is_flag=True, help="Do not open a browser.")
def command(port: int | None, host: str, no_open: bool) -> None:
    """Open the playground: contours, a start point to drag, sliders for every hyperparameter, maps of two of them.

    Everything is computed on this machine, and nothing leaves it.

    \b
    descend lab
    descend lab --port 9000 --no-open
    """
    from descend.lab import serve

    try:
        serve(host, port, open_page=not no_open)
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn", "websockets"):
            raise
        raise DescendError("the lab needs its web server, which is not installed: pip install 'descend[lab]'") from None
