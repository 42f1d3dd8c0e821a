// One descent of the map, drawn: its path on the contours, its loss, its regime in words.
import { css, drawGround, levelsOf, prepared, viewOf } from "../../plot/plane.js";
import { number, superscript } from "../../format.js";
import { exact } from "./scale.js";

const HUGE = 1e5;
const clamp = (v) => Math.max(-HUGE, Math.min(HUGE, v));

export class RunView {
  /** `place` holds the panel; `transport` asks for the ground. */
  constructor(place, transport) {
    this.place = place;
    this.transport = transport;
    this.ground = place.querySelector(".ds-map-ground");
    [this.under, this.over] = this.ground.querySelectorAll("canvas");
    this.curve = place.querySelector(".ds-map-curve canvas");
    this.shapes = null;
    this.frame = null;
  }

  /** The objective changed: fetch its contours over `box`, or show none. */
  async setGround(objective, choices) {
    this.choices = choices;
    this.box = choices.box;
    this.shapes = null;
    this.ground.hidden = !this.box;
    if (!this.box) { this.redraw(); return; }
    const frame = await this.transport.ask("map_ground", "ground", { objective, box: this.box });
    if (!frame || frame.error || this.choices !== choices) return;
    this.shapes = levelsOf(frame);
    this.redraw();
  }

  show(frame, scales, { pinned, first, lowest }) {
    this.frame = frame;
    this.scales = scales;
    this.range = { first, lowest };
    const set = (name, text) => { this.place.querySelector(name).textContent = text; };
    set(".ds-map-which", pinned ? "The pinned descent" : "The descent under the pointer");
    const word = this.place.querySelector(".ds-map-regime");
    word.textContent = frame.regime;
    word.dataset.outcome = frame.outcome;
    set(".ds-map-sentence", frame.sentence);
    set(".ds-map-message", frame.message === frame.sentence ? "" : frame.message);
    const at = frame.at.map((v, k) => [scales[k].name, exact(v, scales[k])]);
    const rest = Object.entries(frame.fixed).map(([k, v]) => [k, exact(v)]);
    const list = this.place.querySelector(".ds-map-values");
    list.replaceChildren(...at.map(([k, v]) => pair(k, v, true)), ...rest.map(([k, v]) => pair(k, v, false)));
    this.directions(frame);
    this.redraw();
  }

  directions(frame) {
    const table = this.place.querySelector(".ds-map-modes");
    table.hidden = frame.directions.length < 1;
    const rows = frame.directions.map((d) => {
      const row = document.createElement("tr");
      const turn = d.turn ? `, a turn in ${number(d.turn)} steps` : "";
      for (const text of [d.name, number(d.curvature, 4), number(d.factor, 4), d.word + turn]) row.append(cell(text));
      return row;
    });
    table.tBodies[0].replaceChildren(...rows);
  }

  redraw() {
    this.drawGround();
    if (!this.frame) return;
    this.drawPath();
    this.drawCurve();
  }

  drawGround() {
    if (this.ground.hidden || !this.box) return;
    const { clientWidth: width, clientHeight: height } = this.ground;
    if (!width) return;
    this.view = viewOf(this.box, width, height);
    const context = prepared(this.under, width, height);
    if (this.shapes) drawGround(context, this.view, this.shapes);
  }

  drawPath() {
    if (this.ground.hidden || !this.view) return;
    const { view, frame } = this;
    const context = prepared(this.over, view.width, view.height);
    for (const minimum of this.choices.minima) cross(context, view.x(minimum[0]), view.y(minimum[1]));
    const points = frame.arrays.points;
    if (!points || points.shape[1] !== 2) return;
    const n = points.shape[0];
    const at = (i) => [clamp(view.x(points[2 * i])), clamp(view.y(points[2 * i + 1]))];
    const line = new Path2D();
    let last = 0;
    for (let i = 0; i < n; i++) {
      const [x, y] = at(i);
      if (!Number.isFinite(x + y)) break;
      if (i) line.lineTo(x, y); else line.moveTo(x, y);
      last = i;
    }
    context.lineJoin = "round";
    for (const [style, wide] of [[css("--page"), 4], [css("--run-1"), 1.8]]) {
      context.strokeStyle = style;
      context.lineWidth = wide;
      context.globalAlpha = wide > 2 ? 0.55 : 1;
      context.stroke(line);
    }
    context.globalAlpha = 1;
    context.fillStyle = css("--run-1");
    for (let i = 1; i < Math.min(last + 1, 120); i++) dot(context, ...at(i), i > 40 ? 1.6 : 2.4);
    context.fillStyle = css("--page");
    context.strokeStyle = css("--ink");
    context.lineWidth = 2;
    dot(context, ...at(0), 5, true);
    context.fillStyle = css("--ink");
    if (frame.outcome !== "diverged" && frame.outcome !== "failed") dot(context, ...at(last), 3.5);
  }

  /** The loss above the minimum, on a log axis whose range belongs to the map, so that runs can be compared. */
  drawCurve() {
    const canvas = this.curve, frame = this.frame;
    const { clientWidth: width, clientHeight: height } = canvas.parentElement;
    if (!width) return;
    const context = prepared(canvas, width, height);
    const loss = frame.arrays.loss, n = loss.length;
    const floor = frame.minimum ?? 0;
    const first = Math.max(Math.abs(loss[0] - floor), 1e-300);
    const log = frame.minimum !== null || loss.every((v) => !(v <= 0));
    let low = first, high = first;
    for (const v of loss) if (Number.isFinite(v)) { low = Math.min(low, v - floor); high = Math.max(high, v - floor); }
    const area = { left: 50, right: width - 10, top: 22, bottom: height - 26 };
    let place;
    if (log) {
      const least = Math.max(Math.min(this.range.lowest ?? low, low), first * 1e-17, 1e-290);
      const [a, b] = [Math.floor(Math.log10(least) - 0.01), Math.ceil(Math.log10(first) + 1)];
      place = (v) => area.bottom - ((Math.log10(Math.max(v - floor, 1e-300)) - a) / (b - a)) * (area.bottom - area.top);
      const every = Math.max(1, Math.ceil((b - a) / 4));
      const ticks = [];
      for (let p = Math.ceil(a / every) * every; p <= b; p += every) ticks.push([floor + 10 ** p, p === 0 ? "1" : p === 1 ? "10" : `10${superscript(p)}`]);
      axis(context, area, ticks, place);
    } else {
      const top = Math.min(high, low + 3 * (first - low || 1)), pad = 0.06 * (top - low || 1);
      const [a, b] = [low - pad, top + pad];
      place = (v) => area.bottom - ((v - a) / (b - a)) * (area.bottom - area.top);
      axis(context, area, [low, (low + top) / 2, top].map((v) => [v, number(v)]), place);
    }
    words(context, area, n, frame.minimum ? `loss − ${number(frame.minimum, 4)}` : "loss");
    context.save();
    context.beginPath();
    context.rect(area.left, area.top - 8, area.right - area.left + 2, area.bottom - area.top + 9);
    context.clip();
    context.strokeStyle = css("--run-1");
    context.lineWidth = 1.8;
    context.lineJoin = "round";
    context.beginPath();
    for (let i = 0; i < n; i++) {
      const x = area.left + (i / Math.max(n - 1, 1)) * (area.right - area.left);
      const y = Number.isFinite(loss[i]) ? clamp(place(loss[i])) : -HUGE;
      if (i) context.lineTo(x, y); else context.moveTo(x, y);
      if (!Number.isFinite(loss[i])) break;
    }
    context.stroke();
    context.restore();
  }
}

function pair(name, value, axis) {
  const item = document.createElement("div");
  if (axis) item.className = "ds-map-own";
  const [term, text] = [document.createElement("dt"), document.createElement("dd")];
  term.textContent = name;
  text.textContent = value;
  item.append(term, text);
  return item;
}

function cell(text) {
  const made = document.createElement("td");
  made.textContent = text;
  return made;
}

function dot(context, x, y, radius, ring = false) {
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.fill();
  if (ring) context.stroke();
}

function cross(context, x, y) {
  context.lineCap = "round";
  for (const [style, wide] of [[css("--page"), 5], [css("--ink"), 2]]) {
    context.strokeStyle = style;
    context.lineWidth = wide;
    context.beginPath();
    context.moveTo(x - 6, y); context.lineTo(x + 6, y); context.moveTo(x, y - 6); context.lineTo(x, y + 6);
    context.stroke();
  }
}

function axis(context, area, ticks, place) {
  context.font = `12px ${css("--font")}`;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const [value, text] of ticks) {
    const y = place(value);
    if (y < area.top - 1 || y > area.bottom + 1) continue;
    context.strokeStyle = css("--faint");
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(area.left, Math.round(y) + 0.5); context.lineTo(area.right, Math.round(y) + 0.5);
    context.stroke();
    context.fillStyle = css("--soft");
    context.fillText(text, area.left - 7, y);
  }
}

function words(context, area, n, name) {
  context.fillStyle = css("--soft");
  context.textBaseline = "alphabetic";
  context.textAlign = "left";
  context.fillText(name, 4, 12);
  context.fillText("0", area.left, area.bottom + 18);
  context.textAlign = "right";
  context.fillText(`${(n - 1).toLocaleString("en-US")} steps`, area.right, area.bottom + 18);
}
