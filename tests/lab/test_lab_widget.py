"""The notebook's elements without a notebook: their state, what they refuse, whom they answer; and the bundle they are."""

from __future__ import annotations

import json
import queue
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import descend as ds
from descend.lab.frames import unpack

pytest.importorskip("anywidget", reason="anywidget is not installed: pip install 'descend[notebook]'")
ROOT = Path(__file__).parents[2]
STATIC = ROOT / "src" / "descend" / "lab" / "static"


def heard(widget):
    """What the element sends from now on: (content, frame)."""
    sent = queue.SimpleQueue()
    widget.send = lambda content, buffers=None: sent.put((content, unpack(bytes(buffers[0]))))
    return sent


def told(widget, ask, params, number=1, channel="view/run"):
    """A question as an element's view sends it, through anywidget's own dispatch."""
    message = json.dumps({"id": number, "channel": channel, "ask": ask, "params": params})
    widget._handle_custom_msg(message, [])


def test_the_bundle_is_made_from_these_sources():
    """static/widget.js says what it was made from: after a change of the page's modules or styles, scripts/bundle_widget."""
    found = subprocess.run([sys.executable, ROOT / "scripts" / "bundle_widget.py"], capture_output=True, text=True, check=True)
    first = (STATIC / "widget.js").read_text(encoding="utf-8").splitlines()[0]
    assert found.stdout.strip() in first, "static/widget.js is stale: run scripts/bundle_widget"


def test_the_bundle_stands_alone():
    """One file that imports nothing, asks no other host, and leaves the notebook's own elements alone."""
    text = (STATIC / "widget.js").read_text(encoding="utf-8")
    assert "export{" in text
    assert not re.search(r"""\bfrom\s*["'][./\w]|\bimport\s*\(|\bimport\s*["']|url\(fonts|["']/static/""", text)
    assert text.count("customElements.define(") == text.count("customElements.get(")
    assert "--page:" not in text
    assert "--ds-page:" in text


def test_a_playground_states_what_it_was_given():
    w = ds.lab.Playground("x**2 + 3*y**2", start=(4, 3), optimizers=[ds.sgd(lr=0.3), "adam:lr=0.1,beta1=0.8"], steps=20)
    assert w.kind == "playground"
    assert w.state == {
        "objective": "x**2 + 3*y**2",
        "start": [4.0, 3.0],
        "steps": 20,
        "optimizers": [{"name": "sgd", "values": {"lr": 0.3}}, {"name": "adam", "values": {"lr": 0.1, "beta1": 0.8}}],
    }
    assert ds.lab.Playground().state == {}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"objective": "x + "}, "something is missing"),
        ({"objective": "x**2", "start": [1, 2]}, "start has one number"),
        ({"objective": "x**2", "optimizers": ["nothing"]}, "nothing"),
        ({"objective": "x**2", "optimizers": ["sgd:lr"]}, "no value"),
        ({"objective": "x**2", "optimizers": [3]}, "bound one"),
        ({"objective": "x**2", "steps": 10**9}, "steps"),
        ({"start": [1, 2]}, "which objective"),
        ({"objective": "sin(" * 60 + "x" + ")" * 60}, "inside each other"),
    ],
)
def test_a_playground_refuses_what_cannot_be_run(given, sentence):
    with pytest.raises(ds.DescendError, match=sentence):
        ds.lab.Playground(**given)


def test_a_playground_answers_with_the_librarys_numbers():
    """The same descent through the element and through `descend.descend`."""
    w = ds.lab.Playground("x**2 + 3*y**2", start=[4, 3], optimizers=[ds.sgd(lr=0.3)], steps=20)
    sent = heard(w)
    told(w, "run", w.state)
    content, frame = sent.get(timeout=60)
    assert content == {"frame": True}
    assert (frame.data["id"], frame.data["channel"], frame.data["last"]) == (1, "view/run", True)
    np.testing.assert_array_equal(frame.arrays["points0"], ds.descend("x**2 + 3*y**2", [4, 3], ds.sgd(lr=0.3), steps=20).points)
    w.close()
    told(w, "run", w.state, 2)
    with pytest.raises(queue.Empty):
        sent.get(timeout=0.5)


def test_junk_from_a_notebook_is_answered_or_ignored():
    w = ds.lab.Playground()
    sent = heard(w)
    w._handle_custom_msg({"not": "text"}, [])
    w._handle_custom_msg("junk", [])
    assert "JSON" in sent.get(timeout=20)[1].data["error"]
    assert sent.empty()


def test_a_map_says_everything_it_shows():
    """The page's own map of that optimizer, or the first two axes of any other; what is given stays."""
    m = ds.lab.Map()
    assert {"objective", "optimizer", "x", "y", "steps", "by", "size", "at"} <= set(m.state)
    m = ds.lab.Map("rosenbrock", optimizer=ds.lion(), steps=60)
    assert (m.state["objective"], m.state["optimizer"]["name"], m.state["steps"]) == ("rosenbrock", "lion", 60)
    assert [m.state[side]["name"] for side in "xy"] == ["lr", "beta1"]
    axis = {"name": "beta2", "low": 0.5, "high": 0.9, "scale": "linear"}
    m = ds.lab.Map("rosenbrock", optimizer="adam", y=axis)
    assert m.state["y"] == axis
    assert m.state["at"][1] == pytest.approx(0.7)


def test_every_optimizer_has_a_map():
    from descend.lab import maps
    from descend.rules import OPTIMIZERS

    for rule in OPTIMIZERS.values():
        if rule.ndim is None and rule.name != "asgd" and len(rule.hyperparameters) > 1:
            assert maps.chart({k: v for k, v in ds.lab.Map("rosenbrock", optimizer=rule.name).state.items() if k != "at"})


def test_a_map_refuses_what_cannot_be_drawn():
    with pytest.raises(ds.DescendError, match="momentum"):
        ds.lab.Map("rosenbrock", optimizer="adam", x={"name": "momentum", "low": 0, "high": 1, "scale": "linear"})


def test_a_figure_draws_a_traces_columns():
    trace = ds.descend("rosenbrock", [-1.2, 1.0], ds.adam(lr=0.02), steps=50)
    f = ds.lab.Figure(trace, columns=["loss", "grad_norm"], log=True)
    assert f.state == {"columns": ["loss", "grad_norm"], "log": True}
    sent = heard(f)
    told(f, "figure", {})
    frame = sent.get(timeout=20)[1]
    assert frame.data["sentence"] == trace.outcome.message
    assert "point" not in frame.data["columns"]
    k = frame.data["columns"].index("loss")
    np.testing.assert_array_equal(frame.arrays[f"value{k}"], trace.loss)
    np.testing.assert_array_equal(frame.arrays[f"step{k}"], trace.step)


def test_a_figure_of_a_diagnosis_marks_what_was_found():
    from descend.doctor import diagnose

    trace = ds.descend("x**2 + 3*y**2", [4, 3], ds.sgd(lr=0.4), steps=30)
    diagnosis = diagnose(trace)
    assert diagnosis.found
    f = ds.lab.Figure(diagnosis)
    sent = heard(f)
    told(f, "figure", {})
    frame = sent.get(timeout=20)[1]
    assert frame.data["sentence"] == diagnosis.sentence
    assert frame.data["band"] == list(diagnosis.found[0].steps)


@pytest.mark.parametrize("what", [3, "trace", None, [1.0, 0.5]])
def test_a_figure_shows_traces_and_diagnoses_only(what):
    with pytest.raises(ds.DescendError, match="trace or a diagnosis"):
        ds.lab.Figure(what)


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(ds.DescendError, match="no column 'accuracy'; it has loss"):
        ds.lab.Figure(ds.descend("x**2", [1.0], ds.sgd(lr=0.1), steps=3), columns=["accuracy"])


def test_without_anywidget_it_names_what_to_install():
    code = """
import sys
sys.modules["anywidget"] = None
import descend as ds
try:
    ds.lab.Playground
except ds.DescendError as error:
    print(error)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'descend[notebook]'" in found.stdout
