// Two inputs: the gradient as an arrow, its parts as slices, and the slope in any direction.
import { drawGround, levelsOf, prepared, viewOf } from "../../plot/plane.js";
import { savers } from "./tools.js";
import { Chart, copier, el, mathOf, number, power, press, put, slider } from "./kit.js";

export function twoInputs({ transport, state, keep, watch }) {
  const two = new Two(transport, state, keep, watch);
  return two;
}

class Two {
  constructor(transport, state, keep, watch) {
    Object.assign(this, { transport, state, keep, watch });
    this.build();
    this.ground().then(() => this.ask());
  }

  build() {
    this.field = el("input", { id: "sl-g", class: "sl-input", spellcheck: "false", autocomplete: "off", autocapitalize: "off", maxlength: 400, value: this.state.f });
    this.field.addEventListener("input", () => {
      if (!this.field.value.trim()) return;
      this.state.f = this.field.value.trim();
      this.ground().then(() => this.ask());
      this.keep();
    });
    this.chips = el("div", { class: "sl-chips", role: "group", "aria-label": "Functions of two inputs to try" });
    this.problem = el("p", { class: "sl-problem", role: "status", hidden: true });
    this.plane = el("div", { class: "sl-plane" }, (this.canvas = el("canvas", { "aria-hidden": "true" })));
    this.reading = el("p", { class: "sl-reading", "aria-live": "off" });
    this.partials = el("div", { class: "sl-partials" });
    this.table = el("table", { class: "sl-check" });
    this.verdict = el("p", { class: "sl-reading" });
    const plot = () => el("div", { class: "sl-plot" });
    const places = { s0: plot(), s1: plot(), dial: plot() };
    this.captions = { s0: el("h3"), s1: el("h3") };
    this.step = slider({
      label: "step h", min: 1e-14, max: 1, step: 0.05, log: true, value: this.state.h, show: (h) => power(h, 2),
      change: (h) => { this.state.h = Number(h.toPrecision(3)); this.ask(); this.keep(); },
    });
    this.node = el("section", { class: "sl-two" },
      el("header", { class: "sl-head" }, el("div", { class: "sl-title" }, el("h2", { class: "sl-second" }, "Two inputs: the gradient"), savers("gradient", () => this.picture())),
        el("p", { class: "sl-lede" }, "One slope for each input, gathered in an arrow that points uphill and crosses the contours. Drag the point; turn the direction.")),
      el("section", { class: "sl-bar", "aria-label": "The function of two inputs" },
        el("div", { class: "sl-type" }, el("label", { for: "sl-g" }, "f ="), this.field, this.partials), this.chips, this.problem),
      el("div", { class: "sl-quad" },
        el("figure", { class: "sl-card sl-map" }, this.plane, el("p", { class: "sl-key" },
          el("span", { class: "k-tangent" }, "∇f, steepest ascent"), el("span", { class: "k-secant" }, "the direction you hold, and the slope along it"),
          el("span", { class: "k-run" }, "slices")), this.reading),
        el("div", { class: "sl-slices" },
          el("figure", { class: "sl-card" }, this.captions.s0, places.s0),
          el("figure", { class: "sl-card" }, this.captions.s1, places.s1),
          el("figure", { class: "sl-card" }, el("h3", {}, mathOf("u\\cdot\\nabla f = |\\nabla f|\\cos\\theta")), places.dial),
          el("section", { class: "sl-card" }, el("h3", {}, "Gradient check"), this.table, this.step, this.verdict,
            el("div", { class: "sl-turn" }, copier("Copy as command", () => this.told?.command), copier("Copy as Python", () => this.told?.python))))));
    const redraw = () => { if (this.told) this.draw(); };
    this.map = new Chart(this.plane, { label: "Contours with the gradient", ratio: 1, tallest: 620, margins: { left: 34, right: 4, top: 4, bottom: 24 }, draw: () => { this.paint(); redraw(); } });
    const small = { ratio: 0.62, tallest: 230, margins: { left: 46, top: 18, bottom: 26 }, draw: redraw };
    this.slices = [new Chart(places.s0, { label: "The slice along the first input", ...small }), new Chart(places.s1, { label: "The slice along the second input", ...small })];
    this.dial = new Chart(places.dial, { label: "The slope against the direction", ...small });
    this.map.svg.classList.add("ck-pick");
    press(this.map.svg, (event) => this.move(...this.map.back(event)));
    addEventListener("descend-theme", () => this.paint());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
  }

  /** Show this state, which is changed in place from now on. */
  restore(state) {
    this.state = state;
    this.field.value = state.f;
    this.step.set(state.h);
    this.ground().then(() => this.ask());
  }

  picture() {
    const { told } = this, [a, b] = told.variables;
    const slices = [a, b].map((name, k) => ({ title: `The slice along ${name}`, chart: this.slices[k] }));
    const under = (context) => drawGround(context, viewOf(this.field2.box, this.map.wide, this.map.high), this.shapes);
    return { rows: [[{ title: `f(${a}, ${b}) = ${told.text}`, chart: this.map, under }], [...slices, { title: "The slope by direction", chart: this.dial }]], said: told.reading, about: told.command };
  }

  offer(grounds) {
    put(this.chips, ...grounds.map((ground) => {
      const chip = el("button", { type: "button", class: "sl-chip", title: ground.story }, mathOf(ground.latex));
      chip.addEventListener("click", () => {
        this.field.value = ground.f;
        Object.assign(this.state, { f: ground.f, at: ground.at, box: ground.box });
        this.ground().then(() => this.ask());
        this.keep();
      });
      chip.f = ground.f;
      return chip;
    }));
    this.mark();
  }

  mark() { for (const chip of this.chips.children) chip.setAttribute("aria-pressed", String(chip.f === this.state.f)); }

  move(x, y) {
    this.watch.start();
    const [[a, b], [c, d]] = this.state.box;
    const neat = (v, low, high) => Number(Math.min(high, Math.max(low, v)).toFixed(Math.max(0, 3 - Math.floor(Math.log10(high - low)))));
    this.state.at = [neat(x, a, b), neat(y, c, d)];
    this.ask();
    this.keep();
  }

  turn(angle) {
    this.watch.start();
    this.state.angle = Math.round((((angle % 360) + 360) % 360) * 10) / 10;
    this.ask();
    this.keep();
  }

  async ground() {
    const told = await this.transport.ask("arrows", "arrows", { f: this.state.f, box: this.state.box });
    if (!told) return;
    this.problem.hidden = !told.error;
    if (told.error) { this.problem.textContent = told.error; return; }
    this.field2 = told;
    this.shapes = levelsOf(told);
    this.paint();
    this.mark();
  }

  paint() {
    if (!this.shapes) return;
    const { left, top, wide, high } = this.map;
    this.canvas.style.left = `${left}px`;
    this.canvas.style.top = `${top}px`;
    this.canvas.style.width = `${wide}px`;
    this.canvas.style.height = `${high}px`;
    drawGround(prepared(this.canvas, wide, high), viewOf(this.field2.box, wide, high), this.shapes);
  }

  async ask() {
    const { f, at, box, angle, h } = this.state;
    const told = await this.transport.ask("partials", "partials", { f, at, box, angle, h });
    if (!told) return;
    this.problem.hidden = !told.error;
    if (told.error) { this.problem.textContent = told.error; return; }
    this.told = told;
    this.draw();
    this.watch.stop();
  }

  draw() {
    const told = this.told;
    this.drawMap(told);
    this.drawSlice(0, told);
    this.drawSlice(1, told);
    this.drawDial(told);
    this.drawCheck(told);
    this.reading.textContent = told.reading;
    const key = told.partials.join("|");
    if (this.key !== key) {
      this.key = key;
      const [a, b] = told.variables;
      put(this.partials, mathOf(`\\nabla f = \\left(${told.partials[0]},\\; ${told.partials[1]}\\right)`));
      put(this.captions.s0, mathOf(`\\partial f/\\partial ${a}`), ` : the slice along ${a}`);
      put(this.captions.s1, mathOf(`\\partial f/\\partial ${b}`), ` : the slice along ${b}`);
    }
  }

  drawMap(told) {
    const chart = this.map, [[a, b], [c, d]] = this.state.box, { at } = told;
    chart.view([a, b], [c, d]).begin();
    chart.axes({ grid: false });
    this.drawArrows(chart);
    const px = chart.x(at[0]), py = chart.y(at[1]);
    chart.line("sx", [a, at[1], b, at[1]], "ck-slice");
    chart.line("sy", [at[0], c, at[0], d], "ck-slice");
    const longest = Math.min(chart.wide, chart.high) * 0.24;
    if (told.steepest) {
      const [ux, uy] = this.onScreen(told.gradient), length = this.room(px, py, ux, uy, longest, 26);
      this.arrow(chart, "grad", px, py, px + ux * length, py + uy * length, "ck-gradient");
      chart.text("grad-t", px + ux * (length + 16), py + uy * (length + 16) + 4, "∇f", "tangent halo", "middle");
    }
    const [dx, dy] = this.onScreen(told.u);
    const length = this.room(px, py, dx, dy, longest, 12), hx = px + dx * length, hy = py + dy * length;
    chart.node("u", "line", { x1: px, y1: py, x2: hx, y2: hy, class: "ck-direction" });
    const place = this.unplace(hx, hy);
    chart.handle("turn", {
      x: place[0], y: place[1], now: told.angle, cls: "rise", label: "The direction u", text: `${number(told.angle, 3)} degrees, slope ${told.said_directional}`,
      move: (x, y) => this.turn((Math.atan2(y - at[1], x - at[0]) * 180) / Math.PI), nudge: (ex, ey, size) => this.turn(told.angle + (ex + ey) * (size > 0.05 ? 15 : 2)),
    });
    chart.handle("at", {
      x: at[0], y: at[1], now: at[0], cls: "ink", label: `The point (${told.variables.join(", ")})`, text: `${number(at[0], 4)}, ${number(at[1], 4)}`,
      move: (x, y) => this.move(x, y), nudge: (ex, ey, size) => this.move(at[0] + ex * size * (b - a), at[1] + ey * size * (d - c)),
    });
    chart.end();
  }

  /** How long an arrow from (x, y) may be to stay in the frame, 40 pixels at least. */
  room(x, y, ux, uy, longest, edge) {
    const { left, top, wide, high } = this.map;
    const across = ux > 0 ? (left + wide - edge - x) / ux : ux < 0 ? (left + edge - x) / ux : Infinity;
    const along = uy > 0 ? (top + high - edge - y) / uy : uy < 0 ? (top + edge - y) / uy : Infinity;
    return Math.max(40, Math.min(longest, across, along));
  }

  /** A direction of the data as a unit direction on the screen. */
  onScreen([gx, gy]) {
    const [[a, b], [c, d]] = this.state.box;
    const x = (gx / (b - a)) * this.map.wide, y = (-gy / (d - c)) * this.map.high, size = Math.hypot(x, y) || 1;
    return [x / size, y / size];
  }

  unplace(px, py) {
    const [[a, b], [c, d]] = this.state.box, { left, top, wide, high } = this.map;
    return [a + ((px - left) / wide) * (b - a), c + (1 - (py - top) / high) * (d - c)];
  }

  drawArrows(chart) {
    const { places, gradients } = this.field2.arrays;
    const count = places.shape[0], longest = Math.min(chart.wide, chart.high) / 13;
    const sizes = [];
    for (let i = 0; i < count; i++) sizes.push(Math.hypot(gradients[2 * i], gradients[2 * i + 1]));
    const most = Math.max(...sizes, 1e-300);
    let d = "";
    for (let i = 0; i < count; i++) {
      const [ux, uy] = this.onScreen([gradients[2 * i], gradients[2 * i + 1]]), size = longest * Math.sqrt(sizes[i] / most);
      if (size < 2) continue;
      const x = chart.x(places[2 * i]), y = chart.y(places[2 * i + 1]), ex = x + ux * size, ey = y + uy * size, head = Math.min(4.5, size / 2);
      d += `M${x.toFixed(1)} ${y.toFixed(1)}L${ex.toFixed(1)} ${ey.toFixed(1)}M${(ex - head * (ux + uy * 0.6)).toFixed(1)} ${(ey - head * (uy - ux * 0.6)).toFixed(1)}`
        + `L${ex.toFixed(1)} ${ey.toFixed(1)}L${(ex - head * (ux - uy * 0.6)).toFixed(1)} ${(ey - head * (uy + ux * 0.6)).toFixed(1)}`;
    }
    chart.node("arrows", "path", { d: d || "M0 0", class: "ck-arrows" });
  }

  arrow(chart, key, x0, y0, x1, y1, cls) {
    const size = Math.hypot(x1 - x0, y1 - y0) || 1, ux = (x1 - x0) / size, uy = (y1 - y0) / size, head = 11;
    chart.node(key, "path", {
      d: `M${x0} ${y0}L${x1} ${y1}M${x1 - head * (ux + uy * 0.5)} ${y1 - head * (uy - ux * 0.5)}L${x1} ${y1}L${x1 - head * (ux - uy * 0.5)} ${y1 - head * (uy + ux * 0.5)}`,
      class: cls,
    });
  }

  drawSlice(k, told) {
    const chart = this.slices[k], data = told.arrays[`slice${k}`], [low, high] = this.state.box[k];
    let bottom = Infinity, top = -Infinity;
    for (let i = 1; i < data.length; i += 2) if (Number.isFinite(data[i])) { bottom = Math.min(bottom, data[i]); top = Math.max(top, data[i]); }
    const room = (top - bottom || 1) * 0.1, at = told.at[k], m = told.gradient[k];
    chart.view([low, high], [bottom - room, top + room]).begin();
    chart.axes({ xcount: 5, ycount: 4 });
    chart.line("tangent", [low, told.value + m * (low - at), high, told.value + m * (high - at)], "ck-tangent");
    chart.line("curve", data, "ck-curve run");
    chart.dot("at", at, told.value, 5, "ck-dot ink");
    chart.text("slope", chart.left + chart.wide - 4, chart.top - 5, `slope ${told.said.gradient[k]}`, "tangent", "end");
    chart.end();
  }

  drawDial(told) {
    const chart = this.dial, top = told.norm * 1.15 || 1;
    chart.view([0, 360], [-top, top]).begin();
    [0, 90, 180, 270, 360].forEach((v, k) => {
      chart.node(`g${k}`, "line", { x1: chart.x(v), x2: chart.x(v), y1: chart.top, y2: chart.top + chart.high, class: "ck-grid" }, null, "axes");
      chart.text(`t${k}`, chart.x(v), chart.top + chart.high + 16, `${v}°`, "ck-tick", k === 4 ? "end" : "middle", "axes");
    });
    for (const [key, v] of [["up", told.norm], ["zero", 0], ["down", -told.norm]]) {
      chart.node(`l-${key}`, "line", { x1: chart.left, x2: chart.left + chart.wide, y1: chart.y(v), y2: chart.y(v), class: "ck-grid" }, null, "axes");
      chart.text(`lt-${key}`, chart.left - 6, chart.y(v) + 4, power(v, 3), "ck-tick", "end", "axes");
    }
    chart.line("dial", told.arrays.dial, "ck-curve");
    if (told.uphill !== null) {
      chart.node("uphill", "line", { x1: chart.x(told.uphill), x2: chart.x(told.uphill), y1: chart.top, y2: chart.top + chart.high, class: "ck-tangent" });
      chart.text("uphill-t", chart.x(told.uphill), chart.top - 5, "∇f", "tangent", "middle");
    }
    chart.text("value", chart.left + chart.wide - 4, chart.top - 5, `slope ${told.said_directional}`, "rise", "end");
    chart.handle("turn", {
      x: told.angle, y: told.directional, now: told.angle, cls: "rise", label: "The direction u, in degrees", text: `${number(told.angle, 3)} degrees, slope ${told.said_directional}`,
      move: (x) => this.turn(Math.min(359.9, Math.max(0, x))), nudge: (ex, ey, size) => this.turn(told.angle + (ex + ey) * (size > 0.05 ? 15 : 2)),
    });
    chart.end();
  }

  drawCheck(told) {
    const { rows, forward_error: fe, central_error: ce, verdict } = told.check;
    put(this.table, el("thead", {}, el("tr", {}, ...["", "by rule", "forward", "central"].map((t) => el("th", { scope: "col" }, t)))),
      el("tbody", {}, ...rows.map((r) => el("tr", {}, el("th", { scope: "row" }, mathOf(`\\partial f/\\partial ${r.name}`)), el("td", {}, r.exact), el("td", {}, r.forward), el("td", {}, r.central))),
        el("tr", { class: "soft" }, el("th", { scope: "row" }, "error"), el("td", {}, ""), el("td", {}, fe), el("td", {}, ce))));
    this.verdict.textContent = `${verdict[0].toUpperCase()}${verdict.slice(1)}.`;
  }
}
