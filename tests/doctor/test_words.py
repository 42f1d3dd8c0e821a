"""What a diagnosis says: numbers a reader can check, words that do not contradict each other, units that are the log's."""

from __future__ import annotations

import re

import numpy as np
import pytest

from descend.doctor import diagnose
from descend.doctor.evidence import climb
from descend.doctor.page import page
from descend.doctor.picture import svg
from descend.doctor.text import render
from descend.trace import Trace, column

from .test_report import invoke


@pytest.mark.parametrize("rate", [1.02, 1.2, 1.8, 10.0])
def test_a_climb_is_measured_by_its_factor_a_step_and_its_last_value(rate):
    rows = 60 + min(200, int(200 / np.log10(rate) / 2))
    loss = [2.0 * 0.98**k for k in range(60)] + [0.6 * rate**k for k in range(rows - 60)]
    low, high, factor = climb(column(range(rows), loss))
    assert abs(low - 60) <= rows // 64 + 1  # the minimum of the trend, whose window has rows / 32 rows
    assert high == rows - 1
    assert factor == pytest.approx(rate, rel=0.02)
    d = diagnose(Trace({"loss": column(range(rows), loss)}))
    assert f"{loss[-1]:.4g} by {rows - 1}" in d.sentence
    assert "ends at" not in d.sentence


@pytest.mark.filterwarnings("error")
def test_a_loss_without_a_square_is_diagnosed_without_a_warning():
    for loss in (10.0 ** np.arange(300), 1e200 * (2 + np.sin(np.arange(50))), 1e-320 * np.arange(1, 50)):
        d = diagnose(Trace({"loss": column(range(len(loss)), loss)}))
        assert render(d).count(d.found[0].condition) if d.found else d.verdict != "fault"
        page([d])


def test_a_first_value_that_is_nan_is_not_blamed_on_the_rate():
    d = diagnose(Trace({"loss": column(range(20), [np.nan] * 20), "lr": column(range(20), [0.1] * 20)}))
    assert "not the learning rate" in d.found[0].evidence
    assert "lr" not in d.found[0].prescription


def test_two_causes_of_one_climb_are_alternatives():
    """From the loss alone a flipped sign and a rate too high are one curve: neither is told from the other."""
    d = diagnose(Trace({"loss": column(range(100), 0.1 * 1.03 ** np.arange(100))}))
    assert {f.condition for f in d.found} == {"flipped-sign", "lr-too-high"}
    assert "flipped sign or learning rate too high" in render(d)
    assert not any("not flipped sign" in f.unlike or "not learning rate" in f.unlike for f in d.found)


@pytest.mark.parametrize(
    ("lossy", "wanted", "unwanted"),
    [
        (["rounded"], "", "unsampled"),
        (["window_mean"], "single steps", "unsampled"),
        (["sampled"], "unsampled", "single steps"),
    ],
)
def test_what_to_log_follows_what_the_source_lost(lossy, wanted, unwanted):
    loss = column(range(0, 500, 10), 2.0 * 0.99 ** np.arange(0, 500, 10))
    d = diagnose(Trace({"loss": loss}, config={"lossy": lossy}))
    coarse = next(f for f in d.findings if f.condition == "log-too-coarse")
    assert wanted in " ".join(d.to_log)
    assert unwanted not in " ".join(d.to_log)
    assert "every tenth step" not in coarse.prescription
    assert coarse.verdict == ("clear" if lossy == ["rounded"] else "found")


def test_epochs_are_called_epochs(tmp_path):
    (tmp_path / "log.csv").write_text("epoch,loss\n" + "".join(f"{k},{1 + 0.1 * 1.14**k}\n" for k in range(40)))
    result = invoke("diagnose", tmp_path / "log.csv", "--html", tmp_path / "page.html")
    assert re.search(r"%, epochs \d+ to 39", result.stdout)
    assert "steps" not in re.findall("<code>(.*?) to 39</code>", (tmp_path / "page.html").read_text())[0]


def test_what_is_not_finite_is_crossed_and_a_lone_point_is_drawn():
    loss = [2.0, np.nan, 1.5, np.inf, 1.2, 1.1] + [np.nan] * 100
    d = diagnose(Trace({"loss": column(range(len(loss)), loss)}))
    picture = svg(d)
    assert 20 <= picture.count("×") <= 60
    assert picture.count("<circle") == 2
    assert picture.count("<polyline") == 1
    assert "not a finite number" in page([d])
    fine = diagnose(Trace({"loss": column(range(60), 2 * 0.9 ** np.arange(60))}))
    assert "×" not in svg(fine)
    assert "not a finite number" not in page([fine])


def test_a_remark_about_the_log_shades_nothing():
    d = diagnose(Trace({"loss": column(range(0, 500, 10), 2 * 0.99 ** np.arange(0, 500, 10))}, config={"lossy": ["sampled"]}))
    remark = next(f for f in d.found if f.condition == "log-too-coarse")
    assert svg(d).count("<rect") == len(d.found) - 1
    assert remark.kind == "note"


def test_an_interruption_is_no_verdict(tmp_path, monkeypatch):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    (tmp_path / "log.csv").write_text("step,loss\n1,2\n")
    monkeypatch.setattr("descend.logs.scan", interrupted)
    result = invoke("diagnose", tmp_path / "log.csv")
    assert result.exit_code == 130
    assert "Traceback" not in result.output


def test_a_figure_of_many_runs_says_how_many_it_shows_and_shows_the_faults(tmp_path):
    for k in range(14):
        rate = 1.3 if k == 13 else 0.9
        (tmp_path / f"{k}.csv").write_text("step,loss\n" + "".join(f"{i},{2 * rate**i + 0.1}\n" for i in range(60)))
    result = invoke("diagnose", tmp_path, "--figure", tmp_path / "all.svg")
    assert "(12 of 14 runs)" in result.stdout
    assert "fault: 13.csv" in (tmp_path / "all.svg").read_text()
