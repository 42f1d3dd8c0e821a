// One slope, three readings side by side: rise over run, the tangent seen closer and closer, and how far the output moves.
import { Chart, el, number, power, put } from "./kit.js";

/** A wide screen has room for taller figures. */
const TALLEST = matchMedia("(min-width: 1900px) and (min-height: 1100px)").matches ? 480 : 360;

const figure = (title, question) => {
  const place = el("div", { class: "sl-plot" });
  const reading = el("p", { class: "sl-reading" });
  const node = el("figure", { class: "sl-card" }, el("figcaption", {}, el("h2", {}, title), el("p", {}, question)), place, reading);
  return { node, place, reading };
};

/** `move(at)`, `wiggle(h)`: what the reader changes by hand; `finished` when a drag ends. */
export function threeFramings({ move, wiggle, finished }) {
  const rate = figure("Rate of change", "How fast does f grow? Rise over run.");
  const tangent = figure("Slope of the tangent", "Close enough, every smooth curve is a line.");
  const moved = figure("Sensitivity", "Wiggle the input: how far does the output move?");
  const table = el("table", { class: "sl-steps" });
  const legend = el("p", { class: "sl-key" },
    el("span", { class: "k-run" }, "run h"), el("span", { class: "k-rise" }, "rise Δf"),
    el("span", { class: "k-secant" }, "secant"), el("span", { class: "k-tangent" }, "tangent"));
  rate.node.append(table);
  tangent.node.append(legend);
  const node = el("div", { class: "sl-three" }, rate.node, tangent.node, moved.node);
  let frame = null;
  const redraw = () => { if (frame) draw(frame); };
  const one = new Chart(rate.place, { label: "The curve with the secant over h", ratio: 0.74, tallest: TALLEST, draw: redraw });
  const two = new Chart(tangent.place, { label: "The curve close to the point", ratio: 0.74, tallest: TALLEST, draw: redraw });
  const three = new Chart(moved.place, {
    label: "Two number lines: the input's move and the output's", ratio: 0.74, tallest: TALLEST, margins: { left: 16, right: 16 }, draw: redraw,
  });

  function draw(told) {
    frame = told;
    drawRate(one, told, { move, wiggle, finished });
    drawClose(two, told);
    drawMoves(three, told);
    rate.reading.textContent = told.reading.rate;
    tangent.reading.textContent = told.reading.tangent;
    moved.reading.textContent = told.reading.sensitivity;
    put(table, el("tbody", {},
      el("tr", {}, el("th", { scope: "row" }, "h"), ...told.table.map(([h]) => el("td", {}, number(h))), el("td", {}, "→ 0")),
      el("tr", {}, el("th", { scope: "row" }, "slope"), ...told.table.map(([, s]) => el("td", {}, s ?? "–")), el("td", {}, told.said.slope ?? "none"))));
  }
  const panels = () => [["Rate of change", one], ["Slope of the tangent", two], ["Sensitivity", three]].map(([title, chart]) => ({ title, chart }));
  return { node, draw, panels };
}

/** A straight line of slope m through (x, y), from one side of the view to the other. */
function through(chart, x, y, m) {
  const [[a, b]] = chart.box;
  return [a, y + m * (a - x), b, y + m * (b - x)];
}

function drawRate(chart, told, { move, wiggle, finished }) {
  const { at, value, moved, next, slope, secant, variable } = told;
  chart.xname = variable;
  chart.view(told.box[0], told.box[1]).begin();
  chart.axes();
  chart.line("curve", told.arrays.curve, "ck-curve");
  const [low, high] = told.box[0];
  const view = high - low;
  if (value !== null) {
    if (slope !== null) chart.line("tangent", through(chart, at, value, slope), "ck-tangent");
    if (secant !== null && next !== null) {
      chart.line("secant", through(chart, at, value, secant), "ck-secant");
      chart.line("run", [at, value, moved, value], "ck-run");
      chart.line("rise", [moved, value, moved, next], "ck-rise");
      const gap = Math.abs(chart.x(moved) - chart.x(at)), side = moved > at ? 1 : -1;
      if (gap > 34) chart.text("h", chart.x((at + moved) / 2), chart.y(value) + (next >= value ? 17 : -8), `h = ${power(told.h, 3)}`, "run halo", "middle");
      if (Math.abs(chart.y(next) - chart.y(value)) > 18) {
        const edge = chart.x(moved) + 7 * side;
        chart.text("df", edge, (chart.y(value) + chart.y(next)) / 2 + 4, number(next - value, 3), "rise halo", side > 0 ? "start" : "end");
      }
      chart.handle("next", {
        x: moved, y: next, now: told.h, cls: "rise", label: `The second point, ${variable} + h`, text: `h ${power(told.h, 3)}`,
        move: (x) => { if (x !== at) wiggle(x - at); }, nudge: (dx, dy, size) => wiggle(told.h * (1 + 10 * size * (dx + dy) * side) || told.h), done: finished,
      });
    }
    chart.handle("at", {
      x: at, y: value, now: at, cls: "run", label: `The point, ${variable}`, text: `${variable} ${number(at, 5)}, f ${number(value, 5)}`,
      move: (x) => move(x), nudge: (dx, dy, size) => move(at + (dx + dy) * size * view), done: finished,
    });
  }
  chart.end();
}

/** The window of a few |h| about the point, in units of h: the view from a microscope. */
function drawClose(chart, told) {
  chart.view([-4, 4], [-told.lean, told.lean]).begin();
  const bottom = chart.top + chart.high, middle = chart.left + chart.wide / 2;
  chart.node("frame", "rect", { x: chart.left, y: chart.top, width: chart.wide, height: chart.high, class: "ck-frame" }, null, "axes");
  const side = told.h > 0 ? 1 : -1, width = Math.abs(told.h);
  chart.text("t0", middle, bottom + 16, `${told.variable} = ${number(told.at, 4)}`, "ck-tick", "middle", "axes");
  chart.text("t1", chart.left, bottom + 16, `−${power(4 * width, 2)}`, "ck-tick", "start", "axes");
  chart.text("t2", chart.left + chart.wide, bottom + 16, `+${power(4 * width, 2)}`, "ck-tick", "end", "axes");
  chart.text("zoom", chart.left + 8, chart.top + 18, `window ${power(8 * width, 2)} wide`, "ck-name");
  if (told.slope !== null) chart.line("tangent", [-4, -4 * told.slope, 4, 4 * told.slope], "ck-tangent wide");
  chart.line("curve", told.arrays.zoom, "ck-curve");
  if (told.secant !== null) {
    chart.line("secant", [-4, -4 * told.secant, 4, 4 * told.secant], "ck-secant");
    chart.line("run", [0, 0, side, 0], "ck-run");
    chart.line("rise", [side, 0, side, side * told.secant], "ck-rise");
    chart.dot("b", side, side * told.secant, 4.5, "ck-dot rise");
  }
  chart.dot("a", 0, 0, 5, "ck-dot run");
  if (told.grainy) chart.text("grain", middle, bottom - 10, "float64's grain", "ck-name", "middle");
  chart.end();
}

/** Input above, output below, on the same scale: lengths are in units of h, so that the second is `secant` times the first. */
function drawMoves(chart, told) {
  chart.begin();
  const { secant, slope } = told;
  const reach = Math.max(1, Math.abs(secant ?? 1), Math.abs(slope ?? 1)) * 1.25;
  const low = Math.min(0, ...[secant, slope].filter((v) => v !== null).map((v) => v * Math.sign(told.h)), Math.sign(told.h));
  const start = low < -0.05 * reach ? -reach : -0.12 * reach;
  chart.view([start, low < -0.05 * reach && Math.max(secant ?? 0, slope ?? 0, 1) * Math.sign(told.h) <= 0 ? 0.12 * reach : reach], [0, 1]);
  const up = chart.top + chart.high * 0.24, down = chart.top + chart.high * 0.72, zero = chart.x(0), side = Math.sign(told.h);
  for (const [key, y] of [["in", up], ["out", down]]) {
    chart.node(`line-${key}`, "line", { x1: chart.left, x2: chart.left + chart.wide, y1: y, y2: y, class: "ck-axis" }, null, "axes");
    const [a, b] = chart.box[0];
    for (let k = Math.ceil(a); k <= b && b - a < 60; k++) {
      chart.node(`tick-${key}${k}`, "line", { x1: chart.x(k), x2: chart.x(k), y1: y - 4, y2: y + 4, class: "ck-axis" }, null, "axes");
    }
  }
  chart.text("lin", chart.left, up - 30, `input ${told.variable}, each mark is ${power(Math.abs(told.h), 2)}`, "ck-name");
  chart.text("lout", chart.left, down + 46, "output f, the same scale", "ck-name");
  chart.text("x0", zero, up + 22, number(told.at, 4), "ck-tick", "middle");
  if (told.value !== null) chart.text("f0", zero, down + 22, number(told.value, 4), "ck-tick", "middle");
  if (told.secant !== null && told.next !== null) {
    const ex = chart.x(side), ey = chart.x(side * secant);
    chart.node("wedge", "path", { d: `M${zero} ${up}L${ex} ${up}L${ey} ${down}L${zero} ${down}Z`, class: "ck-wedge" });
    chart.node("in", "line", { x1: zero, x2: ex, y1: up, y2: up, class: "ck-bar run" });
    chart.node("out", "line", { x1: zero, x2: ey, y1: down, y2: down, class: "ck-bar rise" });
    chart.text("h", (zero + ex) / 2, up - 10, "h", "run", "middle");
    chart.text("df", (zero + ey) / 2, down - 10, `${told.said.secant} × h`, "rise", "middle");
    if (told.slope !== null) {
      const x = chart.x(side * slope);
      chart.node("limit", "path", { d: `M${x} ${down - 9}V${down + 9}`, class: "ck-limit" });
      chart.text("limit-text", x, down + 22, `limit ${told.said.slope} × h`, "tangent", Math.abs(x - zero) < 70 ? "start" : "middle");
      if (Math.abs(x - zero) < 46) chart.text("f0", zero - 6, down + 22, number(told.value, 4), "ck-tick", "end");
    }
  }
  for (const [key, y] of [["pin", up], ["pout", down]]) chart.node(key, "circle", { cx: zero, cy: y, r: 4.5, class: "ck-dot ink" }, null, "over");
  chart.end();
}
