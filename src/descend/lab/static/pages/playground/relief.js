// What lies on a landscape and what lies behind it: heights of the drawn mesh, and a depth test against it.
import { clipped } from "../../plot/paths.js";

/** How flat the landscape is pressed: a height of 1 is so long beside the sides of the ground. */
export const STEEP = 0.62;
/** How far above the mesh a path is drawn, how much of it is left out of the test as its own ground, and the most pieces. */
const LIFT = 0.012, OWN = 1.3, MOST = 4000;

/** Height of the mesh at (u, v) of the unit square, between its corners; NaN where it has a hole. */
export function heightAt({ heights, cells }, u, v) {
  const x = Math.min(Math.max(u * cells, 0), cells), y = Math.min(Math.max(v * cells, 0), cells);
  const j = Math.min(Math.floor(x), cells - 1), i = Math.min(Math.floor(y), cells - 1), n = i * (cells + 1) + j;
  const low = heights[n] + (x - j) * (heights[n + 1] - heights[n]);
  const high = heights[n + cells + 1] + (x - j) * (heights[n + cells + 2] - heights[n + cells + 1]);
  return low + (y - i) * (high - low);
}

/** Whether the mesh stands between the viewer and the point (u, v, z): a walk along the ray to the eye. */
export function hidden(mesh, u, v, z, turn, tilt) {
  const stride = 0.6 / mesh.cells, du = -Math.sin(turn) * stride, dv = -Math.cos(turn) * stride;
  const dz = (stride * Math.tan(tilt)) / STEEP, first = Math.ceil((OWN / mesh.cells) / stride);
  for (let k = first; ; k++) {
    const x = u + k * du, y = v + k * dv, up = z + k * dz;
    if (x < 0 || x > 1 || y < 0 || y > 1 || up > mesh.top) return false;
    if (heightAt(mesh, x, y) > up) return true; // a hole hides nothing
  }
}

/** A point on the mesh, or above it where the point is higher. */
export function laid(mesh, u, v, z) {
  const ground = heightAt(mesh, u, v);
  return (ground > z ? ground : z) + LIFT;
}

/**
 * A path of points [u, v, z] as pieces fine enough for the test: lists of [u, v, z], one for each stretch within the unit square.
 */
export function trail(mesh, points) {
  const chords = [];
  let long = 0;
  for (let i = 1; i < points.length; i++) {
    const [u0, v0, z0] = points[i - 1], [u1, v1, z1] = points[i];
    if (!(Math.abs(u1) < 1e9 && Math.abs(v1) < 1e9)) break;
    const cut = clipped(u0, v0, u1, v1, 1, 1);
    if (!cut) continue;
    const whole = Math.hypot(u1 - u0, v1 - v0) || 1, from = Math.hypot(cut[0] - u0, cut[1] - v0) / whole, to = Math.hypot(cut[2] - u0, cut[3] - v0) / whole;
    chords.push({ cut, z: [z0 + from * (z1 - z0), z0 + to * (z1 - z0)], joins: from === 0 && i > 1 });
    long += Math.hypot(cut[2] - cut[0], cut[3] - cut[1]);
  }
  const piece = Math.max(1 / mesh.cells, long / MOST), stretches = [];
  for (const { cut: [u0, v0, u1, v1], z: [z0, z1], joins } of chords) {
    const n = Math.max(1, Math.ceil(Math.hypot(u1 - u0, v1 - v0) / piece));
    if (!joins || !stretches.length) stretches.push([[u0, v0, laid(mesh, u0, v0, z0)]]);
    for (let k = 1; k <= n; k++) {
      const u = u0 + (k / n) * (u1 - u0), v = v0 + (k / n) * (v1 - v0);
      stretches.at(-1).push([u, v, laid(mesh, u, v, z0 + (k / n) * (z1 - z0))]);
    }
  }
  return stretches;
}
