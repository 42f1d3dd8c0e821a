// The ground and the paths on it: contours for two variables, a curve with its tangents for one, coordinates for more.
import { h } from "../../controls.js";
import { number } from "../../format.js";
import { COLOURS, css, drawArrows, drawGround, levelsOf, prepared, viewOf } from "../../plot/plane.js";
import { drawCross, drawLabels, drawPath, drawSpot, pixels } from "../../plot/paths.js";
import { drawLevel, nearest } from "../../plot/levels.js";
import { drawCurveGround, drawTangents, stairs } from "./curve1d.js";
import { drawCoordinates } from "./coordinates.js";
import { Surface } from "./surface.js";

export class Figure {
  /** `page`: {start(point, rest), left(), hover({k, step} | null), valueAt(point) -> Promise} */
  constructor(page) {
    this.page = page;
    this.under = h("canvas", { "aria-hidden": "true" });
    this.line = h("canvas", { "aria-hidden": "true", hidden: true }); // the contour under the pointer
    this.over = h("canvas", { "aria-hidden": "true" });
    this.handle = h("div", { class: "ds-start", hidden: true, tabindex: "0", role: "slider", "aria-label": "Start point. Arrow keys move it, with Shift farther; plus and minus zoom, 0 shows everything." });
    this.tip = h("div", { class: "ds-tip", hidden: true });
    this.element = h("div", { class: "ds-plane", role: "group", "aria-label": "The ground and the paths on it" }, this.under, this.line, this.over, this.handle, this.tip);
    this.surface = new Surface(() => this.redraw());
    this.ground = null;
    this.frame = null;
    this.listen();
  }

  /** Kept, since reading it in mid-drag would force a layout. */
  get size() { return (this.measured ??= [this.element.clientWidth, this.element.clientHeight]); }

  resized() {
    this.measured = null;
    this.redrawGround();
  }

  get dimensions() { return this.ground?.dimensions ?? 2; }

  /** Take a `ground` answer, of which `box` is seen, or all. */
  stand(ground, box = null) {
    this.ground = ground;
    this.box = box;
    this.shapes = ground.box && ground.dimensions === 2 ? levelsOf(ground) : null;
    this.element.classList.toggle("ds-many", !ground.box);
    this.surface.stand(ground);
    this.redrawGround();
  }

  /** See this box of the ground, as far as it is known: what is missing has been asked for. */
  see(box) {
    this.box = box;
    this.told(null);
    this.redrawGround();
  }

  redrawGround() {
    const { ground, box } = this, [width, height] = this.size;
    if (!ground || !width) return;
    const context = prepared(this.under, width, height);
    this.view = ground.box ? viewOf(!box ? ground.box : ground.dimensions === 1 ? [box[0], ground.box[1]] : box, width, height) : null;
    this.pick(null);
    this.drawUnder(context);
    this.redraw();
  }

  drawUnder(context) {
    const { ground, view } = this;
    if (!view || this.solid) return;
    if (ground.dimensions === 1) drawCurveGround(context, view, ground);
    else {
      drawGround(context, view, this.shapes, ground.box);
      if (this.look?.arrows) drawArrows(context, view, ground);
    }
  }

  get solid() { return this.look?.surface && this.dimensions === 2; }

  /** Take a `run` answer and how to look at it: {names, at, chosen, arrows, surface, hidden}. */
  draw(frame, look) {
    const before = this.look;
    this.frame = frame;
    this.look = look;
    this.element.classList.toggle("ds-solid", Boolean(this.solid));
    if (this.solid) this.element.tabIndex = 0; else this.element.removeAttribute("tabindex");
    if (before && (before.arrows !== look.arrows || before.surface !== look.surface)) this.redrawGround();
    else this.redraw();
  }

  redraw() {
    const [width, height] = this.size;
    if (!width || !this.ground || !this.frame || !this.look) return;
    const context = prepared(this.over, width, height);
    this.drawOver(context, width, height);
    this.placeHandle();
  }

  drawOver(context, width, height) {
    const { ground, frame, look } = this;
    if (!ground.box) { drawCoordinates(context, width, height, frame, look); return; }
    if (this.solid) { this.surface.draw(context, width, height, frame, look, ground); return; }
    const { view } = this;
    const ink = css("--ink"), halo = css("--halo"), one = ground.dimensions === 1;
    const paths = look.hidden ? [] : frame.runs.map((_, k) => pixels(view, one ? stairs(frame, k) : frame.arrays[`points${k}`]));
    this.spots = paths.map((at, k) => (one ? pixels(view, onCurve(frame, k)) : at));
    if (one && !look.hidden) drawTangents(context, view, frame, look);
    const order = paths.map((_, k) => k).sort((a, b) => (a === look.chosen) - (b === look.chosen));
    const labels = [], avoid = [], gone = [];
    for (const k of order) {
      const upto = look.at ?? Infinity;
      gone[k] = drawPath(context, view, paths[k], k, css(COLOURS[k]), one ? 2 * upto : upto, one ? 2 : 1);
    }
    this.mark(context, view, labels, ink, halo, one);
    for (const k of order) {
      const at = this.spots[k], step = Math.min(look.at ?? Infinity, at.length / 2 - 1);
      const x = at[2 * step], y = at[2 * step + 1], colour = css(COLOURS[k]);
      if (x >= 0 && y >= 0 && x <= width && y <= height) {
        drawSpot(context, x, y, colour, halo);
        labels.push({ x, y, text: look.names[k], colour });
      } else if (gone[k]) {
        labels.push({ x: gone[k][2], y: gone[k][3], text: this.leaving(k), colour });
        for (let t = 0; t < 1; t += 0.05) avoid.push([gone[k][2] + t * (gone[k][0] - gone[k][2]), gone[k][3] + t * (gone[k][1] - gone[k][3])]);
      }
      for (let i = 0; i < at.length && i < 80; i += 2) avoid.push([at[i], at[i + 1]]);
    }
    drawLabels(context, view, labels, halo, `13px ${css("--font")}`, avoid.slice(-300));
    if (look.hover) this.spotlight(context, halo);
  }

  /** A run that leaves a view which somebody chose need not fly off. */
  leaving(k) {
    const stays = this.box && !["diverged", "failed"].includes(this.frame.runs[k].outcome);
    return stays ? this.look.names[k] : `${this.look.names[k]} flies off`;
  }

  mark(context, view, labels, ink, halo, one) {
    const { ground } = this;
    for (const point of ground.level?.points ?? []) {
      const x = view.x(point[0]), y = view.y(one ? heightAt(ground, point[0]) : point[1]);
      if (!(x >= 0 && y >= 0 && x <= view.width && y <= view.height)) continue;
      drawCross(context, x, y, ink, halo);
      if (labels.length < 2) labels.push({ x, y, text: ground.level.word === "minimum" ? "optimum" : ground.level.word, colour: ink });
    }
  }

  spotlight(context, halo) {
    const { k, step } = this.look.hover, at = this.spots?.[k];
    if (at && at[2 * step] !== undefined) drawSpot(context, at[2 * step], at[2 * step + 1], css(COLOURS[k]), halo, 7);
  }

  // -- the start point ------------------------------------------------------------------------------------------------------

  placeHandle() {
    const there = Boolean(this.view) && this.dimensions <= 2 && !this.solid;
    this.handle.hidden = !there;
    if (!there) return;
    const [x, y] = this.frame.start;
    const py = this.dimensions === 1 ? this.view.y(this.frame.arrays.loss0[0]) : this.view.y(y);
    const px = Math.min(Math.max(this.view.x(x), 0), this.view.width);
    this.handle.classList.toggle("ds-away", !(px === this.view.x(x) && py >= 0 && py <= this.view.height));
    this.handle.style.transform = `translate(${px}px, ${Math.min(Math.max(py, 0), this.view.height)}px)`;
    this.handle.setAttribute("aria-valuenow", number(x));
    this.handle.setAttribute("aria-valuetext", this.frame.variables.map((name, i) => `${name} ${number(this.frame.start[i])}`).join(", "));
  }

  listen() {
    const { element, handle } = this;
    let offset = [0, 0];
    const at = (event) => {
      const area = element.getBoundingClientRect();
      return [event.clientX - area.left, event.clientY - area.top];
    };
    const move = (event, rest) => {
      const [px, py] = at(event), point = this.view.back(px - offset[0], py - offset[1]);
      const digits = (v, i) => rounded(v, (this.view.box[i][1] - this.view.box[i][0]) / this.view.width);
      this.page.start(this.dimensions === 1 ? [digits(point[0], 0)] : point.map(digits), rest);
    };
    element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !this.view || !this.frame) return;
      if (this.solid) { this.surface.grab(event, element); return; }
      const onHandle = event.target === handle;
      if (event.pointerType !== "mouse" && !onHandle) return;
      const area = element.getBoundingClientRect(), box = handle.getBoundingClientRect();
      const centre = [box.left + box.width / 2 - area.left, box.top + box.height / 2 - area.top], here = at(event);
      offset = onHandle ? [here[0] - centre[0], here[1] - centre[1]] : [0, 0];
      this.dragging = true;
      element.setPointerCapture(event.pointerId);
      handle.focus({ preventScroll: true });
      this.told(null);
      move(event, false);
      event.preventDefault();
    });
    element.addEventListener("pointermove", (event) => {
      if (this.dragging) move(event, false);
      else if (event.buttons === 0 && !this.solid) this.point(at(event));
    });
    const end = (event) => {
      if (!this.dragging) return;
      this.dragging = false;
      move(event, true);
    };
    element.addEventListener("pointerup", end);
    element.addEventListener("pointercancel", () => this.release());
    element.addEventListener("click", (event) => {
      if (event.pointerType === "touch" && event.target !== handle && this.view && !this.solid) { offset = [0, 0]; move(event, true); }
    });
    element.addEventListener("pointerleave", () => this.point(null));
    handle.addEventListener("keydown", (event) => this.key(event));
    element.addEventListener("keydown", (event) => { if (this.solid) this.surface.key(event); });
  }

  /** A drag that ends without its pointer being lifted leaves the start where it is. */
  release() {
    if (this.dragging) this.page.left();
    this.dragging = false;
  }

  key(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[event.key];
    if (!way || !this.view) return;
    event.preventDefault();
    const far = event.shiftKey ? 0.1 : 0.01;
    const start = this.frame.start.map((v, i) => {
      const size = this.view.box[i][1] - this.view.box[i][0];
      const along = this.dimensions === 1 ? way[0] + way[1] : way[i];
      return rounded(v + along * far * size, size / this.view.width);
    });
    this.page.start(start, true);
  }

  // -- exact values under the pointer ---------------------------------------------------------------------------------------

  point(here) {
    if (!here || !this.view || !this.spots || !this.frame) { this.told(null); return; }
    let best = null;
    this.spots.forEach((at, k) => {
      for (let i = 0; i < at.length; i += 2) {
        const far = Math.hypot(at[i] - here[0], at[i + 1] - here[1]) - (k === this.look.chosen ? 1 : 0);
        if (far < 14 && (!best || far < best.far)) best = { far, k, step: i / 2 };
      }
    });
    this.told(best, here);
  }

  told(best, here) {
    this.here = here ?? null;
    const last = this.look?.hover;
    if ((best?.k !== last?.k || best?.step !== last?.step) && (best || last)) this.page.hover(best ? { k: best.k, step: best.step } : null);
    this.pick(best ? null : here);
    if (!here) { this.tip.hidden = true; return; }
    if (best) this.show(here, this.words(best.k, best.step), css(COLOURS[best.k]));
    else if (this.dimensions === 2) this.level(here);
    else this.tip.hidden = true;
  }

  /** The contour under the pointer stands out, with its level on it. */
  pick(here) {
    const { ground, view } = this;
    const found = here && view && this.shapes && !this.solid ? nearest(this.shapes, ground, view, here) : null;
    if (!found && this.line.hidden) return;
    this.line.hidden = !found;
    this.picked = found?.k ?? null;
    if (found) drawLevel(prepared(this.line, view.width, view.height), view, this.shapes[found.k], ground.levels[found.k], found);
  }

  /** Step, point, loss and gradient norm of one step. */
  words(k, step) {
    const { frame } = this, d = frame.variables.length, points = frame.arrays[`points${k}`];
    const where = frame.variables.map((name, i) => `${name} = ${number(points[d * step + i], 4)}`).join(", ");
    return [`${this.look.names[k]}, step ${step}`, where, `loss ${number(frame.arrays[`loss${k}`][step], 4)}`, `‖gradient‖ ${number(frame.arrays[`grad_norm${k}`][step], 4)}`];
  }

  /** The height under the pointer, exactly, and the contours it lies between. */
  async level(here) {
    const answer = await this.page.valueAt(this.view.back(...here));
    if (!answer || answer.error || answer.value === null || this.look.hover || this.here !== here) return;
    const levels = this.ground.arrays.levels, above = levels.findIndex((v) => v > answer.value);
    const names = this.ground.levels;
    const between = above < 0 ? `above the contour ${names.at(-1)}` : above === 0 ? `below the contour ${names[0]}` : `between the contours ${names[above - 1]} and ${names[above]}`;
    this.show(here, [`f = ${answer.text}`, levels.length ? between : ""], null);
  }

  show([x, y], lines, colour) {
    const [width] = this.size;
    this.tip.replaceChildren(...lines.filter(Boolean).map((line) => h("div", {}, line)));
    this.tip.style.borderColor = colour ?? "";
    this.tip.hidden = false;
    const left = x + 230 > width ? x - this.tip.offsetWidth - 14 : x + 14;
    this.tip.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, y - this.tip.offsetHeight - 10)}px)`;
  }
}

const onCurve = (frame, k) => {
  const x = frame.arrays[`points${k}`], y = frame.arrays[`loss${k}`];
  const out = new Float64Array(2 * x.length);
  for (let i = 0; i < x.length; i++) { out[2 * i] = x[i]; out[2 * i + 1] = y[i]; }
  out.shape = [x.length, 2];
  return out;
};

function heightAt(ground, x) {
  const curve = ground.arrays.curve, n = curve.shape[0];
  const i = Math.round(((x - curve[0]) / (curve[2 * n - 2] - curve[0])) * (n - 1));
  return curve[2 * Math.min(Math.max(i, 0), n - 1) + 1];
}

/** As many digits as a pixel can tell apart. */
function rounded(v, pixel) {
  const places = Math.max(0, Math.min(12, Math.ceil(-Math.log10(pixel))));
  return Number(v.toFixed(places));
}
