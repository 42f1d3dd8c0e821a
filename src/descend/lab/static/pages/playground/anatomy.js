// One step taken apart: the gradient it saw, the momentum, v as a square whose area is v, and the step that comes of it.
import { h } from "../../controls.js";
import { number } from "../../format.js";
import { COLOURS, arrow, css, prepared } from "../../plot/plane.js";

const PARTS = [
  ["gradient", "−gradient", "downhill, as steep as it is here"],
  ["momentum", "−momentum", "downhill, as the gradients it remembers say"],
  ["square", "v", "the squares it remembers: the area of each square is v"],
  ["update", "step", "where it goes"],
];

export class Anatomy {
  constructor() {
    this.title = h("h2", { class: "ds-small" });
    this.cells = PARTS.map(([key, name, about]) => {
      const canvas = h("canvas", { "aria-hidden": "true" }), words = h("figcaption", {});
      return { key, name, canvas, words, figure: h("figure", { title: about }, canvas, words) };
    });
    this.note = h("p", { class: "ds-doctor" });
    this.element = h("section", { class: "ds-anatomy", "aria-label": "Anatomy of one step" }, this.title, h("div", { class: "ds-parts" }, this.cells.map((c) => c.figure)), this.note);
  }

  show(told, title) {
    this.told = told;
    this.title.textContent = `${title}, step ${told.step} → ${told.step + 1}, taken apart`;
    this.draw();
  }

  draw() {
    const { told } = this;
    if (!told) return;
    const colour = css(COLOURS[told.k]);
    for (const { key, name, canvas, words, figure } of this.cells) {
      const part = key === "momentum" || key === "square" ? told[key] : { value: told[key] };
      figure.classList.toggle("ds-none", !part);
      const label = part?.name && part.name !== name ? `${name} ${part.name}` : name;
      const value = part && (key === "gradient" || key === "momentum") ? part.value.map((v) => -v) : part?.value;
      words.replaceChildren(h("strong", {}, label), ` ${part ? vector(value) : "none kept"}`);
      const size = canvas.clientWidth;
      if (!size) continue;
      const context = prepared(canvas, size, size);
      if (!part || told.variables.length > 2) continue;
      if (key === "square") squares(context, size, part.value, told.variables, colour);
      else this.arrow(context, size, value, key, colour);
    }
    this.note.textContent = told.variables.length > 2 ? "Arrows need one or two variables; the numbers are those of the step." : "";
  }

  /** Arrows share a scale with the longest of their kind: gradient and momentum with each other, the step by itself. */
  arrow(context, size, [x, y = 0], key, colour) {
    const { told } = this, middle = size / 2;
    const kin = key === "update" ? [told.update] : [told.gradient, told.momentum?.value ?? [0]];
    const longest = Math.max(...kin.map((v) => Math.hypot(...v))) || 1;
    context.strokeStyle = css("--faint");
    context.beginPath();
    context.moveTo(middle, 4);
    context.lineTo(middle, size - 4);
    context.moveTo(4, middle);
    context.lineTo(size - 4, middle);
    context.stroke();
    context.strokeStyle = context.fillStyle = key === "gradient" ? css("--soft") : colour;
    context.lineWidth = 2.4;
    const reach = (0.44 * size) / longest;
    if (Number.isFinite(reach * x) && Number.isFinite(reach * y)) arrow(context, middle, middle, middle + x * reach, middle - y * reach, 10);
  }
}

/** Squares side by side, the larger filling its place. */
function squares(context, size, values, variables, colour) {
  const room = (size - 12) / values.length, largest = Math.max(...values.map((v) => Math.sqrt(Math.max(v, 0)))) || 1;
  context.font = `12px ${css("--font")}`;
  values.forEach((v, i) => {
    const side = ((room - 8) * Math.sqrt(Math.max(v, 0))) / largest, x = 6 + i * room, y = size - 20 - side;
    context.fillStyle = colour;
    context.globalAlpha = 0.28;
    context.fillRect(x, y, side, side);
    context.globalAlpha = 1;
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.strokeRect(x, y, side, side);
    context.fillStyle = css("--soft");
    context.fillText(variables[i] ?? "", x, size - 6);
  });
}

const vector = (values) => (values.length === 1 ? number(values[0]) : `(${values.map((v) => number(v)).join(", ")})`);
