// More than two variables: no ground to stand on, so each coordinate is drawn over the steps, all on common axes.
import { COLOURS, DASHES, css } from "../../plot/plane.js";
import { number } from "../../format.js";

export function drawCoordinates(context, width, height, frame, look) {
  const d = frame.variables.length, gap = 14, left = 64, right = 16;
  const tall = (height - 30 - gap * (d - 1)) / d;
  const longest = Math.max(...frame.runs.map((_, k) => frame.arrays[`loss${k}`].length)) - 1 || 1;
  const x = (step) => left + (step / longest) * (width - left - right);
  context.font = `12px ${css("--font")}`;
  frame.variables.forEach((name, i) => {
    const top = 12 + i * (tall + gap), [low, high] = rangeOf(frame, i, d);
    const y = (v) => top + tall - ((Math.min(Math.max(v, low - (high - low)), high + (high - low)) - low) / (high - low)) * tall;
    context.save();
    context.fillStyle = css("--ground-high");
    context.fillRect(left, top, width - left - right, tall);
    context.fillStyle = css("--ink");
    context.font = `600 13px ${css("--font")}`;
    context.fillText(name, 8, top + tall / 2 + 4);
    context.font = `11px ${css("--font")}`;
    context.fillStyle = css("--soft");
    context.textAlign = "right";
    context.fillText(number(high), left - 6, top + 10);
    context.fillText(number(low), left - 6, top + tall);
    context.textAlign = "left";
    context.beginPath();
    context.rect(left, top, width - left - right, tall);
    context.clip();
    if (!look.hidden) frame.runs.forEach((_, k) => line(context, frame, k, i, d, x, y));
    if (look.at !== null) {
      context.strokeStyle = css("--soft");
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(x(look.at), top);
      context.lineTo(x(look.at), top + tall);
      context.stroke();
    }
    context.restore();
  });
}

function line(context, frame, k, i, d, x, y) {
  const points = frame.arrays[`points${k}`];
  context.strokeStyle = css(COLOURS[k]);
  context.setLineDash(DASHES[k]);
  context.lineWidth = 2;
  context.beginPath();
  for (let step = 0; step < points.shape[0]; step++) {
    const v = points[d * step + i];
    if (!Number.isFinite(v)) break;
    if (step) context.lineTo(x(step), y(v)); else context.moveTo(x(step), y(v));
  }
  context.stroke();
  context.setLineDash([]);
}

/** What a coordinate of the runs that stay spans; of a run that flies off, not more than three times as much. */
function rangeOf(frame, i, d) {
  const tame = frame.runs.map((run, k) => [run, k]).filter(([run]) => run.outcome !== "diverged" && run.outcome !== "failed");
  const start = frame.start[i], values = [start, 0];
  for (const [, k] of tame) {
    const points = frame.arrays[`points${k}`];
    for (let step = 0; step < points.shape[0]; step++) if (Number.isFinite(points[d * step + i])) values.push(points[d * step + i]);
  }
  const low = Math.min(...values), high = Math.max(...values), room = 0.08 * (high - low) || Math.abs(start) * 0.1 || 1;
  return tame.length ? [low - room, high + room] : [low - 3 * room - Math.abs(start), high + 3 * room + Math.abs(start)];
}
