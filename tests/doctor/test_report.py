"""The reports: text, JSON, page, figure, and both commands through click."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from click.testing import CliRunner

from descend.cli import main
from descend.cli.watch import evident
from descend.doctor import CONDITIONS, assert_descends, diagnose
from descend.doctor.demo import NAMES, demo_traces
from descend.doctor.page import page
from descend.doctor.picture import extremes
from descend.doctor.text import render, sparkline
from descend.errors import DescendError
from descend.trace import Trace, column

from .conftest import quadratic


def write_csv(path, trace):
    names = list(trace.columns)
    rows = zip(trace.step, *(trace[k] for k in names), strict=True)
    path.write_text("\n".join([",".join(["step", *names]), *(",".join(repr(float(v)) for v in row) for row in rows)]) + "\n")
    return path


@pytest.fixture
def hot(tmp_path):
    return write_csv(tmp_path / "hot.csv", quadratic(0.21, [10.0, 1.0], 80))


@pytest.fixture
def fine(tmp_path):
    return write_csv(tmp_path / "fine.csv", quadratic(0.1, [10.0, 3.0], 80))


def invoke(*args, **options):
    return CliRunner().invoke(main, [str(a) for a in args], **options)


def test_json_has_exactly_the_promised_fields(hot, fine):
    result = invoke("diagnose", hot, fine, "--json")
    assert result.exit_code == 1
    runs = json.loads(result.stdout, parse_constant=lambda x: pytest.fail(f"{x} is not JSON"))
    assert [set(run) for run in runs] == [{"source", "run", "verdict", "findings"}] * 2
    assert [run["verdict"] for run in runs] == ["fault", "healthy"]
    for run in runs:
        assert {f["condition"] for f in run["findings"]} == set(CONDITIONS)
        for f in run["findings"]:
            assert set(f) == {"condition", "verdict", "confidence", "steps", "evidence", "prescription"}
            assert f["verdict"] in ("found", "clear", "cannot_tell")
            assert 0 <= f["confidence"] <= 1
            assert f["steps"][0] <= f["steps"][1]


def test_exit_codes_say_the_verdict(hot, fine, tmp_path):
    assert invoke("diagnose", fine).exit_code == 0
    assert invoke("diagnose", hot).exit_code == 1
    assert invoke("diagnose", tmp_path / "none.csv").exit_code == 2
    assert invoke("diagnose").exit_code == 2


def test_the_demo_tells_its_three_runs():
    verdicts = {t.name: diagnose(t) for t in demo_traces()}
    assert list(verdicts) == list(NAMES)
    assert verdicts["diverging"].found[0].condition == "lr-too-high"
    assert verdicts["crawling"].found[0].condition == "lr-too-low"
    drop = verdicts["plateau-then-drop"]
    assert drop.verdict == "healthy"
    assert "lr-decay-step" in {f.condition for f in drop.found}
    result = invoke("diagnose", "--demo")
    assert result.exit_code == 1
    assert "3 runs: 1 healthy, 2 with a fault, 0 cannot tell" in result.output


def test_a_prescription_names_a_value(hot):
    run = json.loads(invoke("diagnose", hot, "--json").stdout)[0]
    first = run["findings"][0]
    assert first["condition"] == "lr-too-high"
    advised = float(re.search(r"lr = ([0-9.e-]+)", first["prescription"]).group(1))
    assert advised < 0.2, "below 2/λ = 0.2, where this quadratic is stable"


BAD = {
    "empty": b"",
    "binary": bytes(range(256)) * 40,
    "prose": b"Dear diary, nothing was logged today.\n" * 3,
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_log_is_one_sentence(tmp_path, name):
    path = tmp_path / f"{name}.csv"
    path.write_bytes(BAD[name])
    result = invoke("diagnose", path)
    assert result.exit_code == 2
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert len(lines) == 1
    assert lines[0].startswith("descend: ")
    assert "Traceback" not in result.output


def test_map_without_equals_is_refused(fine):
    result = invoke("diagnose", fine, "--map", "loss")
    assert result.exit_code == 2
    assert "ROLE=COLUMN" in result.stderr


@pytest.mark.parametrize("command", ["diagnose", "watch"])
def test_map_refuses_a_role_it_does_not_know(fine, command):
    result = invoke(command, fine, "--map", "foo=loss")
    assert result.exit_code == 2
    assert "'foo'" in result.stderr
    assert "val_loss" in result.stderr
    assert "grad_norm/LAYER" in result.stderr


def test_map_takes_the_gradient_norm_of_a_layer(fine):
    assert invoke("diagnose", fine, "--map", "grad_norm/first=grad_norm").exit_code == 0


def test_map_renames_a_column(tmp_path):
    path = tmp_path / "odd.csv"
    t = quadratic(0.21, [10.0, 1.0], 80)
    path.write_text("step,zonk\n" + "".join(f"{s},{v}\n" for s, v in zip(t.step, t.loss, strict=True)))
    assert json.loads(invoke("diagnose", path, "--map", "loss=zonk", "--json").stdout)[0]["verdict"] == "fault"


def test_standard_input_is_read(hot):
    result = invoke("diagnose", "-", "--json", input=hot.read_bytes())
    assert json.loads(result.stdout)[0]["verdict"] == "fault"


@pytest.mark.parametrize(
    ("loss", "verdict"),
    [
        ([], "cannot_tell"),
        ([1.0], "cannot_tell"),
        ([1.0, 0.9], "cannot_tell"),
        ([np.nan], "fault"),
        ([np.nan] * 50, "fault"),
        ([3.0, 2.0, 1.5, 1.2, 1.0], "cannot_tell"),
    ],
)
def test_too_little_to_tell(loss, verdict):
    d = diagnose(Trace({"loss": column(range(len(loss)), loss)}))
    assert d.verdict == verdict
    assert len(d.sentence) > 10
    assert render(d)


def test_no_loss_column_says_what_there_is():
    d = diagnose(Trace({"reward": column([0, 1], [1, 2])}))
    assert d.verdict == "cannot_tell"
    assert "reward" in d.sentence
    assert "--map" in d.sentence


def test_a_constant_loss_is_not_healthy():
    assert diagnose(Trace({"loss": column(range(50), [0.7] * 50)})).verdict != "healthy"


def test_rows_out_of_order_are_put_in_order():
    t = quadratic(0.1, [10.0, 3.0], 80)
    order = np.random.default_rng(0).permutation(80)
    shuffled = Trace({k: column(c.step[order], c.value[order]) for k, c in t.columns.items()})
    assert diagnose(shuffled).to_dict() == diagnose(t).to_dict()


class Checker(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.links = [], []

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "line", "rect", "polyline", "br"):
            self.open.append(tag)
        self.links += [v for k, v in attributes if k in ("src", "href")]

    def handle_endtag(self, tag):
        if tag not in ("rect", "line", "polyline"):
            assert self.open.pop() == tag


def test_the_page_is_whole_and_self_contained(hot, fine, tmp_path):
    target = tmp_path / "report.html"
    assert invoke("diagnose", hot, fine, "--html", target).exit_code == 1
    text = target.read_text()
    checker = Checker()
    checker.feed(text)
    assert checker.open == []
    assert checker.links == []
    assert "<script" not in text
    assert "http" not in text
    assert text.count("<article>") == 2


def test_names_in_the_page_are_escaped():
    t = quadratic(0.21, [10.0, 1.0], 40).replace(name="<script>alert(1)</script>", notes=("<b>",))
    assert "<script>" not in page([diagnose(t)])


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_the_figure_is_written(hot, tmp_path, ending):
    target = tmp_path / f"f.{ending}"
    assert invoke("diagnose", hot, "--figure", target).exit_code == 1
    assert target.stat().st_size > 5000


@pytest.mark.parametrize(
    ("option", "name", "said"),
    [
        ("--figure", "f.gif", ".png or .svg"),
        ("--figure", "nowhere/f.png", "no folder"),
        ("--html", "nowhere/page.html", "no folder"),
        ("--html", "page.txt", ".html"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_before_the_log_is_read(tmp_path, option, name, said):
    result = invoke("diagnose", tmp_path / "absent.csv", option, tmp_path / name)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "absent.csv" not in result.stderr, "the log was looked for first"
    assert "Traceback" not in result.output


def test_what_was_written_is_said_beside_the_json(hot, tmp_path):
    figure, report = tmp_path / "f.svg", tmp_path / "r.html"
    told = invoke("diagnose", hot, "--figure", figure, "--html", report)
    assert told.stdout.endswith(f"saved      {report}\ndrawn      {figure}\n")
    assert told.stderr == ""
    told = invoke("diagnose", hot, "--figure", figure, "--html", report, "--json")
    assert told.stderr == f"saved      {report}\ndrawn      {figure}\n"
    assert json.loads(told.stdout)


def test_the_figure_names_a_run_once_and_its_axis_by_its_unit(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("epoch,loss\n" + "".join(f"{k},{1 + 0.1 * 1.14**k}\n" for k in range(40)))
    run = json.loads(invoke("diagnose", path, "--json", "--figure", tmp_path / "f.svg").stdout)[0]
    said = re.findall(r"<!-- (.*?) -->", (tmp_path / "f.svg").read_text())
    assert f"{run['verdict']}: log.csv" in said
    assert "epoch" in said
    assert "step" not in said
    text = invoke("diagnose", path).stdout
    assert re.search(r"\dx\s+an\s+epoch", text)
    assert text.splitlines()[0].count("log.csv") == 1
    assert "a epoch" not in text


def test_a_long_curve_keeps_its_spike_when_drawn():
    y = np.zeros(100_000)
    y[54_321] = 7
    steps, values = extremes(column(range(len(y)), y))
    assert len(steps) < 1300
    assert values.max() == 7


def test_the_sparkline_marks_the_evidence_and_nan():
    values = [1.0] * 10 + [np.nan] * 10
    bars, under = sparkline(diagnose(Trace({"loss": column(range(20), values)})))
    assert bars.count("×") == 10
    assert under == " " * 10 + "^" * 10


def test_a_run_is_headed_once_in_text_and_page(tmp_path):
    (tmp_path / "v0").mkdir()
    (tmp_path / "v0" / "metrics.csv").write_text("step,loss\n" + "".join(f"{k},{k}\n" for k in range(20)))
    result = invoke("diagnose", tmp_path, "--html", tmp_path / "page.html")
    assert result.stdout.splitlines()[0].count("metrics.csv") == 1
    assert re.search("<h2>(.*)</h2>", (tmp_path / "page.html").read_text())[1].count("metrics.csv") == 1


def test_watch_speaks_once_about_a_fault(hot, fine):
    spoken = invoke("watch", hot, "--once")
    assert spoken.exit_code == 1
    assert spoken.stdout.count("FAULT") == 1
    quiet = invoke("watch", fine, "--once")
    assert quiet.exit_code == 0
    assert invoke("watch", fine, "--timeout", "0.1", "--interval", "0.05").exit_code == 0
    assert invoke("watch", fine.parent / "none", "--once").exit_code == 2


def test_a_fault_is_evident_when_seen_twice_and_nan_at_once():
    hot = diagnose(quadratic(0.21, [10.0, 1.0], 80))
    well = diagnose(quadratic(0.1, [10.0, 3.0], 80))
    dead = diagnose(Trace({"loss": column(range(20), [1.0] * 10 + [np.nan] * 10)}))
    assert not evident(hot, None, 0.3)
    assert not evident(hot, well, 0.3)
    assert evident(hot, hot, 0.3)
    assert not evident(hot, hot, 0.999)
    assert evident(dead, None, 0.8)
    assert not evident(well, well, 0.0)


def test_a_run_that_is_only_slow_so_far_is_not_evident(tmp_path):
    """Every healthy run looks too slow while it is young: how long it will be is not known yet."""
    steps = np.arange(60)
    path = write_csv(tmp_path / "young.csv", Trace({"loss": column(steps, 2.0 - 0.002 * steps)}))
    young = diagnose(Trace({"loss": column(steps, 2.0 - 0.002 * steps)}))
    assert young.found[0].condition == "lr-too-low"
    assert not evident(young, young, 0.0)
    quiet = invoke("watch", path, "--once")
    assert quiet.exit_code == 0
    assert "learning rate too low" in quiet.stdout
    assert "if the run ended here" in quiet.stdout


def test_watch_refuses_what_it_would_wait_for_in_vain(fine, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for args in ([tmp_path / "pipe"], ["-"], [fine, "--confidence", "5"], [fine, "--timeout", "-1"], [fine, "--interval", "0"]):
        result = invoke("watch", *args)
        assert result.exit_code == 2, args
        assert len(result.stderr.strip().splitlines()) == 1


def test_watch_says_once_that_a_log_has_no_loss(tmp_path):
    (tmp_path / "log.csv").write_text("step,foo\n" + "".join(f"{k},1\n" for k in range(20)))
    result = invoke("watch", tmp_path / "log.csv", "--timeout", "0.3", "--interval", "0.05")
    assert result.exit_code == 0
    assert result.stderr.count("--map loss=COLUMN") == 1


def test_assert_descends_allows_what_it_should():
    assert_descends(1.0, 1.0)
    assert_descends(1.0, 1.05, tol=0.1)
    with pytest.raises(DescendError, match=r"from 1 to 1\.2"):
        assert_descends(1.0, 1.2)
    with pytest.raises(DescendError, match="NaN"):
        assert_descends(1.0, float("nan"))
    with pytest.raises(DescendError, match="tol"):
        assert_descends(1.0, 0.5, tol=-1)


def test_diagnosing_imports_no_heavy_library(fine):
    code = (
        "import sys; sys.argv = ['descend', 'diagnose', sys.argv[1]]\n"
        "from descend.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'jax', 'matplotlib', 'torch', 'scipy', 'sklearn', 'sympy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(fine)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "HEALTHY" in done.stdout


def test_the_page_of_the_book_is_up_to_date():
    from pathlib import Path

    from descend.doctor.book import rewritten

    page_text = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text(encoding="utf-8")
    assert rewritten(page_text) == page_text, "run python -m descend.doctor.book docs/doctor.md"
    for code in CONDITIONS:
        assert f"### {code}" in page_text


def test_watch_notices_when_a_live_log_goes_wrong(tmp_path):
    import threading
    import time

    path = tmp_path / "live.csv"
    path.write_text("step,loss\n" + "".join(f"{k},{2 * 0.97**k}\n" for k in range(60)))

    def go_wrong():
        time.sleep(0.3)
        with path.open("a") as file:
            file.write("".join(f"{k},nan\n" for k in range(60, 70)))

    writer = threading.Thread(target=go_wrong)
    writer.start()
    result = invoke("watch", path, "--interval", "0.05", "--timeout", "30")
    writer.join()
    assert result.exit_code == 1
    assert result.stdout.count("FAULT") == 1
    assert "NaN from step 60" in result.stdout
