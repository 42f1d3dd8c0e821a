// Paths of descents over a view: clipped to its frame, dashed, with their points, ends and labels; a head where one leaves.
import { DASHES, arrow } from "./plane.js";

/** Cut the segment at the rectangle (Liang and Barsky): [x0, y0, x1, y1] or null. Divergence never reaches the canvas. */
export function clipped(x0, y0, x1, y1, w, h, room = 0) {
  let from = 0, to = 1;
  const dx = x1 - x0, dy = y1 - y0;
  for (const [p, q] of [[-dx, x0 + room], [dx, w + room - x0], [-dy, y0 + room], [dy, h + room - y0]]) {
    if (p === 0) { if (q < 0) return null; continue; }
    const t = q / p;
    if (p < 0) from = Math.max(from, t); else to = Math.min(to, t);
  }
  return from > to ? null : [x0 + from * dx, y0 + from * dy, x0 + to * dx, y0 + to * dy];
}

/** Pixels of a path's points, up to the first that is no number: Float64Array [x0, y0, x1, y1, …]. */
export function pixels(view, points, width = 2) {
  const n = points.shape[0], out = new Float64Array(2 * n);
  for (let i = 0; i < n; i++) {
    const x = view.x(points[width * i]), y = view.y(points[width * i + 1]);
    if (!(Math.abs(x) < 1e7 && Math.abs(y) < 1e7)) {
      if (!Number.isFinite(x) || !Number.isFinite(y)) return out.subarray(0, 2 * i);
      const far = 1e7 / Math.max(Math.abs(x), Math.abs(y));
      out[2 * i] = x * far;
      out[2 * i + 1] = y * far;
    } else {
      out[2 * i] = x;
      out[2 * i + 1] = y;
    }
  }
  return out;
}

const inside = (view, x, y) => x >= 0 && y >= 0 && x <= view.width && y <= view.height;

/** Pixels; a run that creeps would otherwise stroke hundreds of dashes onto each other. */
const NEAR = 0.4;

/**
 * Draw one path up to step `upto`; what follows is faint. One that leaves the frame for good is drawn as far as the frame, once:
 * what it does out there would only strike through the picture. Returns the piece on which it leaves, or null.
 * Each `every`-th point gets a dot.
 */
export function drawPath(context, view, whole, k, colour, upto = Infinity, every = 1) {
  let within = whole.length / 2 - 1;
  while (within > 0 && !inside(view, whole[2 * within], whole[2 * within + 1])) within--;
  const at = whole.subarray(0, 2 * (within + 2)), n = at.length / 2, dense = n > 80;
  let leaves = null;
  for (const part of ["after", "before"]) {
    if (part === "after" && upto >= n - 1) continue;
    context.globalAlpha = part === "after" ? 0.22 : 1;
    context.strokeStyle = colour;
    context.lineWidth = dense ? 1.8 : 2.2;
    context.lineJoin = "round";
    context.setLineDash(DASHES[k % DASHES.length]);
    context.beginPath();
    let open = false, px = 0, py = 0;
    const [first, last] = part === "after" ? [Math.max(0, upto), n - 1] : [0, Math.min(upto, n - 1)];
    for (let i = first; i < last; i++) {
      const piece = clipped(at[2 * i], at[2 * i + 1], at[2 * i + 2], at[2 * i + 3], view.width, view.height, 4);
      if (!piece) { open = false; continue; }
      if (!open || piece[0] !== at[2 * i]) context.moveTo(px = piece[0], py = piece[1]);
      const short = Math.abs(piece[2] - px) + Math.abs(piece[3] - py) < NEAR && i < last - 1 && piece[2] === at[2 * i + 2] && piece[3] === at[2 * i + 3];
      if (!short) context.lineTo(px = piece[2], py = piece[3]);
      open = piece[2] === at[2 * i + 2] && piece[3] === at[2 * i + 3];
      if (part === "before" && inside(view, piece[0], piece[1]) && !inside(view, at[2 * i + 2], at[2 * i + 3])) leaves = piece;
      else if (part === "before" && inside(view, at[2 * i + 2], at[2 * i + 3])) leaves = null;
    }
    context.stroke();
  }
  context.setLineDash([]);
  if (!dense) drawDots(context, view, at, colour, Math.min(upto, n - 1), every);
  context.globalAlpha = 1;
  if (leaves) {
    context.strokeStyle = context.fillStyle = colour;
    const long = Math.hypot(leaves[2] - leaves[0], leaves[3] - leaves[1]) || 1;
    const tip = clipped(...leaves, view.width - 4, view.height - 4, -4) ?? leaves;
    const ux = (leaves[2] - leaves[0]) / long, uy = (leaves[3] - leaves[1]) / long;
    arrow(context, tip[2] - ux * 12, tip[3] - uy * 12, tip[2], tip[3], 11);
  }
  return leaves;
}

function drawDots(context, view, at, colour, last, every) {
  context.fillStyle = colour;
  context.beginPath();
  for (let i = every; i <= last; i += every) {
    const x = at[2 * i], y = at[2 * i + 1];
    if (!inside(view, x, y)) continue;
    context.moveTo(x + 2.6, y);
    context.arc(x, y, 2.6, 0, 2 * Math.PI);
  }
  context.fill();
}

/** A dot with a ring: where a run is at a step. */
export function drawSpot(context, x, y, colour, ring, size = 5.5) {
  context.beginPath();
  context.arc(x, y, size, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.fill();
  context.lineWidth = 1.8;
  context.strokeStyle = ring;
  context.stroke();
}

/** A cross: the minimum. */
export function drawCross(context, x, y, ink, halo) {
  for (const [width, colour] of [[5, halo], [2, ink]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(x - 6, y);
    context.lineTo(x + 6, y);
    context.moveTo(x, y - 6);
    context.lineTo(x, y + 6);
    context.stroke();
  }
}

/** Write labels [{x, y, text, colour}] near their places, off each other and inside the frame. */
export function drawLabels(context, view, labels, halo, font, avoid = []) {
  const placed = avoid.map(([x, y]) => [x - 7, y - 7, 14, 14]);
  context.font = font;
  context.textBaseline = "middle";
  context.lineJoin = "round";
  for (const { x, y, text, colour } of labels) {
    const w = context.measureText(text).width + 2, tall = 15;
    const spots = [[11, 0], [-11 - w, 0], [-w / 2, -17], [-w / 2, 17], [9, -14], [9, 14], [-9 - w, -14], [-9 - w, 14], [11, -30], [11, 30],
      [-9 - w, -30], [-9 - w, 30]];
    let best = null;
    for (const [dx, dy] of spots) {
      const box = [Math.min(Math.max(x + dx, 3), view.width - w - 3), Math.min(Math.max(y + dy - tall / 2, 3), view.height - tall - 3), w, tall];
      const cost = placed.reduce((sum, other) => sum + overlap(box, other), 0) + Math.abs(box[0] - x - dx) * 4 + Math.abs(box[1] - y - dy + tall / 2) * 4;
      if (!best || cost < best.cost - 1e-6) best = { box, cost };
    }
    placed.push(best.box);
    context.strokeStyle = halo;
    context.lineWidth = 4;
    context.strokeText(text, best.box[0], best.box[1] + tall / 2);
    context.fillStyle = colour;
    context.fillText(text, best.box[0], best.box[1] + tall / 2);
  }
}

const overlap = (a, b) =>
  Math.max(0, Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0])) * Math.max(0, Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]));
