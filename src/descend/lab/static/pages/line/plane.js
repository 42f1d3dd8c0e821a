// The plane of (w, b): every point is a line. Contours of the mean squared error, the descent's path, the line's own place.
import { Chart, el, number, press } from "../slopes/kit.js";

export class PlaneFigure {
  constructor({ hold, finished, hover, refit }) {
    Object.assign(this, { hold, finished, hover });
    this.place = el("div", { class: "sl-plot" });
    this.exact = el("p", { class: "ln-hint" }, " ");
    this.said = el("p", {}, "Each point is a line. Rings join lines of equal error; descent crosses them downhill.");
    this.node = el("figure", { class: "sl-card" }, el("figcaption", {}, el("h2", {}, "All lines: the (w, b) plane"), this.said), this.place,
      el("p", { class: "sl-key" }, el("span", { class: "k-path" }, "descent, step by step"), el("span", { class: "k-ls" }, "least squares ×"), el("button", { type: "button", class: "ln-mini", onclick: refit }, "Fit the view")), this.exact);
    this.chart = new Chart(this.place, { label: "Contours of the mean squared error over w and b, with the descent's path", ratio: 0.8, tallest: 560, xname: "w", yname: "b", margins: { left: 46, top: 24 }, draw: () => this.redraw() });
    const { svg } = this.chart;
    svg.classList.add("ck-pick");
    press(svg, (event) => this.hold(...this.chart.back(event)), () => this.finished());
    svg.addEventListener("pointermove", (event) => {
      if (event.buttons) return;
      const [w, b] = this.chart.back(event);
      this.hover(w, b).then((told) => { if (told && !told.error) this.exact.textContent = `At w ${number(told.w, 4)}, b ${number(told.b, 4)} the error is ${number(told.mse, 5)}, its gradient (${number(told.gradient[0], 4)}, ${number(told.gradient[1], 4)}).`; });
    });
    svg.addEventListener("pointerleave", () => { this.exact.textContent = " "; });
  }

  draw(told, now) {
    Object.assign(this, { told, now });
    this.chart.view(...told.box);
    this.redraw();
  }

  redraw() {
    const { chart, told, now } = this;
    if (!told) return;
    const { path, rings, at } = told.arrays, [[a, b], [c, d]] = told.box;
    chart.begin();
    chart.node("sea", "rect", { x: chart.left, y: chart.top, width: chart.wide, height: chart.high, class: "ln-sea" });
    const [count, size] = rings.shape;
    for (let k = count - 1; k >= 0; k--) {
      const node = chart.line(`ring${count - 1 - k}`, rings.subarray(2 * k * size, 2 * (k + 1) * size), "ln-ring");
      node.style.fill = `color-mix(in oklab, var(--ground-high) ${Math.round((100 * k) / count)}%, var(--ground-low))`;
    }
    chart.axes({ grid: false });
    chart.line("path", path, "ln-path");
    const shown = this.shownSteps(at.length);
    let dots = "";
    for (const i of shown) {
      const w = path[2 * i], v = path[2 * i + 1];
      if (w >= a && w <= b && v >= c && v <= d) dots += `M${chart.x(w).toFixed(1)} ${chart.y(v).toFixed(1)}h0`;
    }
    chart.node("steps", "path", { d: dots || "M0 0", class: "ln-steps" });
    chart.node("start", "circle", { cx: chart.x(path[0]), cy: chart.y(path[1]), r: 5, class: "ln-start" });
    const x = chart.x(told.least_squares.w), y = chart.y(told.least_squares.b);
    chart.node("ls", "path", { d: `M${x - 6} ${y - 6}L${x + 6} ${y + 6}M${x - 6} ${y + 6}L${x + 6} ${y - 6}`, class: "ln-cross" });
    const keep = (v, low, high) => Math.min(high, Math.max(low, v));
    const out = now.w < a || now.w > b || now.b < c || now.b > d;
    if (out) chart.text("out", chart.left + chart.wide - 8, chart.top + 20, `off to (${number(now.w, 3)}, ${number(now.b, 3)})`, "ln-white", "end");
    chart.handle("now", {
      x: keep(now.w, a, b), y: keep(now.b, c, d), now: now.w, cls: "run", label: "The line's place: w across, b up", text: `w ${number(now.w, 4)}, b ${number(now.b, 4)}, error ${number(now.mse, 4)}`,
      move: (w, v) => this.hold(w, v), nudge: (dx, dy, step) => this.hold(now.w + dx * step * (b - a), now.b + dy * step * (d - c)), done: this.finished,
    });
    chart.end();
  }

  /** Steps drawn as dots: all of a short path, the first hundred and ever fewer of a long one. */
  shownSteps(count) {
    const found = [];
    for (let i = 0; i < count; i += i < 60 ? 1 : Math.ceil(i / 60)) found.push(i);
    return found;
  }
}
