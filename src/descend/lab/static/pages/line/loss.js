// The error of each step on a log axis, with the floor that least squares sets; the step shown can be dragged.
import { Chart, el, number } from "../slopes/kit.js";

export class LossFigure {
  constructor({ seek, finished }) {
    Object.assign(this, { seek, finished });
    this.place = el("div", { class: "sl-plot ln-loss" });
    this.node = el("figure", { class: "sl-card" }, el("figcaption", {}, el("h2", {}, "The loss curve"), (this.said = el("p"))), this.place);
    this.chart = new Chart(this.place, { label: "Mean squared error against the step, on a log axis", ratio: 0.42, tallest: 300, ylog: true, xname: "step", yname: "mean squared error", margins: { left: 54, top: 22 }, draw: () => this.redraw() });
  }

  draw(told, now) {
    Object.assign(this, { told, now });
    this.redraw();
  }

  redraw() {
    const { chart, told, now } = this;
    if (!told) return;
    const { loss, at } = told.arrays, least = told.least_squares.mse, last = at[at.length - 1];
    let low = Infinity, high = 0;
    for (const v of loss) if (v > 0 && Number.isFinite(v)) { low = Math.min(low, v); high = Math.max(high, v); }
    if (least > 1e-3 * low) low = Math.min(low, least);
    high = Math.min(high, Math.max(loss[0], low) * 1e8);
    chart.view([0, Math.max(1, last)], [low / 1.8, Math.max(high, low * 10) * 1.6]).begin();
    chart.axes();
    const pairs = new Float64Array(2 * at.length);
    at.forEach((k, i) => { pairs[2 * i] = k; pairs[2 * i + 1] = loss[i]; });
    if (least > low / 1.8) {
      chart.node("least", "line", { x1: chart.left, x2: chart.left + chart.wide, y1: chart.y(least), y2: chart.y(least), class: "ln-ls" });
      chart.text("least-t", chart.left + 6, chart.y(least) - 7, `least squares ${number(least, 4)}`, "halo");
    }
    chart.line("loss", pairs, "ln-path solid");
    const y = Math.min(chart.box[1][1], Math.max(chart.box[1][0], now.mse || chart.box[1][0]));
    chart.node("now-line", "line", { x1: chart.x(now.step), x2: chart.x(now.step), y1: chart.top, y2: chart.top + chart.high, class: "ck-now soft" });
    chart.handle("now", {
      x: now.step, y, now: now.step, cls: "run", label: "The step shown", text: `step ${now.step}, error ${number(now.mse, 4)}`,
      move: (x) => this.seek(x), nudge: (dx, dy, size) => this.seek(now.step + (dx + dy) * (size > 0.05 ? Math.max(10, Math.round(last / 10)) : 1)), done: this.finished,
    });
    chart.end();
    this.said.textContent = `Step ${now.step.toLocaleString("en-US")}: ${number(now.mse, 5)}.`;
  }
}
