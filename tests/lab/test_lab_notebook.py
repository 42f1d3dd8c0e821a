"""The page's elements in a real JupyterLab and a real marimo page, driven through Chromium.

Slow, and skipped where they are not installed: `pip install jupyterlab marimo`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

pytest.importorskip("anywidget", reason="anywidget is not installed: pip install 'descend[notebook]'")
pytestmark = pytest.mark.slow

CELLS = [
    """
import descend as ds
w = ds.lab.Playground("x**2 + 3*y**2", start=[4, 3], optimizers=[ds.sgd(lr=0.3), ds.adam(lr=0.3)], steps=30)
w
""",
    """
m = ds.lab.Map("rosenbrock", optimizer=ds.adam(), steps=60)
m
""",
    """
f = ds.lab.Figure(ds.descend("rosenbrock", [-1.2, 1.0], ds.adam(lr=0.02), steps=300))
f
""",
]
PIERCED = """(() => { const hosts = []; const look = (root) => { for (const e of root.querySelectorAll("*")) {
  if (e.classList.contains("descend-lab")) hosts.push(e); if (e.shadowRoot) look(e.shadowRoot); } };
  look(document); return hosts; })()"""


def part(tag, expression):
    """JavaScript: an expression of `it`, the element of this tag, in whatever shadow; null where there is none."""
    found = f"{PIERCED}.map((host) => host.shadowRoot.querySelector('{tag}')).find((it) => it)"
    return f"((it) => it && ({expression}))({found})"


DRAWN = """(() => { const canvas = it.querySelector("canvas"); if (!canvas?.width) return false;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(data).size > 8; })()"""


MAPPED = """(() => { const canvas = it.querySelector(".ds-map-raster"); if (!canvas?.width) return false;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(data).size > 32 && it.querySelector(".ds-map-error").hidden; })()"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(address, process):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(300):
        assert process.poll() is None, process.stdout.read()
        try:
            return opener.open(address, timeout=5).status
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"{address} did not come up")


def served(words, address, folder):
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "HOME": str(folder), "JUPYTER_CONFIG_DIR": str(folder / "config")}
    environment |= {"NO_PROXY": "127.0.0.1", "XDG_CONFIG_HOME": str(folder / "xdg"), "JUPYTER_DATA_DIR": str(folder / "data")}
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=folder)
    try:
        wait_for(address, process)
    except BaseException:
        process.kill()
        raise
    return process


def stop(process):
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()


def shot(page, name):
    """A screenshot, where somebody wants to look: DESCEND_SHOTS names the folder."""
    if os.environ.get("DESCEND_SHOTS"):
        page.screenshot(path=f"{os.environ['DESCEND_SHOTS']}/{name}.png", full_page=True)


@pytest.fixture
def jupyter(tmp_path):
    if importlib.util.find_spec("jupyterlab") is None:
        pytest.skip("JupyterLab is not installed: pip install jupyterlab")
    cells = [
        {"cell_type": "code", "id": f"c{k}", "metadata": {}, "source": text.strip(), "outputs": [], "execution_count": None}
        for k, text in enumerate([*CELLS, "print('START', w.state['start'])", "w.state = {**w.state, 'start': [1.0, -2.0]}"])
    ]
    book = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "cells": cells,
    }
    (tmp_path / "lab.ipynb").write_text(json.dumps(book))
    port = free_port()
    words = [sys.executable, "-m", "jupyterlab", "--no-browser", f"--port={port}", "--IdentityProvider.token=", "--allow-root"]
    words += ["--LabApp.expose_app_in_browser=True", f"--ServerApp.root_dir={tmp_path}"]
    process = served(words, f"http://127.0.0.1:{port}/api", tmp_path)
    yield f"http://127.0.0.1:{port}"
    stop(process)


RUN = """(async (k) => { const panel = jupyterapp.shell.currentWidget; panel.content.activeCellIndex = k;
  await jupyterapp.commands.execute("notebook:run-cell"); })(%d)"""


def test_jupyterlab(jupyter, open_page, until):
    """The elements are drawn, dragging is read in Python, what Python sets is shown, and keys stay in the element."""
    page = open_page(jupyter, viewport={"width": 1500, "height": 1000})
    page.witness.expected += ["console: "]  # JupyterLab's own words; what our modules throw is a page error
    page.goto("/lab/tree/lab.ipynb")
    until(page, "window.jupyterapp?.shell?.currentWidget?.content?.widgets?.length === 5")
    until(page, "jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'", 60)
    for k in range(3):
        page.evaluate(RUN % k)
    until(page, part("descend-playground", DRAWN), 60)
    until(page, part("descend-playground", "it.frame?.runs?.length === 2"), 60)
    assert page.evaluate(part("descend-playground", "[...it.state.start]")) == [4, 3]
    until(page, part("descend-map", MAPPED), 60)
    until(page, part("descend-figure", DRAWN), 60)
    shot(page, "jupyter")
    page.evaluate(part("descend-playground", "it.startAt([2.5, 1.5], true)"))
    page.wait_for_timeout(1500)
    page.evaluate(RUN % 3)
    until(page, "document.body.innerText.includes('START [2.5, 1.5]')")
    page.evaluate(RUN % 4)
    until(page, part("descend-playground", "it.state.start[0] === 1 && it.state.start[1] === -2"))
    until(page, part("descend-playground", "it.frame?.start?.[0] === 1 && it.frame?.start?.[1] === -2"))
    page.wait_for_timeout(1000)
    cells = page.evaluate("jupyterapp.shell.currentWidget.content.widgets.length")
    page.evaluate(part("descend-playground", "it.querySelector('.ds-start').focus()"))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("b")  # in JupyterLab: a new cell
    page.wait_for_timeout(500)
    assert page.evaluate("jupyterapp.shell.currentWidget.content.widgets.length") == cells
    until(page, part("descend-playground", "it.state.start[0] > 1"))


MARIMO = """
import marimo
app = marimo.App(width="full")

@app.cell
def _():
    import marimo as mo
    import descend as ds
    return ds, mo

@app.cell
def _(ds, mo):
    w = mo.ui.anywidget(ds.lab.Playground("x**2 + 3*y**2", start=[4, 3], optimizers=["sgd:lr=0.3", "adam:lr=0.3"], steps=30))
    w
    return (w,)

@app.cell
def _(mo, w):
    mo.md(f"START {w.value['state']['start']}")
    return

@app.cell
def _(ds, mo):
    mo.ui.anywidget(ds.lab.Map("rosenbrock", optimizer="adam", steps=60))
    return

@app.cell
def _(ds, mo):
    mo.ui.anywidget(ds.lab.Figure(ds.descend("rosenbrock", [-1.2, 1.0], ds.adam(lr=0.02), steps=300)))
    return

if __name__ == "__main__":
    app.run()
"""


@pytest.fixture
def marimo(tmp_path):
    if importlib.util.find_spec("marimo") is None:
        pytest.skip("marimo is not installed: pip install marimo")
    (tmp_path / "lab.py").write_text(MARIMO)
    port = free_port()
    words = [sys.executable, "-m", "marimo", "run", "lab.py", "--headless", "--no-token", "--port", str(port)]
    process = served(words, f"http://127.0.0.1:{port}/", tmp_path)
    yield f"http://127.0.0.1:{port}"
    stop(process)


def test_marimo(marimo, open_page, until):
    """The same in marimo, where the element's state makes other cells run again; marimo's style stays outside."""
    page = open_page(marimo, viewport={"width": 1500, "height": 1000})
    page.witness.expected += ["console: "]
    page.goto("/")
    until(page, part("descend-playground", DRAWN), 60)
    until(page, part("descend-playground", "it.frame?.runs?.length === 2"), 60)
    assert page.evaluate(part("descend-playground", "[...it.state.start]")) == [4, 3]
    until(page, part("descend-map", MAPPED), 60)
    until(page, part("descend-figure", DRAWN), 60)
    shot(page, "marimo")
    page.evaluate(part("descend-playground", "it.startAt([2.5, 1.5], true)"))
    until(page, "document.body.innerText.includes('START [2.5, 1.5]')")
    drawn = page.evaluate(
        part("descend-playground", "[...it.querySelectorAll('svg')].map((s) => getComputedStyle(s).verticalAlign)")
    )
    assert set(drawn) <= {"baseline"}
