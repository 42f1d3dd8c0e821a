"""The lab as its readers have it: start, first load, drags, maps, fifty pages at once, memory a page.

    python benchmarks/lab.py            # prints
    python benchmarks/lab.py --write    # and puts the tables into docs/benchmarks.md

The real server in a process of its own, real Chromium pages for what is drawn, bare WebSockets for the load. A drag is
measured from the pointer event's handler to its drawn answer, a map from the question to the picture, by the page itself.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import threading
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "lab"))

from common import machine, seconds, table, write
from playwright.sync_api import sync_playwright

from conftest import FLAGS, Asker, Lab, chromium_path, started

FOUR = [{"name": n, "values": {"lr": v}} for n, v in (("sgd", 1e-3), ("momentum", 5e-4), ("rmsprop", 0.01), ("adam", 0.02))]
DRAGGED = {"objective": "rosenbrock", "start": [-1.2, 1.0], "steps": 200, "seed": 0, "optimizers": FOUR}


ASK_MAP = """(k) => { const element = document.querySelector("descend-map"); element.timings = {};
  const { state } = element.presets.find((p) => p.state.objective === "rosenbrock" && p.state.optimizer.name === "adam");
  const next = structuredClone({ ...state, steps: 500, size: 512 }); next.x.high *= 1 + k / 1000; element.state = next; }"""
MAPPED = "(({ timings: t }) => t.complete > 0 && [t.first, t.complete])(document.querySelector('descend-map'))"


def quantiles(values: list[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    ordered = sorted(values)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]


def memory(lab: Lab) -> float:
    """Megabytes the server holds."""
    status = Path(f"/proc/{lab.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


def processor(lab: Lab) -> float:
    """Processor seconds the server has used."""
    fields = Path(f"/proc/{lab.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start() -> list[str]:
    """From the command to the printed address, to a served page, to the first answer."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    rows = []
    for _ in range(5):
        begun = time.perf_counter()
        lab = started("--port", "0")
        printed = time.perf_counter() - begun
        opener.open(lab.address).read()
        served = time.perf_counter() - begun
        asker = Asker(lab)
        asker.ask("catalogue")
        asker.ask("run", DRAGGED)
        rows.append((printed, served, time.perf_counter() - begun))
        asker.close()
        lab.stop()
    return [seconds(statistics.median(column)) for column in zip(*rows, strict=True)]


def until(page, expression: str, patience: float = 60.0):
    end = time.monotonic() + patience
    while not (value := page.evaluate(expression)):
        if time.monotonic() > end:
            raise TimeoutError(expression)
        page.wait_for_timeout(5)
    return value


SIZES = """[...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]
  .map((entry) => entry.transferSize)"""
READY = {
    "": "document.querySelector('descend-playground')?.frame?.runs?.length > 0 && performance.now()",
    "maps": "document.querySelector('descend-map')?.timings?.first > 0 && performance.now()",
    "slopes": "document.querySelector('main')?.firstElementChild?.querySelector('svg, canvas') && performance.now()",
    "line": "document.querySelector('main')?.firstElementChild?.querySelector('svg, canvas') && performance.now()",
}


def loads(browser, lab: Lab) -> list[list[str]]:
    """Each page in a fresh profile: milliseconds to its first drawn answer, requests and bytes."""
    rows = []
    for name, ready in READY.items():
        times, requests, size = [], 0, 0
        for _ in range(5):
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            page = context.new_page()
            page.goto(f"{lab.address}/{name}")
            times.append(until(page, ready))
            entries = page.evaluate(SIZES)
            requests, size = len(entries), sum(entries)
            context.close()
        rows.append([name or "playground", f"{statistics.median(times):.0f} ms", str(requests), f"{size / 1024:.0f} KB"])
    return rows


def drags(browser, lab: Lab) -> list[str]:
    """200 pointer events over the ground, four optimizers × 200 steps."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    words = "&".join(f"optimizer={o['name']}:lr={o['values']['lr']}" for o in FOUR)
    page.goto(f"{lab.address}/?objective=rosenbrock&start=-1.2,1&{words}&steps=200")
    until(page, "document.querySelector('descend-playground')?.frame?.runs?.length === 4")
    page.wait_for_timeout(1500)
    box = page.locator("descend-playground .ds-plane").bounding_box()
    handle = page.locator("descend-playground .ds-start").bounding_box()
    page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    page.mouse.down()
    for warm in (True, False):
        page.evaluate("document.querySelector('descend-playground').timings.length = 0")
        for k in range(40 if warm else 200):
            page.mouse.move(box["x"] + box["width"] * (0.15 + 0.0035 * k), box["y"] + box["height"] * (0.3 + 0.001 * k))
            page.wait_for_timeout(16)
    page.mouse.up()
    page.wait_for_timeout(300)
    times = page.evaluate("document.querySelector('descend-playground').timings")
    page.context.close()
    median, late = quantiles(times)
    return [str(len(times)), f"{median:.1f} ms", f"{late:.1f} ms"]


def maps(browser, lab: Lab) -> list[str]:
    """A 512 × 512 map of Adam on Rosenbrock × 500 steps; the first one compiles, those after it are warm."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(f"{lab.address}/maps")
    until(page, "document.querySelector('descend-map')?.timings?.complete > 0")
    firsts, completes = [], []
    for k in range(6):
        page.evaluate(ASK_MAP, k)
        found = until(page, MAPPED)
        if k:
            firsts.append(found[0])
            completes.append(found[1])
        page.wait_for_timeout(500)
    page.context.close()
    return [f"{statistics.median(firsts):.0f} ms", f"{statistics.median(completes):.0f} ms"]


def crowd(lab: Lab, pages: int = 50, rate: float = 20.0, length: float = 8.0) -> list[str]:
    """Fifty pages drag at twenty questions a second each, one in flight a page: latency, answers, processor, memory."""
    question = {**DRAGGED, "steps": 40, "optimizers": FOUR[:1]}
    first = Asker(lab)
    first.ask("run", question)
    before = memory(lab)
    askers = [Asker(lab) for _ in range(pages)]
    for asker in askers:
        asker.ask("run", question)
    each = (memory(lab) - before) / pages
    times: list[float] = []
    begun, used = time.perf_counter(), processor(lab)

    def drag(k: int) -> None:
        due = begun + k / (pages * rate)
        n = 0
        while due < begun + length:
            time.sleep(max(0.0, due - time.perf_counter()))
            asked = time.perf_counter()
            askers[k].ask("run", {**question, "start": [k / 50, n / 100]})
            times.append(time.perf_counter() - asked)
            n += 1
            due = max(due + 1 / rate, time.perf_counter())

    threads = [threading.Thread(target=drag, args=(k,)) for k in range(pages)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent = time.perf_counter() - begun
    share = (processor(lab) - used) / spent
    after = (memory(lab) - before) / pages
    for asker in [first, *askers]:
        asker.close()
    median, late = quantiles(times)
    answers = f"{len(times) / spent:.0f} of {pages * rate:.0f}"
    return [str(pages), answers, seconds(median), seconds(late), f"{100 * share:.0f}%", f"{each:.2f} MB", f"{after:.2f} MB"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only", choices=["start", "loads", "drags", "maps", "crowd"])
    only = (options := parser.parse_args()).only
    parts = [f"## The lab\n\n`python benchmarks/lab.py`, {machine()}."]

    def wanted(name: str) -> bool:
        return only in (None, name)

    if wanted("start"):
        parts.append(table(["`descend lab`: address printed", "page served", "first four runs answered"], [start()]))
    lab = started("--port", "0")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_path(playwright), args=FLAGS)
            if wanted("loads"):
                parts.append(
                    table(["page, fresh profile", "first answer drawn", "requests", "transferred"], loads(browser, lab))
                )
            if wanted("drags"):
                head = ["drag, 4 optimizers × 200 steps: answers drawn", "handler to drawn, p50", "p95"]
                parts.append(table(head, [drags(browser, lab)]))
            if wanted("maps"):
                parts.append(
                    table(["map of 512 × 512 descents × 500 steps, warm: first image", "complete"], [maps(browser, lab)])
                )
            browser.close()
        if wanted("crowd"):
            head = [
                "pages asking 20 times a second",
                "answers a second",
                "p50",
                "p95",
                "processor",
                "memory a page, open",
                "busy",
            ]
            parts.append(table(head, [crowd(lab)]))
    finally:
        lab.stop()
    text = "\n\n".join(parts)
    print(text)
    if options.write:
        write("lab", text)


if __name__ == "__main__":
    main()
