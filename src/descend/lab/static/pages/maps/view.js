// The map itself: its picture, its axes, the predicted limit and the regimes over it, and pointing, zooming, dragging.
import { css, prepared } from "../../plot/plane.js";
import { Raster, sameAxes } from "./raster.js";
import { superscript } from "../../format.js";
import { exact } from "./scale.js";

const MARGIN = { left: 58, right: 18, top: 8, bottom: 48 };
const SVG = "http://www.w3.org/2000/svg";

export class MapView {
  constructor(stage, owner) {
    this.stage = stage;
    this.owner = owner;
    [this.raster, this.overlay] = stage.querySelectorAll("canvas");
    this.svg = stage.querySelector("svg");
    this.square = stage.querySelector(".ds-map-square");
    this.bar = stage.querySelector(".ds-map-progress");
    this.shown = []; // rasters, the newest last
    this.marks = { limit: null, labels: [] };
    this.rectangle = null;
    this.pointers = new Map();
    this.listen();
  }

  // -- what is shown

  setScales(scales, fresh) {
    if (fresh || !sameAxes(this.scales, scales)) this.shown = [];
    else this.shown = this.shown.slice(-1);
    this.scales = scales;
    this.redraw();
  }

  /** A coarse image of a new view is drawn once it is finer than what the view before shows of it. */
  frame(frame, scales) {
    if (scales !== this.scales) return;
    const raster = new Raster(frame, scales);
    const base = this.shown[0];
    if (base && base.scales === scales) this.shown = [raster];
    else if (base && frame.done < 1 && raster.coarseness(scales) > base.coarseness(scales)) return;
    else this.shown = frame.done < 1 ? [base, raster].filter(Boolean) : [raster];
    this.redrawRaster();
  }

  over(marks) {
    this.marks = marks;
    this.redrawOver();
  }

  busy(part) {
    this.bar.hidden = part === null;
    this.stage.setAttribute("aria-busy", String(part !== null));
    this.bar.firstElementChild.style.setProperty("width", `${Math.max(4, 100 * (part ?? 0))}%`);
  }

  // -- drawing

  redraw() {
    const side = this.stage.clientWidth;
    if (!side || !this.scales) return;
    this.width = side - MARGIN.left - MARGIN.right;
    this.height = this.stage.clientHeight - MARGIN.top - MARGIN.bottom;
    for (const element of [this.raster, this.overlay, this.square, this.bar]) { // CSSOM: the page's headers forbid style attributes
      element.style.setProperty("left", `${MARGIN.left}px`);
      element.style.setProperty("top", `${MARGIN.top}px`);
      element.style.setProperty("width", `${this.width}px`);
      if (element !== this.bar) element.style.setProperty("height", `${this.height}px`);
    }
    this.redrawRaster();
    this.redrawOver();
    this.drawAxes();
  }

  redrawRaster() {
    if (!this.width) return;
    const context = prepared(this.raster, this.width, this.height);
    context.fillStyle = css("--faint");
    context.fillRect(0, 0, this.width, this.height);
    for (const raster of this.shown) raster.draw(context, this.scales, this.width, this.height);
  }

  place([x, y]) {
    return [this.scales[0].part(x) * this.width, (1 - this.scales[1].part(y)) * this.height];
  }

  redrawOver() {
    if (!this.width) return;
    const context = prepared(this.overlay, this.width, this.height);
    this.drawLabels(context);
    this.drawLimit(context);
    const { now, cell } = this.owner;
    if (now?.at) this.drawPin(context, this.place(now.at));
    if (cell) this.drawHair(context, cell);
    if (this.rectangle) this.drawRectangle(context);
  }

  drawLabels(context) {
    context.textAlign = "center";
    context.textBaseline = "middle";
    const size = Math.max(12, Math.min(16, this.width / 36));
    context.font = `600 ${size}px ${css("--font")}`;
    for (const { word, at, room } of this.marks.labels) {
      if (context.measureText(word).width > 1.6 * room * this.width) continue;
      const half = context.measureText(word).width / 2 + 6;
      const x = Math.min(this.width - half, Math.max(half, at[0] * this.width));
      let y = (1 - at[1]) * this.height;
      const pin = this.owner.now?.at && this.place(this.owner.now.at);
      if (pin && Math.abs(pin[0] - x) < half + 10 && Math.abs(pin[1] - y) < 20) y = pin[1] - 26;
      haloed(context, word, x, y, word === "divergence" ? "rgb(255 255 255 / .82)" : "#fff");
    }
  }

  drawLimit(context) {
    const { limit } = this.marks;
    if (!limit || limit.length < 4) return;
    const points = [];
    for (let i = 0; i < limit.shape[0]; i++) points.push(this.place([limit[2 * i], limit[2 * i + 1]]));
    const path = new Path2D();
    points.forEach(([x, y], i) => (i ? path.lineTo(x, y) : path.moveTo(x, y)));
    context.lineWidth = 4;
    context.strokeStyle = "rgb(0 0 0 / .55)";
    context.stroke(path);
    context.setLineDash([8, 5]);
    context.lineWidth = 2;
    context.strokeStyle = "#7fd4ff";
    context.stroke(path);
    context.setLineDash([]);
    let inside = [], run = []; // its longest stretch within the frame carries the name
    for (const [x, y] of points) {
      if (x > 24 && x < this.width - 24 && y > 24 && y < this.height - 24) run.push([x, y]);
      else run = [];
      if (run.length > inside.length) inside = [...run];
    }
    context.font = `13px ${css("--font")}`;
    const room = inside.length > 1 ? Math.hypot(inside.at(-1)[0] - inside[0][0], inside.at(-1)[1] - inside[0][1]) : 0;
    if (room < context.measureText(this.marks.name).width) return;
    const k = Math.floor(inside.length / 2), [a, b] = [inside[Math.max(0, k - 1)], inside[Math.min(inside.length - 1, k + 1)]];
    let angle = Math.atan2(b[1] - a[1], b[0] - a[0]);
    if (Math.abs(angle) > Math.PI / 2) angle += angle > 0 ? -Math.PI : Math.PI;
    context.save();
    context.translate(...inside[k]);
    context.rotate(angle);
    context.font = `13px ${css("--font")}`;
    context.textAlign = "center";
    haloed(context, this.marks.name, 0, 14, "#7fd4ff");
    context.restore();
  }

  drawPin(context, [x, y]) {
    if (x < 0 || y < 0 || x > this.width || y > this.height) return;
    for (const [style, wide] of [["rgb(0 0 0 / .8)", 5], ["#fff", 2.4]]) {
      context.strokeStyle = style;
      context.lineWidth = wide;
      context.beginPath();
      context.arc(x, y, 7, 0, 7);
      context.stroke();
    }
  }

  drawHair(context, cell) {
    const x = ((cell[0] + 0.5) / this.scales[0].count) * this.width, y = (1 - (cell[1] + 0.5) / this.scales[1].count) * this.height;
    for (const [style, wide] of [["rgb(0 0 0 / .45)", 3], ["rgb(255 255 255 / .9)", 1]]) {
      context.strokeStyle = style;
      context.lineWidth = wide;
      context.beginPath();
      for (const [from, to] of [[0, x - 9], [x + 9, this.width]]) { context.moveTo(from, y); context.lineTo(to, y); }
      for (const [from, to] of [[0, y - 9], [y + 9, this.height]]) { context.moveTo(x, from); context.lineTo(x, to); }
      context.stroke();
    }
    if (this.rectangle) return;
    const told = [cell.map((c, k) => `${this.scales[k].name} ${exact(this.scales[k].value((c + 0.5) / this.scales[k].count), this.scales[k])}`).join(", "), this.owner.value(cell)];
    context.font = `12.5px ${css("--font")}`;
    context.textBaseline = "middle";
    const lines = told.filter(Boolean);
    const wide = Math.max(...lines.map((t) => context.measureText(t).width)) + 16, high = 18 * lines.length + 8;
    const left = x + 14 + wide < this.width ? x + 14 : Math.max(4, x - 14 - wide), top = y - 14 - high > 0 ? y - 14 - high : y + 14;
    context.fillStyle = "rgb(18 20 26 / .86)";
    context.beginPath();
    context.roundRect(left, top, wide, high, 5);
    context.fill();
    context.fillStyle = "#fff";
    context.textAlign = "left";
    lines.forEach((text, k) => context.fillText(text, left + 8, top + 13 + 18 * k));
  }

  drawRectangle(context) {
    const { from, to } = this.rectangle;
    const [x, y, w, h] = [Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.abs(from[0] - to[0]), Math.abs(from[1] - to[1])];
    context.fillStyle = "rgb(0 0 0 / .35)";
    context.beginPath();
    context.rect(0, 0, this.width, this.height);
    context.rect(x, y, w, h);
    context.fill("evenodd");
    context.strokeStyle = "#fff";
    context.lineWidth = 1.5;
    context.strokeRect(x, y, w, h);
  }

  drawAxes() {
    const { svg, width, height } = this;
    svg.replaceChildren();
    const text = (x, y, words, anchor, turned = false, kind = "") => {
      const made = document.createElementNS(SVG, "text");
      made.setAttribute("x", x);
      made.setAttribute("y", y);
      made.setAttribute("text-anchor", anchor);
      if (kind) made.setAttribute("class", kind);
      if (turned) made.setAttribute("transform", `rotate(-90 ${x} ${y})`);
      made.textContent = words;
      svg.append(made);
    };
    const line = (x1, y1, x2, y2) => {
      const made = document.createElementNS(SVG, "path");
      made.setAttribute("d", `M${x1} ${y1}L${x2} ${y2}`);
      svg.append(made);
    };
    const bottom = MARGIN.top + height;
    const [x, y] = this.scales.map((scale, k) => scale.ticks(k ? Math.max(3, height / 90) : Math.max(3, width / 95)));
    let free = -1e9;
    for (const tick of x.ticks) {
      const at = MARGIN.left + tick.part * width;
      line(at, bottom, at, bottom + 5);
      if (at - free < 9 + 3.5 * tick.text.length) continue;
      text(at, bottom + 19, tick.text, "middle");
      free = at + 3.5 * tick.text.length;
    }
    for (const tick of y.ticks) {
      const at = MARGIN.top + (1 - tick.part) * height;
      line(MARGIN.left - 5, at, MARGIN.left, at);
      text(MARGIN.left - 8, at + 4, tick.text, "end");
    }
    const named = (scale, base) => scale.name + (base ? ` − ${exact(base.value)}${base.power ? `, in 10${superscript(base.power)}` : ""}` : "");
    text(MARGIN.left + width / 2, bottom + 40, named(this.scales[0], x.base), "middle", false, "ds-map-name");
    text(13, MARGIN.top + height / 2, named(this.scales[1], y.base), "middle", true, "ds-map-name");
  }

  // -- pointing, dragging, keys

  listen() {
    const { square, owner } = this;
    square.addEventListener("pointerdown", (event) => this.down(event));
    square.addEventListener("pointermove", (event) => this.move(event));
    square.addEventListener("pointerup", (event) => this.up(event));
    square.addEventListener("pointercancel", (event) => this.cancel(event));
    square.addEventListener("pointerleave", () => { if (!this.pointers.size && !square.matches(":focus-visible")) owner.point(null); });
    square.addEventListener("dblclick", (event) => owner.zoomAbout(2, this.parts(event)));
    square.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // an ordinary wheel scrolls the page
      event.preventDefault();
      clearTimeout(this.wheeling);
      this.wheel = (this.wheel ?? 1) * Math.exp(event.deltaY / 300);
      const about = this.parts(event);
      this.wheeling = setTimeout(() => { owner.zoomAbout(Math.min(8, Math.max(0.125, this.wheel)), about); this.wheel = 1; }, 90);
    }, { passive: false });
    square.addEventListener("keydown", (event) => this.key(event));
    square.addEventListener("blur", () => { if (!square.matches(":hover")) owner.point(null); });
  }

  spot(event) {
    const box = this.square.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  parts(event) {
    const [x, y] = this.spot(event);
    return [x / this.width, 1 - y / this.height];
  }

  cellAt(event) {
    return this.parts(event).map((part, k) => this.scales[k].cell(part));
  }

  down(event) {
    if (event.button > 0) return;
    this.square.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.spot(event));
    if (this.pointers.size === 2) { this.rectangle = null; this.pinch = { from: [...this.pointers.values()].map((p) => [...p]) }; return; }
    if (event.pointerType === "touch") this.owner.point(this.cellAt(event));
    else this.rectangle = { from: this.spot(event), to: this.spot(event) };
  }

  move(event) {
    if (!this.scales) return;
    if (this.pointers.has(event.pointerId)) this.pointers.set(event.pointerId, this.spot(event));
    if (this.pinch) return;
    if (this.rectangle) {
      const [x, y] = this.spot(event);
      this.rectangle.to = [Math.min(this.width, Math.max(0, x)), Math.min(this.height, Math.max(0, y))];
    }
    const cell = this.cellAt(event);
    if (this.rectangle) this.redrawOver();
    this.owner.point(cell);
  }

  up(event) {
    const spots = [...this.pointers.values()];
    this.pointers.delete(event.pointerId);
    if (this.pinch) {
      if (spots.length === 2) this.pinched(spots);
      if (!this.pointers.size) this.pinch = null;
      return;
    }
    const drag = this.rectangle;
    this.rectangle = null;
    if (drag && Math.abs(drag.to[0] - drag.from[0]) > 6 && Math.abs(drag.to[1] - drag.from[1]) > 6) {
      const x = [drag.from[0], drag.to[0]].sort((a, b) => a - b).map((v) => v / this.width);
      const y = [drag.from[1], drag.to[1]].map((v) => 1 - v / this.height).sort((a, b) => a - b);
      this.owner.zoomTo([x, y]);
      this.redrawOver(); // a zoom that is refused leaves no rectangle behind
      return;
    }
    this.owner.pin(this.cellAt(event));
    this.redrawOver();
  }

  /** Two fingers moved: what was between them is between them again. */
  pinched(spots) {
    const middle = (pair) => [0, 1].map((k) => (pair[0][k] + pair[1][k]) / 2);
    const apart = (pair) => Math.hypot(pair[0][0] - pair[1][0], pair[0][1] - pair[1][1]);
    const factor = Math.min(8, Math.max(0.05, apart(this.pinch.from) / Math.max(apart(spots), 1)));
    const [a, b] = [middle(this.pinch.from), middle(spots)];
    const left = a[0] - b[0] * factor, top = a[1] - b[1] * factor;
    const x = [left / this.width, left / this.width + factor];
    const y = [1 - (top / this.height + factor), 1 - top / this.height];
    if (Math.abs(factor - 1) > 0.03 || Math.hypot(a[0] - b[0], a[1] - b[1]) > 8) this.owner.zoomTo([x, y]);
  }

  cancel(event) {
    this.pointers.delete(event.pointerId);
    this.rectangle = null;
    if (!this.pointers.size) this.pinch = null;
    this.redrawOver();
  }

  key(event) {
    if (event.altKey || event.metaKey || event.ctrlKey) return;
    const { owner, scales } = this;
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    if (moves[event.key]) {
      const from = owner.cell ?? owner.now.at?.map((v, k) => scales[k].cell(scales[k].part(v))) ?? scales.map((s) => s.count >> 1);
      const cell = from.map((c, k) => {
        const far = event.shiftKey ? 1 : Math.max(1, Math.round(scales[k].count / 64));
        return Math.min(scales[k].count - 1, Math.max(0, c + far * moves[event.key][k]));
      });
      owner.point(cell);
    } else if (event.key === "Enter") owner.pin();
    else if (event.key === "+" || event.key === "=") owner.zoomAbout(0.5);
    else if (event.key === "-" || event.key === "_") owner.zoomAbout(2);
    else if (event.key === "Backspace") owner.back();
    else if (event.key === "Escape") {
      if (this.rectangle) { this.rectangle = null; this.redrawOver(); } else if (owner.cell) owner.point(null); else owner.back();
    } else return;
    event.preventDefault();
  }
}

function haloed(context, text, x, y, colour) {
  context.lineJoin = "round";
  context.lineWidth = 4;
  context.strokeStyle = "rgb(0 0 0 / .6)";
  context.strokeText(text, x, y);
  context.fillStyle = colour;
  context.fillText(text, x, y);
}
