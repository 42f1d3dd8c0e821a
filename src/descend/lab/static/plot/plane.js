// The ground of a descent: filled contours of an objective of two variables. Coordinates: `view` maps data to pixels.
import { contours } from "../vendor/contours.js";

/** A colour or font of the theme. Kept until the theme changes: each look at it would make the browser settle all styles. */
export function css(name) {
  if (!theme.has(name)) theme.set(name, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
  return theme.get(name);
}
const theme = new Map(), forget = () => theme.clear();
addEventListener("descend-theme", forget); // before whoever draws anew listens
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", forget);

export const COLOURS = ["--run-0", "--run-1", "--run-2", "--run-3", "--run-4", "--run-5", "--run-6", "--run-7"];
export const DASHES = [[], [9, 4], [2.5, 3], [9, 3.5, 2.5, 3.5], [14, 4], [5, 2.5], [1.5, 4], [12, 3, 2, 3, 2, 3]];

/** Data box and pixel size -> the two maps between them. */
export function viewOf([[x0, x1], [y0, y1]], width, height) {
  return {
    box: [[x0, x1], [y0, y1]], width, height,
    x: (v) => ((v - x0) / (x1 - x0)) * width,
    y: (v) => height - ((v - y0) / (y1 - y0)) * height,
    back: (px, py) => [x0 + (px / width) * (x1 - x0), y0 + ((height - py) / height) * (y1 - y0)],
  };
}

/** A canvas sized for the screen's pixels, cleared, scaled to CSS pixels. */
export function prepared(canvas, width, height) {
  const ratio = Math.min(devicePixelRatio || 1, 3);
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** Polygons of the ground's levels, in data coordinates: [{value, rings}], computed once per ground. */
export function levelsOf(ground) {
  const { values, levels } = ground.arrays;
  const [rows, columns] = values.shape;
  const [[x0, x1], [y0, y1]] = ground.box;
  const finite = Float64Array.from(values, (v) => (Number.isFinite(v) ? v : 1e300));
  const shapes = contours().size([columns, rows]).thresholds(Array.from(levels))(finite);
  const place = ([i, j]) => [x0 + ((i - 0.5) / (columns - 1)) * (x1 - x0), y0 + ((j - 0.5) / (rows - 1)) * (y1 - y0)];
  return shapes.map((shape) => ({ value: shape.value, rings: shape.coordinates.flat().map((ring) => ring.map(place)) }));
}

const known = new Map();

/** The shades from the valley's floor up: `count` + 1 CSS colours. */
export function shadesOf(count) {
  const low = css("--ground-low"), high = css("--ground-high"), key = `${count} ${low} ${high}`;
  if (!known.has(key)) known.set(key, mixed(count, low, high));
  return known.get(key);
}

function mixed(count, low, high) {
  const canvas = document.createElement("canvas");
  canvas.width = 1;
  canvas.height = 1;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  return Array.from({ length: count + 1 }, (_, k) => {
    context.fillStyle = `color-mix(in oklab, ${high} ${Math.round((100 * k) / Math.max(count, 1))}%, ${low})`;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b] = context.getImageData(0, 0, 1, 1).data; // plain rgb(), which SVG readers and GIF palettes know too
    return `rgb(${r},${g},${b})`;
  });
}

/** Draw filled levels, darker downhill, with thin lines between them; `box` is where they are known. */
export function drawGround(context, view, shapes, [[x0, x1], [y0, y1]] = view.box) {
  const line = css("--ground-line"), shades = shadesOf(shapes.length);
  context.fillStyle = shades[0];
  context.fillRect(view.x(x0), view.y(y1), view.x(x1) - view.x(x0), view.y(y0) - view.y(y1));
  shapes.forEach((shape, k) => {
    context.beginPath();
    for (const ring of shape.rings) {
      ring.forEach(([x, y], i) => (i ? context.lineTo(view.x(x), view.y(y)) : context.moveTo(view.x(x), view.y(y))));
      context.closePath();
    }
    context.fillStyle = shades[k + 1];
    context.fill();
    context.strokeStyle = line;
    context.lineWidth = 0.75;
    context.stroke();
  });
}

/** Downhill arrows on a coarse grid. */
export function drawArrows(context, view, ground) {
  const { arrows, downhill } = ground.arrays;
  const half = Math.min(view.width, view.height) / 60;
  const [[x0, x1], [y0, y1]] = view.box;
  context.strokeStyle = context.fillStyle = css("--ground-arrow");
  context.lineWidth = 1.1;
  context.setLineDash([]);
  for (let k = 0; k < arrows.length; k += 2) {
    const dx = (downhill[k] / (x1 - x0)) * view.width, dy = (-downhill[k + 1] / (y1 - y0)) * view.height;
    const size = Math.hypot(dx, dy) || 1, ux = dx / size, uy = dy / size;
    const x = view.x(arrows[k]), y = view.y(arrows[k + 1]);
    arrow(context, x - ux * half, y - uy * half, x + ux * half, y + uy * half, 4);
  }
}

/** A line with a filled head. */
export function arrow(context, x0, y0, x1, y1, head = 7) {
  const long = Math.hypot(x1 - x0, y1 - y0);
  if (long < 0.5) return;
  const ux = (x1 - x0) / long, uy = (y1 - y0) / long, size = Math.min(head, long);
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1 - ux * size * 0.7, y1 - uy * size * 0.7);
  context.stroke();
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x1 - ux * size - uy * size * 0.45, y1 - uy * size + ux * size * 0.45);
  context.lineTo(x1 - ux * size + uy * size * 0.45, y1 - uy * size - ux * size * 0.45);
  context.closePath();
  context.fill();
}
