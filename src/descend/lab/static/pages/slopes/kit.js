// What the slopes and line-fit pages are drawn with: elements, a chart in SVG that keeps its nodes, handles that answer
// pointer and keys alike, sliders on a log scale, mathematics. No numbers are computed here but places on the screen.
import { number, superscript } from "../../format.js";
import katex from "../../vendor/katex.js";

export { number, superscript };

const SVG = "http://www.w3.org/2000/svg";

/** An element: attributes, `on…` listeners, children (text or nodes). */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function put(node, ...children) {
  node.replaceChildren(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** LaTeX into an element; left alone where it is there already. */
export function math(node, latex, display = false) {
  if (node.dataset.latex === latex) return node;
  node.dataset.latex = latex;
  katex.render(latex, node, { throwOnError: false, displayMode: display, output: "htmlAndMathml", strict: false });
  return node;
}

export const mathOf = (latex, tag = "span") => math(el(tag), latex);

/** A stylesheet of our own server, once; resolves when it has been read. */
export function stylesheet(address) {
  const known = [...document.styleSheets].some((sheet) => sheet.href?.endsWith(address));
  if (known) return Promise.resolve();
  return new Promise((resolve) => {
    document.head.append(el("link", { rel: "stylesheet", href: address, onload: resolve, onerror: resolve }));
  });
}

/** A power of ten, or a number in three digits: for ticks and step sizes. */
export function power(value, digits = 2) {
  if (value === 0) return "0";
  const exponent = Math.floor(Math.log10(Math.abs(value)) + 1e-9);
  const mantissa = value / 10 ** exponent;
  if (exponent > -4 && exponent < 4) return number(value, digits);
  const shown = Number(mantissa.toPrecision(digits));
  if (Math.abs(shown - 1) < 1e-9) return `10${superscript(exponent)}`;
  if (Math.abs(shown + 1) < 1e-9) return `−10${superscript(exponent)}`;
  return `${number(shown, digits)}×10${superscript(exponent)}`;
}

/** Round steps between two ends. */
export function ticks(low, high, count) {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) return [];
  const rough = span / Math.max(1, count);
  const base = 10 ** Math.floor(Math.log10(rough));
  const step = base * [1, 2, 5, 10].find((k) => k * base >= rough * 0.999);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * span; k++) found.push(Number((k * step).toPrecision(12)));
  return found;
}

function powersBetween(low, high, count) {
  const first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9);
  const every = Math.max(1, Math.ceil((last - first + 1) / count));
  const found = [];
  for (let k = Math.ceil(first / every) * every; k <= last; k += every) found.push(10 ** k);
  return found;
}

/** A chart: axes, lines, marks and handles, all nodes kept from one drawing to the next. */
export class Chart {
  constructor(host, { label, ratio = 0.72, tallest = 420, margins = {}, xlog = false, ylog = false, xname = "", yname = "", draw }) {
    this.host = host;
    this.ratio = ratio;
    this.tallest = tallest;
    this.margins = { left: 44, right: 12, top: 22, bottom: 34, ...margins };
    this.xlog = xlog;
    this.ylog = ylog;
    this.xname = xname;
    this.yname = yname;
    this.nodes = new Map();
    this.used = new Set();
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("class", "ck-chart");
    this.svg.setAttribute("role", "group");
    this.svg.setAttribute("aria-label", label);
    this.layers = {};
    const clip = `clip-${Math.random().toString(36).slice(2)}`;
    const defs = this.svg.appendChild(document.createElementNS(SVG, "defs"));
    const path = defs.appendChild(document.createElementNS(SVG, "clipPath"));
    path.id = clip;
    this.clip = path.appendChild(document.createElementNS(SVG, "rect"));
    for (const name of ["axes", "inside", "over", "handles"]) {
      this.layers[name] = this.svg.appendChild(document.createElementNS(SVG, "g"));
    }
    this.layers.inside.setAttribute("clip-path", `url(#${clip})`);
    host.append(this.svg);
    this.box = [[0, 1], [0, 1]];
    this.draw = draw;
    this.size();
    new ResizeObserver(() => { if (this.size()) this.draw?.(); }).observe(host);
  }

  /** Take the host's width; whether it has changed. */
  size() {
    const width = Math.max(200, this.host.clientWidth || 400);
    const height = Math.max(190, Math.min(this.tallest, Math.round(width * this.ratio)));
    if (width === this.width && height === this.height) return false;
    Object.assign(this, { width, height });
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.setAttribute("width", width);
    this.svg.setAttribute("height", height);
    const { left, right, top, bottom } = this.margins;
    Object.assign(this, { left, top, wide: width - left - right, high: height - top - bottom });
    for (const [name, value] of [["x", left], ["y", top], ["width", this.wide], ["height", this.high]]) this.clip.setAttribute(name, value);
    return true;
  }

  view(x, y) { this.box = [x, y]; return this; }

  x(v) {
    const [a, b] = this.box[0];
    const t = this.xlog ? Math.log(v / a) / Math.log(b / a) : (v - a) / (b - a);
    return this.left + this.wide * Math.max(-40, Math.min(40, t));
  }

  y(v) {
    const [a, b] = this.box[1];
    const t = this.ylog ? Math.log(v / a) / Math.log(b / a) : (v - a) / (b - a);
    return this.top + this.high * (1 - Math.max(-40, Math.min(40, t)));
  }

  /** From the screen's place to the data's. */
  back(event) {
    const area = this.svg.getBoundingClientRect();
    const u = (event.clientX - area.left - this.left) / this.wide, v = 1 - (event.clientY - area.top - this.top) / this.high;
    const [[a, b], [c, d]] = this.box;
    return [this.xlog ? a * (b / a) ** u : a + u * (b - a), this.ylog ? c * (d / c) ** v : c + v * (d - c)];
  }

  begin() { this.used.clear(); return this; }

  /** Nodes not drawn since `begin` go. */
  end() {
    for (const [key, node] of this.nodes) {
      if (this.used.has(key)) continue;
      node.remove();
      this.nodes.delete(key);
    }
  }

  node(key, tag, attributes, text = null, layer = "inside") {
    let node = this.nodes.get(key);
    if (!node) {
      node = document.createElementNS(SVG, tag);
      this.nodes.set(key, node);
      this.layers[layer].append(node);
    }
    this.used.add(key);
    for (const name in attributes) {
      const value = attributes[name];
      const shown = typeof value === "number" ? String(Math.round(value * 100) / 100) : value;
      if (node.getAttribute(name) !== shown) node.setAttribute(name, shown);
    }
    if (text !== null && node.textContent !== text) node.textContent = text;
    return node;
  }

  text(key, x, y, words, cls = "", anchor = "start", layer = "over") {
    return this.node(key, "text", { x, y, class: `ck-text ${cls}`, "text-anchor": anchor }, words, layer);
  }

  /** A line through pairs [x0, y0, x1, y1, …]; a gap where one is no number. */
  line(key, pairs, cls, layer = "inside") {
    let d = "", pen = false;
    for (let i = 0; i + 1 < pairs.length; i += 2) {
      const a = pairs[i], b = pairs[i + 1];
      if (!Number.isFinite(a) || !Number.isFinite(b) || (this.ylog && !(b > 0)) || (this.xlog && !(a > 0))) { pen = false; continue; }
      d += `${pen ? "L" : "M"}${this.x(a).toFixed(1)} ${this.y(b).toFixed(1)}`;
      pen = true;
    }
    return this.node(key, "path", { d: d || "M0 0", class: cls }, null, layer);
  }

  dot(key, x, y, r, cls, layer = "over") {
    return this.node(key, "circle", { cx: this.x(x), cy: this.y(y), r, class: cls }, null, layer);
  }

  axes({ xcount, ycount, grid = true } = {}) {
    const [[a, b], [c, d]] = this.box;
    const across = xcount ?? Math.max(2, Math.floor(this.wide / 70)), up = ycount ?? Math.max(2, Math.floor(this.high / 46));
    const bottom = this.top + this.high;
    (this.xlog ? powersBetween(a, b, across) : ticks(a, b, across)).forEach((v, k) => {
      if (grid) this.node(`gx${k}`, "line", { x1: this.x(v), x2: this.x(v), y1: this.top, y2: bottom, class: "ck-grid" }, null, "axes");
      this.text(`tx${k}`, this.x(v), bottom + 16, power(v, 3), "ck-tick", "middle", "axes");
    });
    (this.ylog ? powersBetween(c, d, up) : ticks(c, d, up)).forEach((v, k) => {
      if (grid) this.node(`gy${k}`, "line", { y1: this.y(v), y2: this.y(v), x1: this.left, x2: this.left + this.wide, class: "ck-grid" }, null, "axes");
      this.text(`ty${k}`, this.left - 6, this.y(v) + 4, power(v, 3), "ck-tick", "end", "axes");
    });
    this.names();
    return this;
  }

  names() {
    const bottom = this.top + this.high;
    if (this.xname) this.text("xname", this.left + this.wide, bottom + 31, this.xname, "ck-name", "end", "axes");
    if (this.yname) this.text("yname", 2, this.top - 8, this.yname, "ck-name", "start", "axes");
  }

  /**
   * Something to take hold of, at data place (x, y): `move(x, y)` while it is dragged, `nudge(dx, dy, size)` for arrow keys,
   * in steps of a hundredth of the view (Shift: a tenth).
   */
  handle(key, { x, y, label, now, text, move, nudge, done, cls = "", shape = "circle" }) {
    const made = this.nodes.has(key);
    const group = this.node(key, "g", { class: `ck-handle ${cls}`, tabindex: "0", role: "slider", "aria-label": label }, null, "handles");
    group.actions = { move, nudge, done };
    group.setAttribute("aria-valuenow", Number.isFinite(now) ? String(now) : "0");
    group.setAttribute("aria-valuetext", text);
    group.setAttribute("transform", `translate(${this.x(x).toFixed(1)} ${this.y(y).toFixed(1)})`);
    if (made) return group;
    const hit = group.appendChild(document.createElementNS(SVG, "circle"));
    hit.setAttribute("r", 22);
    hit.setAttribute("class", "ck-hit");
    const seen = group.appendChild(document.createElementNS(SVG, shape === "circle" ? "circle" : "path"));
    if (shape === "circle") seen.setAttribute("r", 7.5);
    else seen.setAttribute("d", shape);
    seen.setAttribute("class", "ck-knob");
    grab(group, (event) => group.actions.move?.(...this.back(event), event), () => group.actions.done?.());
    group.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (!way) { group.actions.key?.(event); return; }
      event.preventDefault();
      group.actions.nudge?.(way[0], way[1], event.shiftKey ? 0.1 : 0.01);
      group.actions.done?.();
    });
    return group;
  }
}

/** Pointer drags on a node: `move` at the press and while it moves, `done` at the end. */
export function grab(node, move, done = () => {}) {
  let held = null;
  node.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    held = event.pointerId;
    node.setPointerCapture(held);
    node.focus?.({ preventScroll: true });
    event.preventDefault();
    event.stopPropagation();
    move(event);
  });
  node.addEventListener("pointermove", (event) => { if (event.pointerId === held) move(event); });
  const end = (event) => { if (event.pointerId === held) { held = null; done(event); } };
  node.addEventListener("pointerup", end);
  node.addEventListener("pointercancel", end);
}

/**
 * Presses on a figure, beside its handles. A mouse or pen acts at once and may drag; a finger may be about to scroll, so that
 * it acts when it is lifted where it came down.
 */
export function press(node, move, done = () => {}) {
  let from = null;
  const away = (event) => event.button || event.target.closest(".ck-handle");
  node.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch" && !away(event)) from = [event.clientX, event.clientY];
  });
  node.addEventListener("pointercancel", () => { from = null; });
  node.addEventListener("pointerup", (event) => {
    if (from && Math.hypot(event.clientX - from[0], event.clientY - from[1]) < 10) { move(event); done(event); }
    from = null;
  });
  let held = null;
  node.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch" || away(event)) return;
    held = event.pointerId;
    node.setPointerCapture(held);
    event.preventDefault();
    move(event);
  });
  node.addEventListener("pointermove", (event) => { if (event.pointerId === held) move(event); });
  const end = (event) => { if (event.pointerId === held) { held = null; done(event); } };
  node.addEventListener("pointerup", end);
  node.addEventListener("pointercancel", end);
}

let ids = 0;

/** A slider with its name and its value; on a log scale the element's own value is the exponent. */
export function slider({ label, min, max, step = 0.01, value, log = false, show = (v) => number(v), change, cls = "" }) {
  const id = `ck-${++ids}`;
  const input = el("input", { type: "range", id, min: log ? Math.log10(min) : min, max: log ? Math.log10(max) : max, step });
  const output = el("output", { for: id });
  const track = el("div", { class: "ck-track" }, input);
  const node = el("div", { class: `ck-slider ${cls}` }, el("label", { for: id }, label), track, output);
  const read = () => (log ? 10 ** Number(input.value) : Number(input.value));
  node.set = (v) => {
    input.value = log ? Math.log10(v) : v;
    output.textContent = show(v);
    input.setAttribute("aria-valuetext", show(v));
  };
  /** Where a value lies on the track, from 0 to 1. */
  node.place = (v) => {
    const [a, b] = [Number(input.min), Number(input.max)];
    return ((log ? Math.log10(v) : v) - a) / (b - a);
  };
  node.track = track;
  node.input = input;
  input.addEventListener("input", () => { const v = read(); output.textContent = show(v); input.setAttribute("aria-valuetext", show(v)); change(v); });
  node.set(value);
  return node;
}

/** A button that copies what `text()` gives, and says so. */
export function copier(label, text) {
  const button = el("button", { type: "button", class: "ck-button" }, label);
  button.addEventListener("click", async () => {
    const words = text();
    if (!words) return;
    try { await navigator.clipboard.writeText(words); button.textContent = "Copied"; } catch {
      const area = el("textarea", { class: "ck-away", readonly: true });
      area.value = words;
      document.body.append(area);
      area.select();
      button.textContent = document.execCommand("copy") ? "Copied" : "Copying is blocked here";
      area.remove();
    }
    setTimeout(() => { button.textContent = label; }, 1400);
  });
  return button;
}

/** The state in the link, if there is one that can be read. */
export function linked() {
  try { return JSON.parse(decodeURIComponent(location.hash.slice(1))); } catch { return null; }
}

/** Call when the reader pauses: what is asked meanwhile would only make the next answer late. */
export function calmly(call, pause = 160) {
  let timer = null;
  return () => { clearTimeout(timer); timer = setTimeout(call, pause); };
}

/** From a handler's start to the drawing: the last few hundred, for whoever measures. */
export class Stopwatch {
  constructor() { this.times = []; }
  start() { this.from ??= performance.now(); }
  stop() {
    if (this.from === undefined) return;
    this.times.push(performance.now() - this.from);
    if (this.times.length > 600) this.times.shift();
    this.from = undefined;
  }
}
