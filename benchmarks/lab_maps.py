"""How soon a map is on the page: from the change to its first image and to the whole, in headless Chromium.

    python benchmarks/lab_maps.py

512 x 512 Adam descents of 500 steps on Rosenbrock over lr and beta1, warm, the box moved a little each time so that nothing is
kept; then pointing at the map while it rests, and single descents asked for while another page's map computes. Needs Playwright
and Chromium. Times are the page's own (`element.timings`): they hold the socket, the decoding and the drawing.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import threading
import time

from common import machine

REPEATS = 9
STATE = (
    "{objective: 'rosenbrock', optimizer: {name: 'adam', values: {}}, start: null, steps: 500, by: 'loss', size: 512, "
    "at: null, x: {name: 'lr', low: %r, high: 1, scale: 'log'}, y: {name: 'beta1', low: 0, high: 0.99, scale: 'linear'}}"
)
MAP = "document.querySelector('descend-map')"
#: Seconds a descent takes while nothing else runs, and while planes are computed beside it.
ASIDE = """
import statistics, threading, time, descend as ds
from descend.lab import maps
from descend.lab.desk import Talk
def one():
    begun = time.perf_counter(); ds.descend("x**2 + 3*y**2", [4, 3], ds.adam(lr=0.1), steps=200)
    return 1e3 * (time.perf_counter() - begun)
def told(values):
    values = sorted(values); return f"{values[len(values) // 2]:.2f} / {values[int(0.95 * len(values))]:.2f} ms"
[one() for _ in range(20)]
print("one descent, p50 / p95, alone:", told(one() for _ in range(300)))
going = True
def work():
    k = 0
    while going:
        k += 1
        state = dict(objective="rosenbrock", optimizer={"name": "adam"}, steps=500, by="loss", size=512,
                     x=dict(name="lr", low=1e-4 * (1 + k / 1000), high=1, scale="log"),
                     y=dict(name="beta1", low=0, high=0.99, scale="linear"))
        maps.map(state, Talk(lambda frame: None))
thread = threading.Thread(target=work); thread.start(); time.sleep(4); values = []
for _ in range(300):
    values.append(one()); time.sleep(0.01)
going = False; thread.join()
print("one descent, p50 / p95, beside a map:", told(values))
"""


def quantiles(values: list[float]) -> str:
    """Median, lowest and highest, in milliseconds."""
    return f"median {statistics.median(values):.0f} ms ({min(values):.0f} to {max(values):.0f})"


def main() -> None:
    from playwright.sync_api import sync_playwright

    server = subprocess.Popen(
        [sys.executable, "-m", "descend", "lab", "--no-open", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        address = server.stdout.readline().removeprefix("descend lab: ").strip()
        threading.Thread(target=server.stdout.read, daemon=True).start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            page.goto(f"{address}maps")
            print(machine())
            measure(page)
            browser.close()
    finally:
        server.terminate()
        server.wait()
    print(subprocess.run([sys.executable, "-c", ASIDE], capture_output=True, text=True, check=True).stdout, end="")


def measure(page: object) -> None:
    """Print first image, complete, drawing and pointing."""
    first, complete, engine = [], [], []
    finished(page)
    for k in range(REPEATS + 1):
        page.evaluate(f"{MAP}.change({STATE % (1e-4 * (1 + k / 50))})")
        told = finished(page)
        if k:  # the first one compiles
            first.append(told["first"])
            complete.append(told["complete"])
            engine.append(1e3 * told["engine"])
        else:
            print("compiling too:", json.dumps(told))
    print("first image:", quantiles(first))
    print("complete:   ", quantiles(complete))
    print("of which the engine:", quantiles(engine))
    box = page.locator(".ds-map-square").bounding_box()
    runs = []
    for k in range(200):
        page.mouse.move(box["x"] + (0.1 + 0.004 * k) * box["width"], box["y"] + (0.2 + 0.003 * k) * box["height"])
        page.wait_for_timeout(20)
        runs.append(page.evaluate(f"{MAP}.timings.run ?? null"))
    runs = sorted(ms for ms in runs if ms is not None)
    print(f"pointing to drawn: p50 {runs[len(runs) // 2]:.1f} ms, p95 {runs[int(0.95 * len(runs))]:.1f} ms")


def finished(page: object) -> dict[str, float]:
    for _ in range(4000):
        told = page.evaluate(f"{MAP}?.timings")
        if told and told.get("complete"):
            return told
        time.sleep(0.01)
    raise SystemExit("the map did not finish")


if __name__ == "__main__":
    main()
