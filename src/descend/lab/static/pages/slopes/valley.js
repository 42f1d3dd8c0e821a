// The error of a finite difference against h: too large and the curve bends, too small and float64 runs out of digits.
import { Chart, el, power, press, put } from "./kit.js";

const FLOOR = 1e-17;

/** `pick(h)`: the reader points at a step size. */
export function valley({ pick, finished }) {
  const place = el("div", { class: "sl-plot" });
  const reading = el("p", { class: "sl-reading" });
  const marks = el("div", { class: "sl-marks" });
  const legend = el("p", { class: "sl-key" },
    el("span", { class: "k-forward" }, "forward: (f(x+h) − f(x)) / h"), el("span", { class: "k-central" }, "central: (f(x+h) − f(x−h)) / 2h"),
    el("span", { class: "k-law" }, "the laws: bend and rounding"), el("span", { class: "k-careful" }, "forward, divided by (x+h) − x: as descend does"));
  const node = el("figure", { class: "sl-card sl-valley" },
    el("figcaption", {}, el("h2", {}, "How small should h be?"), el("p", {}, "The error of both differences, relative to the slope. Point at the valley to set h.")),
    place, legend, reading, marks);
  let frame = null, h = 1, message = null;
  const chart = new Chart(place, {
    label: "Error of finite differences against the step h, both on log scales", ratio: 0.46, tallest: 400, xlog: true, ylog: true,
    xname: "step h", yname: "relative error", margins: { left: 52, top: 26, bottom: 38 }, draw: () => { if (frame) draw(frame, h); },
  });
  chart.view([1e-16, 1], [FLOOR, 10]);
  chart.svg.classList.add("ck-pick");
  press(chart.svg, (event) => { const [x] = chart.back(event); pick(Math.min(1, Math.max(1e-16, x))); }, finished);

  function draw(told, now) {
    if (told.error) { message = told.error; reading.textContent = message; return; }
    frame = told;
    h = now;
    chart.begin();
    chart.axes();
    const { h: hs, forward, central, careful, truncation, rounding } = told.arrays;
    const pairs = (values, stride = 1, offset = 0) => {
      const found = new Float64Array(2 * hs.length);
      hs.forEach((x, i) => { const v = values[i * stride + offset]; found[2 * i] = x; found[2 * i + 1] = v === 0 ? FLOOR : v; });
      return found;
    };
    for (const [k, name] of [[0, "forward"], [1, "central"]]) {
      chart.line(`bend-${name}`, pairs(truncation, 2, k), `ck-law ${name}`);
      chart.line(`round-${name}`, pairs(rounding, 2, k), `ck-law ${name}`);
    }
    chart.line("careful", pairs(careful.map((v) => v || NaN)), "ck-careful");
    chart.line("forward", pairs(forward), "ck-forward");
    chart.line("central", pairs(central), "ck-central");
    told.marks.forEach((mark) => {
      const y = mark.error ? Math.max(mark.error, FLOOR) : FLOOR, x = chart.x(mark.h);
      chart.node(`m-${mark.kind}`, "line", { x1: x, x2: x, y1: chart.top, y2: chart.top + chart.high, class: `ck-best ${mark.kind}` });
      chart.text(`mt-${mark.kind}`, x, chart.top - 8, chart.wide > 420 ? `${mark.why} = ${power(mark.h, 2)}` : mark.why, mark.kind, mark.kind === "forward" ? "end" : "start");
      chart.dot(`md-${mark.kind}`, mark.h, y, 5, `ck-dot ${mark.kind}`);
    });
    if (chart.wide > 420) {
      chart.text("left", chart.left + 10, chart.top + chart.high - 10, "← rounding: about ε|f|/h", "ck-name");
      chart.text("right", chart.left + chart.wide - 8, chart.top + chart.high - 10, "bend: about h, and h² →", "ck-name", "end");
    }
    const size = Math.min(1, Math.max(1e-16, Math.abs(now)));
    chart.handle("now", {
      x: size, y: 10 ** -8, now: Math.log10(size), cls: "run", label: "The step h", text: `h ${power(size, 2)}`, shape: "M0 -9L9 0L0 9L-9 0Z",
      move: (x) => pick(Math.min(1, Math.max(1e-16, x))), nudge: (dx, dy, step) => pick(Math.min(1, Math.max(1e-16, size * 10 ** ((dx + dy) * step * 10)))), done: finished,
    });
    chart.node("now-line", "line", { x1: chart.x(size), x2: chart.x(size), y1: chart.top, y2: chart.top + chart.high, class: "ck-now" });
    chart.end();
    reading.textContent = told.reading;
    put(marks, ...told.marks.map((mark) => el("button", { type: "button", class: "ck-button", onclick: () => { pick(mark.h); finished(); } },
      `${mark.kind}: h = ${mark.why} ≈ ${power(mark.h, 2)}, error ${mark.error === null ? "none" : power(mark.error, 2)}`)));
  }
  return { node, draw, chart };
}
