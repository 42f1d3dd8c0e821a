// The ground of a descent: filled contours of an objective of two variables on a canvas, with an SVG over it for what is
// pointed at, dragged and read. Coordinates: `view` maps data to pixels of the element.
import { contours } from "../vendor/contours.js";

export const css = (name, element = document.documentElement) => getComputedStyle(element).getPropertyValue(name).trim();

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

/** Draw filled levels, darker downhill, with thin lines between them. */
export function drawGround(context, view, shapes) {
  const low = css("--ground-low"), high = css("--ground-high"), line = css("--ground-line");
  context.fillStyle = low;
  context.fillRect(0, 0, view.width, view.height);
  shapes.forEach((shape, k) => {
    const path = new Path2D();
    for (const ring of shape.rings) {
      ring.forEach(([x, y], i) => (i ? path.lineTo(view.x(x), view.y(y)) : path.moveTo(view.x(x), view.y(y))));
      path.closePath();
    }
    context.fillStyle = `color-mix(in oklab, ${high} ${Math.round((100 * (k + 1)) / shapes.length)}%, ${low})`;
    context.fill(path);
    context.strokeStyle = line;
    context.lineWidth = 0.75;
    context.stroke(path);
  });
}
