// The picture of a map: indices into a palette on a canvas of one pixel a descent, drawn over the figure without smoothing.

const BLANK = 254; // not computed yet

export class Raster {
  /** A frame's image, for the axes it was asked for. */
  constructor(frame, scales) {
    this.scales = scales;
    this.stride = frame.stride;
    this.size = frame.size;
    const { index, palette } = frame.arrays;
    const [rows, columns] = index.shape;
    this.canvas = document.createElement("canvas");
    this.canvas.width = columns;
    this.canvas.height = rows;
    const image = new ImageData(columns, rows);
    const pixels = new Uint32Array(image.data.buffer);
    const table = new Uint32Array(256); // little-endian ABGR
    for (let k = 0; k < 256; k++) table[k] = 0xff000000 | (palette[3 * k + 2] << 16) | (palette[3 * k + 1] << 8) | palette[3 * k];
    table[BLANK] = 0;
    for (let row = 0; row < rows; row++) {
      const to = (rows - 1 - row) * columns, from = row * columns;
      for (let column = 0; column < columns; column++) pixels[to + column] = table[index[from + column]];
    }
    this.canvas.getContext("2d").putImageData(image, 0, 0);
  }

  /** How many descents of this raster a cell of `scales` spans, along the finer axis: below 1 it is coarser than they are. */
  coarseness(scales) {
    return Math.max(...scales.map((scale, k) => {
      const own = this.scales[k];
      const across = Math.abs(own.part(scale.value(1)) - own.part(scale.value(0))) * own.count;
      return (this.stride * scale.count) / Math.max(across, 1e-300);
    }));
  }

  /** Draw where it belongs on a figure that shows `scales`. */
  draw(context, scales, width, height) {
    const [x, y] = this.scales;
    const [columns, rows] = this.size;
    // a stride's block stands around its descent, not to the right of it
    const shift = (this.stride - 1) / 2;
    const ends = (own, seen, count, cells) => {
      const at = (cell) => own.value((cell - shift) / count);
      const log = own.log && at(0) > 0;
      const a = log || !own.log ? seen.part(at(0)) : seen.part(own.value(0));
      return [a, seen.part(at(cells * this.stride))];
    };
    const [left, right] = ends(x, scales[0], columns, this.canvas.width);
    const [bottom, top] = ends(y, scales[1], rows, this.canvas.height);
    context.imageSmoothingEnabled = false;
    context.drawImage(this.canvas, left * width, (1 - top) * height, (right - left) * width, (top - bottom) * height);
  }
}

export const sameAxes = (a, b) => a && b && a.every((scale, k) => scale.name === b[k].name && scale.scale === b[k].scale);
