// An objective of one variable: its curve, the tangents, and each step along x and then down to the curve.
import { COLOURS, css } from "../../plot/plane.js";
import { number } from "../../format.js";

export function drawCurveGround(context, view, ground) {
  const curve = ground.arrays.curve, ink = css("--soft");
  context.fillStyle = css("--ground-high");
  context.fillRect(0, 0, view.width, view.height);
  context.strokeStyle = css("--ground-line");
  context.fillStyle = ink;
  context.font = `12px ${css("--font")}`;
  context.lineWidth = 1;
  for (const v of ticks(...view.box[0])) {
    const x = view.x(v);
    context.beginPath();
    context.moveTo(x, 0);
    context.lineTo(x, view.height);
    context.stroke();
    context.fillText(number(v), x + 4, view.height - 6);
  }
  context.strokeStyle = ink;
  context.lineWidth = 2;
  context.beginPath();
  let open = false;
  for (let i = 0; i < curve.length; i += 2) {
    const y = view.y(curve[i + 1]);
    if (!Number.isFinite(y) || Math.abs(y) > 1e5) { open = false; continue; }
    if (open) context.lineTo(view.x(curve[i]), y); else context.moveTo(view.x(curve[i]), y);
    open = true;
  }
  context.stroke();
}

/** Points of a run with the corner of each step between them: along x, then to the curve. Shape (2n − 1, 2). */
export function stairs(frame, k) {
  const x = frame.arrays[`points${k}`], y = frame.arrays[`loss${k}`], n = x.length;
  const out = new Float64Array(2 * (2 * n - 1));
  for (let i = 0; i < n; i++) {
    out[4 * i] = x[i];
    out[4 * i + 1] = y[i];
    if (i < n - 1) {
      out[4 * i + 2] = x[i + 1];
      out[4 * i + 3] = y[i];
    }
  }
  out.shape = [2 * n - 1, 2];
  return out;
}

/** Tangents at the first steps of the chosen run, or at the step that is looked at: the slope, of which the step is lr times. */
export function drawTangents(context, view, frame, look) {
  const k = look.chosen, x = frame.arrays[`points${k}`], y = frame.arrays[`loss${k}`];
  const slopes = frame.arrays[`grad_norm${k}`];
  context.strokeStyle = css(COLOURS[k]);
  context.lineWidth = 1.2;
  context.setLineDash([5, 4]);
  const wanted = look.at !== null ? [look.at] : [...Array(Math.min(6, x.length)).keys()];
  for (const i of wanted) {
    if (i >= x.length || !Number.isFinite(y[i])) continue;
    const side = downhill(frame, k, i);
    const px = view.x(x[i]), py = view.y(y[i]);
    const dx = view.width / (view.box[0][1] - view.box[0][0]), dy = (slopes[i] * side * view.height) / (view.box[1][1] - view.box[1][0]);
    const long = Math.hypot(dx, dy) || 1, half = 60;
    context.beginPath();
    context.moveTo(px - (dx / long) * half, py + (dy / long) * half);
    context.lineTo(px + (dx / long) * half, py - (dy / long) * half);
    context.stroke();
  }
  context.setLineDash([]);
}

/** The sign of the slope at a step, from the curve beside the point. */
function downhill(frame, k, i) {
  const curve = frame.curve, x = frame.arrays[`points${k}`][i];
  if (!curve) return 1;
  const n = curve.shape[0], at = Math.min(Math.max(Math.round(((x - curve[0]) / (curve[2 * n - 2] - curve[0])) * (n - 1)), 1), n - 2);
  return Math.sign(curve[2 * at + 3] - curve[2 * at - 1]);
}

export function ticks(low, high) {
  const raw = (high - low) / 6, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((m) => m * power >= raw) * power;
  const found = [];
  for (let v = Math.ceil(low / step) * step; v <= high; v += step) found.push(Number(v.toPrecision(10)));
  return found;
}
