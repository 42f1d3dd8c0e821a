// The ground as a landscape: a mesh painted from back to front on a canvas, turned by dragging or with the arrow keys.
import { drawCross, drawLabels, drawSpot } from "../../plot/paths.js";
import { COLOURS, DASHES, css, shadesOf } from "../../plot/plane.js";
import { STEEP, hidden, laid, trail } from "./relief.js";

const CELLS = 60, LINES = 4;
/** How much of what lies behind a hill shines through. */
const BEHIND = 0.25;
/** The turn to begin with, and in how many directions a better one is looked for. */
const TURN = -0.65, TURNS = 16;

export class Surface {
  constructor(redraw) {
    this.redraw = redraw;
    this.turn = TURN;
    this.tilt = 0.85;
    this.ground = null;
    this.about = null;
  }

  stand(ground) {
    this.ground = null;
    if (ground.dimensions !== 2 || !ground.box) return;
    const { values, levels } = ground.arrays, [rows, columns] = values.shape;
    const finite = Array.from(values).filter(Number.isFinite).sort((a, b) => a - b);
    const low = finite[0], high = levels.length ? levels.at(-1) : finite.at(-1);
    const scale = (v) => Math.min(Math.max((v - low) / (high - low || 1), 0), 1.05) ** 0.6; // the floor of a valley stays visible
    const at = (i, j) => values[Math.round((i / CELLS) * (rows - 1)) * columns + Math.round((j / CELLS) * (columns - 1))];
    const heights = Float64Array.from({ length: (CELLS + 1) ** 2 }, (_, n) => {
      const v = at(Math.floor(n / (CELLS + 1)), n % (CELLS + 1));
      return Number.isFinite(v) ? scale(v) : NaN;
    });
    if (this.about !== ground.text) this.unseen = true;
    this.about = ground.text;
    this.ground = { heights, scale, box: ground.box, cells: CELLS, top: 1.06 };
  }

  key(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!way) return;
    event.preventDefault();
    this.rotate(way[0] * (event.shiftKey ? 0.3 : 0.08), way[1] * (event.shiftKey ? 0.2 : 0.06));
  }

  rotate(turn, tilt) {
    this.turn += turn;
    this.tilt = Math.min(Math.max(this.tilt + tilt, 0.12), 1.5);
    this.redraw();
  }

  grab(event, element) {
    let [x, y] = [event.clientX, event.clientY];
    element.setPointerCapture(event.pointerId);
    const move = (e) => {
      this.rotate((e.clientX - x) * 0.008, (e.clientY - y) * 0.006);
      [x, y] = [e.clientX, e.clientY];
    };
    const end = () => {
      element.removeEventListener("pointermove", move);
      element.removeEventListener("pointerup", end);
      element.removeEventListener("pointercancel", end);
    };
    element.addEventListener("pointermove", move);
    element.addEventListener("pointerup", end);
    element.addEventListener("pointercancel", end);
    event.preventDefault();
  }

  /** Unit square and height -> pixels and depth. */
  projection(width, height) {
    const c = Math.cos(this.turn), s = Math.sin(this.turn), size = 0.66 * Math.min(width, height);
    const up = Math.cos(this.tilt), down = Math.sin(this.tilt);
    return (u, v, z) => {
      const x = u - 0.5, y = v - 0.5, across = x * c - y * s, deep = x * s + y * c;
      return [width / 2 + size * across * 1.06, height * 0.56 + size * (-deep * down - (z - 0.35) * STEEP * up), deep * up];
    };
  }

  draw(context, width, height, frame, look, ground) {
    if (!this.ground) return;
    context.fillStyle = css("--panel");
    context.fillRect(0, 0, width, height);
    if (this.unseen && !look.hidden) this.face(frame, ground);
    const to = this.projection(width, height);
    this.mesh(context, to);
    const [[x0, x1], [y0, y1]] = this.ground.box, unit = this.unit();
    const within = (x, y) => x >= x0 && x <= x1 && y >= y0 && y <= y1;
    const ink = css("--ink"), halo = css("--halo"), labels = [];
    const ends = look.hidden ? [] : frame.runs.map((_, k) => this.path(context, frame, k, look, to, unit));
    for (const point of ground.level?.points ?? []) {
      if (!within(point[0], point[1])) continue;
      const [x, y] = this.put(context, to, unit(point[0], point[1], ground.minimum ?? 0), (px, py) => drawCross(context, px, py, ink, halo));
      if (!labels.length) labels.push({ x, y, text: ground.level.word === "minimum" ? "optimum" : ground.level.word, colour: ink });
    }
    ends.forEach((end, k) => {
      if (!end || !within(end[0], end[1])) return;
      const [x, y] = this.put(context, to, unit(...end), (px, py) => drawSpot(context, px, py, css(COLOURS[k]), halo));
      labels.push({ x, y, text: look.names[k], colour: css(COLOURS[k]) });
    });
    if (within(...frame.start)) this.put(context, to, unit(...frame.start, frame.arrays.loss0[0]), (px, py) => drawSpot(context, px, py, css("--page"), ink, 6));
    drawLabels(context, { width, height }, labels, halo, `13px ${css("--font")}`, labels.map(({ x, y }) => [x, y]));
    context.fillStyle = css("--soft");
    context.font = `12px ${css("--font")}`;
    context.fillText("drag or use the arrow keys to turn it", 14, height - 14);
  }

  mesh(context, to) {
    const { heights } = this.ground, shades = shadesOf(12), line = css("--ground-line");
    const across = CELLS + 1, corners = Array.from({ length: across ** 2 }, (_, n) => to((n % across) / CELLS, Math.floor(n / across) / CELLS, heights[n]));
    const cells = [];
    for (let i = 0; i < CELLS; i++) {
      for (let j = 0; j < CELLS; j++) {
        const n = i * across + j, four = [n, n + 1, n + across + 1, n + across];
        if (four.some((m) => Number.isNaN(heights[m]))) continue;
        cells.push({ four, i, j, deep: corners[n][2] + corners[n + across + 1][2], high: (heights[n] + heights[n + across + 1]) / 2 });
      }
    }
    cells.sort((a, b) => b.deep - a.deep);
    context.setLineDash([]);
    const edge = (a, b) => { context.beginPath(); context.moveTo(corners[a][0], corners[a][1]); context.lineTo(corners[b][0], corners[b][1]); context.stroke(); };
    for (const { four, i, j, high } of cells) {
      context.fillStyle = context.strokeStyle = shades[Math.min(12, Math.round(high * 12))];
      context.lineWidth = 0.7; // closes the seams between cells
      context.beginPath();
      four.forEach((m, q) => (q ? context.lineTo(corners[m][0], corners[m][1]) : context.moveTo(corners[m][0], corners[m][1])));
      context.closePath();
      context.fill();
      context.stroke();
      context.strokeStyle = line;
      context.lineWidth = 1;
      if (i % LINES === 0) edge(four[0], four[1]);
      if (j % LINES === 0) edge(four[0], four[3]);
      if (i === CELLS - 1) edge(four[3], four[2]);
      if (j === CELLS - 1) edge(four[1], four[2]);
    }
  }

  /** Coordinates and loss -> unit square and height. */
  unit() {
    const { box: [[x0, x1], [y0, y1]], scale } = this.ground;
    return (x, y, z) => [(x - x0) / (x1 - x0), (y - y0) / (y1 - y0), scale(z)];
  }

  /** Turn a landscape that is new so that its hills hide as little of the paths as may be. */
  face(frame, ground) {
    const unit = this.unit(), seen = [];
    frame.runs.forEach((_, k) => {
      const points = frame.arrays[`points${k}`], loss = frame.arrays[`loss${k}`], n = points.shape[0];
      const few = Array.from({ length: Math.min(n, 40) }, (_, i) => Math.floor((i * n) / Math.min(n, 40)));
      seen.push(...trail(this.ground, few.map((i) => unit(points[2 * i], points[2 * i + 1], loss[i]))).flat());
    });
    const floor = (ground.level?.points ?? []).map((point) => unit(point[0], point[1], ground.minimum ?? 0)).filter(([u, v]) => u >= 0 && u <= 1 && v >= 0 && v <= 1);
    for (const [u, v, z] of floor) seen.push(...Array(Math.ceil(seen.length / 10)).fill([u, v, laid(this.ground, u, v, z)]));
    const hides = (turn) => seen.filter(([u, v, z]) => hidden(this.ground, u, v, z, turn, this.tilt)).length;
    const turns = Array.from({ length: TURNS }, (_, k) => TURN + (k % 2 ? -1 : 1) * Math.ceil(k / 2) * ((2 * Math.PI) / TURNS)).map((turn) => [turn, hides(turn)]);
    this.turn = turns.reduce((best, one) => (one[1] < best[1] - 0.02 * seen.length ? one : best))[0];
    this.unseen = false;
  }

  /** Whether a hill stands before a point of the landscape. */
  behind([u, v, z]) { return hidden(this.ground, u, v, z, this.turn, this.tilt); }

  /** Draw a mark on the landscape, faint where a hill hides it. Returns its pixels. */
  put(context, to, [u, v, z], draw) {
    const point = [u, v, laid(this.ground, u, v, z)], [x, y] = to(...point);
    context.globalAlpha = this.behind(point) ? BEHIND : 1;
    draw(x, y);
    context.globalAlpha = 1;
    return [x, y];
  }

  /** A run's path, faint where a hill hides it. Returns where it stands: x, y and loss. */
  path(context, frame, k, look, to, unit) {
    const points = frame.arrays[`points${k}`], loss = frame.arrays[`loss${k}`];
    const last = Math.min(look.at ?? Infinity, points.shape[0] - 1);
    const places = Array.from({ length: last + 1 }, (_, i) => unit(points[2 * i], points[2 * i + 1], loss[i]));
    context.strokeStyle = css(COLOURS[k]);
    context.lineWidth = 2.4;
    context.lineJoin = "round";
    context.setLineDash(DASHES[k]);
    for (const stretch of trail(this.ground, places)) this.stretch(context, stretch, to);
    context.setLineDash([]);
    context.lineDashOffset = 0;
    return [points[2 * last], points[2 * last + 1], loss[last]];
  }

  /** Pieces that are seen, then those that are not, and so on, the dashes going on from one to the next. */
  stretch(context, stretch, to) {
    let [x, y] = to(...stretch[0]), far = 0, faint = null;
    for (let i = 1; i < stretch.length; i++) {
      const now = this.behind(stretch[i]), [nx, ny] = to(...stretch[i]);
      if (now !== faint) {
        if (faint !== null) context.stroke();
        context.globalAlpha = now ? BEHIND : 1;
        context.lineDashOffset = far;
        context.beginPath();
        context.moveTo(x, y);
        faint = now;
      }
      context.lineTo(nx, ny);
      far += Math.hypot(nx - x, ny - y);
      [x, y] = [nx, ny];
    }
    if (faint !== null) context.stroke();
    context.globalAlpha = 1;
  }
}
