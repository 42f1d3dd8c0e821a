// Contour lines one by one: the one nearest to a place, drawn stronger, with its level written on it.
import { css } from "./plane.js";

/** How far from a line, in pixels, it is still the one that is meant. */
const NEAR = 9;

/**
 * The line nearest to the pixel [px, py], within reach: {k, at: [x, y], along: angle} or null. `k` is the level's place among
 * `shapes`, of which `levelsOf` made the rings; the pieces of rings that run along the frame are no lines.
 */
export function nearest(shapes, ground, view, [px, py]) {
  const [[x0, x1], [y0, y1]] = ground.box;
  const outside = ([x, y]) => x <= x0 || x >= x1 || y <= y0 || y >= y1;
  let best = null, least = NEAR;
  shapes.forEach(({ rings }, k) => {
    for (const ring of rings) {
      let ax = view.x(ring[0][0]), ay = view.y(ring[0][1]);
      for (let i = 1; i < ring.length; i++) {
        const bx = view.x(ring[i][0]), by = view.y(ring[i][1]), dx = bx - ax, dy = by - ay;
        const t = Math.min(Math.max(((px - ax) * dx + (py - ay) * dy) / (dx * dx + dy * dy || 1), 0), 1);
        const far = Math.hypot(ax + t * dx - px, ay + t * dy - py);
        if (far < least && !(outside(ring[i - 1]) && outside(ring[i]))) {
          least = far;
          best = { k, at: [ax + t * dx, ay + t * dy], along: Math.atan2(dy, dx) };
        }
        ax = bx;
        ay = by;
      }
    }
  });
  return best;
}

/** Draw a level's lines stronger than the others, and its words on the line where the pointer is. */
export function drawLevel(context, view, shape, words, { at: [x, y], along }) {
  context.save();
  context.setLineDash([]);
  context.lineJoin = "round";
  context.strokeStyle = css("--ground-strong");
  context.lineWidth = 2;
  context.beginPath();
  for (const ring of shape.rings) {
    ring.forEach((point, i) => (i ? context.lineTo(view.x(point[0]), view.y(point[1])) : context.moveTo(view.x(point[0]), view.y(point[1]))));
    context.closePath();
  }
  context.stroke();
  context.font = `600 12px ${css("--font")}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  const half = context.measureText(words).width / 2 + 4;
  const room = (v, size) => Math.min(Math.max(v, half), size - half);
  let angle = along; // read from left to right
  if (Math.abs(angle) > Math.PI / 2) angle += angle > 0 ? -Math.PI : Math.PI;
  context.translate(room(x, view.width), Math.min(Math.max(y, 10), view.height - 10));
  context.rotate(angle);
  context.strokeStyle = css("--halo");
  context.lineWidth = 6;
  context.strokeText(words, 0, 0);
  context.fillStyle = css("--ink");
  context.fillText(words, 0, 0);
  context.restore();
}
