// The data and the line: points that can be dragged, residuals as squares, two handles on the line.
import { Chart, el, number, power, press } from "../slopes/kit.js";

const SQUARES = 120;

/** `hold(w, b)`: the line is moved; `edit(x, y)`: the points are; `finished`: a drag ends. */
export class DataFigure {
  constructor({ hold, edit, finished }) {
    Object.assign(this, { hold, edit, finished });
    this.place = el("div", { class: "sl-plot ln-data" });
    this.hint = el("p", { class: "ln-hint" }, "Drag points or the line's two handles. Click to add a point, double-click to delete. Keys on the ringed point: arrows move it, PageUp and PageDown choose another, Delete removes it, Insert adds one.");
    this.node = el("figure", { class: "sl-card" }, el("figcaption", {}, el("h2", {}, "The data and the line"), (this.said = el("p"))), this.place,
      el("p", { class: "sl-key" }, el("span", { class: "k-run" }, "the line now"), el("span", { class: "k-ls" }, "least squares"), el("span", { class: "k-square" }, "squared errors")), this.hint);
    this.selected = 0;
    this.chart = new Chart(this.place, { label: "The data points and the fitted line", ratio: 0.8, tallest: 560, margins: { left: 46, top: 24 }, draw: () => this.redraw() });
    this.chart.svg.classList.add("ck-pick");
    this.listen();
  }

  listen() {
    const { svg } = this.chart;
    let index = -1;
    press(svg, (event) => {
      if (!this.told) return;
      const [x, y] = this.chart.back(event);
      if (event.type !== "pointermove") {
        index = this.nearest(event);
        if (index < 0) { index = this.add(x, y); return; }
        this.selected = index;
        this.redraw();
        return;
      }
      if (index >= 0) this.shift(index, x, y);
    }, () => this.finished());
    svg.addEventListener("dblclick", (event) => {
      const near = this.nearest(event);
      if (near >= 0) this.remove(near);
    });
  }

  nearest(event) {
    const area = this.chart.svg.getBoundingClientRect(), px = event.clientX - area.left, py = event.clientY - area.top;
    const reach = event.pointerType === "touch" ? 26 : 13;
    let best = -1, least = reach * reach;
    for (let i = 0; i < this.xs.length; i++) {
      const d = (this.chart.x(this.xs[i]) - px) ** 2 + (this.chart.y(this.ys[i]) - py) ** 2;
      if (d <= least) { least = d; best = i; }
    }
    return best;
  }

  inside(x, y) {
    const [[a, b], [c, d]] = this.chart.box;
    const neat = (v, low, high) => Number(Math.min(high, Math.max(low, v)).toPrecision(5));
    return [neat(x, a, b), neat(y, c, d)];
  }

  shift(index, x, y) {
    [this.xs[index], this.ys[index]] = this.inside(x, y);
    this.selected = index;
    this.edit([...this.xs], [...this.ys]);
  }

  add(x, y) {
    const [u, v] = this.inside(x, y);
    this.xs = [...this.xs, u];
    this.ys = [...this.ys, v];
    this.selected = this.xs.length - 1;
    this.edit([...this.xs], [...this.ys]);
    return this.selected;
  }

  remove(index) {
    if (this.xs.length <= 2) return;
    this.xs = [...this.xs].filter((_, i) => i !== index);
    this.ys = [...this.ys].filter((_, i) => i !== index);
    this.selected = Math.max(0, index - 1);
    this.edit([...this.xs], [...this.ys]);
    this.finished();
  }

  /** The view follows the data only when it is asked to: a picture that rescales under the finger cannot be aimed at. */
  fitView() {
    const ends = (values) => {
      let low = Infinity, high = -Infinity;
      for (const v of values) { low = Math.min(low, v); high = Math.max(high, v); }
      const pad = 0.09 * (high - low || 1);
      return [low - pad, high + pad];
    };
    this.chart.view(ends(this.xs), ends(this.ys));
  }

  draw(told, now, refit) {
    Object.assign(this, { told, now, xs: told.arrays.x, ys: told.arrays.y });
    if (refit) this.fitView();
    this.redraw();
  }

  redraw() {
    if (!this.told) return;
    const { chart, now, told } = this, [[a, b]] = chart.box;
    [chart.xname, chart.yname] = told.names;
    chart.begin();
    chart.axes();
    this.drawSquares();
    const { w: lw, b: lb } = told.least_squares;
    chart.line("ls", [a, lw * a + lb, b, lw * b + lb], "ln-ls");
    let dots = "";
    for (let i = 0; i < this.xs.length; i++) dots += `M${chart.x(this.xs[i]).toFixed(1)} ${chart.y(this.ys[i]).toFixed(1)}h0`;
    chart.node("dots", "path", { d: dots, class: this.xs.length > 400 ? "ln-dots many" : this.xs.length > 20 ? "ln-dots" : "ln-dots few" });
    chart.line("line", [a, now.w * a + now.b, b, now.w * b + now.b], "ln-line");
    this.drawMean();
    this.drawHandles();
    chart.end();
    this.said.textContent = `${told.names[1]} ≈ ${number(now.w, 4)}·${told.names[0]} ${now.b < 0 ? "−" : "+"} ${number(Math.abs(now.b), 4)}   after ${now.step.toLocaleString("en-US")} step${now.step === 1 ? "" : "s"}`;
  }

  drawSquares() {
    const { chart, now } = this, every = Math.max(1, Math.ceil(this.xs.length / SQUARES));
    let d = "";
    for (let i = 0; i < this.xs.length; i += every) {
      const x = chart.x(this.xs[i]), y = chart.y(this.ys[i]), foot = chart.y(now.w * this.xs[i] + now.b);
      const size = Math.abs(foot - y);
      if (size < 0.5 || !Number.isFinite(foot)) continue;
      const side = now.w >= 0 === foot < y ? -1 : 1;
      d += `M${x.toFixed(1)} ${y.toFixed(1)}V${foot.toFixed(1)}h${(side * -size).toFixed(1)}V${y.toFixed(1)}Z`;
    }
    chart.node("squares", "path", { d: d || "M0 0", class: "ln-squares" });
  }

  /** The mean square: its area is the error that is made small. */
  drawMean() {
    const { chart, now } = this, [, [c, e]] = chart.box;
    const size = Math.min((Math.sqrt(now.mse) / (e - c)) * chart.high, chart.high * 0.9);
    if (!Number.isFinite(size)) return;
    const x = chart.left + 10, y = chart.top + 26;
    chart.node("mean", "rect", { x, y, width: Math.max(1.5, size), height: Math.max(1.5, size), class: "ln-mean" });
    chart.text("mean-t", x, y - 8, `mean square ${number(now.mse, 4)}`, "rise halo");
  }

  drawHandles() {
    const { chart, now } = this, [[a, b], [c, d]] = chart.box;
    const ends = [a + 0.13 * (b - a), a + 0.87 * (b - a)];
    ends.forEach((x, k) => {
      const other = ends[1 - k], far = now.w * other + now.b, y = now.w * x + now.b;
      const turned = (v) => { const w = (v - far) / (x - other); this.hold(w, v - w * x); };
      chart.handle(`end${k}`, {
        x, y: Math.min(d, Math.max(c, y)), now: y, cls: "run", label: k ? "The line's right handle" : "The line's left handle",
        text: `height ${number(y, 4)}, w ${number(now.w, 4)}, b ${number(now.b, 4)}`, move: (_, v) => turned(v),
        nudge: (dx, dy, size) => turned(y + (dx + dy) * size * (d - c)), done: this.finished,
      });
    });
    const i = Math.min(this.selected, this.xs.length - 1), [x, y] = [this.xs[i], this.ys[i]];
    const handle = chart.handle("point", {
      x, y, now: i + 1, cls: "ring", label: "A data point", text: `point ${i + 1} of ${this.xs.length}: ${power(x, 4)}, ${power(y, 4)}`,
      move: (u, v) => this.shift(i, u, v), nudge: (dx, dy, size) => this.shift(i, x + dx * size * (b - a), y + dy * size * (d - c)), done: this.finished,
    });
    handle.actions.key = (event) => {
      const turn = { PageDown: 1, PageUp: -1 }[event.key];
      if (turn) this.selected = (i + turn + this.xs.length) % this.xs.length;
      else if (event.key === "Delete" || event.key === "Backspace") { event.preventDefault(); this.remove(i); return; } else if (event.key === "Insert" || event.key === "+") { this.add(x + 0.03 * (b - a), y); this.finished(); return; } else return;
      event.preventDefault();
      this.redraw();
    };
    handle.ondblclick = (event) => { event.stopPropagation(); this.remove(Math.min(this.selected, this.xs.length - 1)); };
  }
}
