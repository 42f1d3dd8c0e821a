// The loss curves: uPlot on a log axis whose range comes from the engine, so that no divergence breaks it.
import uPlot from "../../vendor/uplot.js";
import { number, superscript } from "../../format.js";
import { COLOURS, DASHES, arrow, css } from "../../plot/plane.js";

/** Room for the names at the right, at the least and the most. */
const ROOM = [34, 104];

export class Curves {
  /** `point(step)` is told where the pointer stands, null when it leaves. */
  constructor(host, point) {
    this.host = host;
    this.point = point;
    this.line = document.createElement("div");
    this.line.className = "ds-stepline";
    this.kind = "";
    this.frame = null;
  }

  /** Draw the curves of a `run` answer; `names` label their ends. */
  draw(frame, names, step, chosen) {
    this.frame = frame;
    this.names = names;
    this.step = step;
    this.chosen = chosen;
    const n = frame.runs.length;
    const longest = Math.max(...frame.runs.map((_, k) => frame.arrays[`loss${k}`].length));
    const [width, height] = (this.measured ??= [this.host.clientWidth, this.host.clientHeight]);
    if (!width || !height) { this.measured = null; return; }
    const kind = `${n} ${frame.loss.scale} ${this.room(names)}`;
    if (kind !== this.kind) this.make(kind, n, width, height);
    else if (this.plot.width !== width || this.plot.height !== height) this.plot.setSize({ width, height });
    this.plot.setData([Float64Array.from({ length: longest }, (_, i) => i), ...this.series(longest)], true);
  }

  /** Each curve above the known minimum, clipped just outside the frame; null after it has left for good. */
  series(longest) {
    const { y: [low, high], offset, scale, exits } = this.frame.loss;
    const far = scale === "log" ? [low / 3, high * 3] : [low - (high - low), high + (high - low)];
    return this.frame.runs.map((_, k) => {
      const loss = this.frame.arrays[`loss${k}`];
      const until = exits[k] ? exits[k][0] : loss.length;
      return Array.from({ length: longest }, (_, i) => {
        if (i >= loss.length || i > until || Number.isNaN(loss[i])) return null;
        const v = loss[i] - offset;
        return Math.min(Math.max(v, far[0]), far[1]);
      });
    });
  }

  /** Pixels that the longest name takes, with the arrow of one that leaves. */
  room(names) {
    if (String(names) === this.named) return this.wide;
    this.named = String(names);
    const context = document.createElement("canvas").getContext("2d");
    context.font = `600 12px ${css("--font") || "sans-serif"}`;
    const longest = Math.max(...names.map((name) => context.measureText(`${name} ↑`).width));
    return (this.wide = Math.min(Math.max(10 * Math.ceil(longest / 10) + 12, ROOM[0]), ROOM[1]));
  }

  make(kind, n, width, height) {
    this.kind = kind;
    this.plot?.destroy();
    const soft = css("--soft"), faint = css("--faint"), font = `12px ${css("--font") || "sans-serif"}`;
    const axis = { stroke: soft, font, grid: { stroke: faint, width: 1 }, ticks: { show: false } };
    const log = this.frame.loss.scale === "log";
    this.plot = new uPlot({
      width, height, padding: [14, this.wide, 0, 0], legend: { show: false },
      cursor: { drag: { x: false, y: false, setScale: false }, y: false, points: { size: 7 } },
      scales: {
        x: { time: false, range: () => this.frame.loss.x },
        y: { distr: log ? 3 : 1, log: 10, range: () => this.frame.loss.y },
      },
      axes: [
        { ...axis, size: 34, gap: 6, values: (_, splits) => splits.map((v) => (Number.isInteger(v) ? number(v) : "")), space: 48 },
        { ...axis, size: 56, gap: 6, ...(log ? { splits: decades, filter: (_, splits) => splits, values: (_, splits) => splits.map(tick) } : { values: (_, splits) => apart(splits) }) },
      ],
      series: [{}, ...Array.from({ length: n }, (_, k) => ({
        stroke: css(COLOURS[k]), width: 2, dash: DASHES[k], points: { show: false }, spanGaps: false,
      }))],
      hooks: {
        draw: [(plot) => { this.ends(plot); this.moveLine(); }],
        setCursor: [(plot) => this.point(plot.cursor.left >= 0 ? plot.cursor.idx ?? null : null)],
      },
    }, [[0], ...Array.from({ length: n }, () => [null])], this.host);
    this.plot.over.append(this.line);
  }

  /** Names at the ends of the curves; an arrow where one left through the frame. */
  ends(plot) {
    const ratio = devicePixelRatio || 1, context = plot.ctx, frame = this.frame;
    const labels = frame.runs.map((_, k) => {
      const loss = frame.arrays[`loss${k}`], leaves = frame.loss.exits[k];
      const colour = css(COLOURS[k]);
      if (leaves) {
        const x = plot.valToPos(leaves[0], "x", true), top = leaves[1] > 0;
        const y = top ? plot.bbox.top : plot.bbox.top + plot.bbox.height;
        context.save();
        context.strokeStyle = context.fillStyle = colour;
        context.lineWidth = 2 * ratio;
        arrow(context, x, y + (top ? 9 : -9) * ratio, x, y + (top ? -6 : 6) * ratio, 9 * ratio);
        context.restore();
        return { y, text: `${this.names[k]} ${top ? "↑" : "↓"}`, colour, k };
      }
      const last = loss.length - 1, v = loss[last] - frame.loss.offset;
      const [low, high] = frame.loss.y;
      return { y: plot.valToPos(Math.min(Math.max(v, low), high), "y", true), text: this.names[k], colour, k };
    });
    this.write(plot, labels, ratio);
  }

  write(plot, labels, ratio) {
    const tall = 15 * ratio, context = plot.ctx, x = plot.bbox.left + plot.bbox.width + 8 * ratio;
    labels.sort((a, b) => a.y - b.y);
    let least = plot.bbox.top;
    for (const label of labels) {
      label.y = Math.max(label.y, least);
      least = label.y + tall;
    }
    let most = plot.bbox.top + plot.bbox.height;
    for (const label of labels.toReversed()) {
      label.y = Math.min(label.y, most);
      most = label.y - tall;
    }
    context.save();
    context.textBaseline = "middle";
    context.textAlign = "left";
    for (const { y, text, colour, k } of labels) {
      context.font = `${k === this.chosen ? "600 " : ""}${12 * ratio}px ${css("--font") || "sans-serif"}`;
      context.fillStyle = colour;
      context.fillText(text, x, y, (this.wide - 10) * ratio);
    }
    context.restore();
  }

  /** The line at the step that is looked at. */
  moveLine(step = this.step) {
    this.step = step;
    this.line.hidden = step === null;
    if (step !== null && this.plot) this.line.style.left = `${this.plot.valToPos(step, "x")}px`;
  }

  resized() {
    this.measured = null;
    if (this.frame) this.draw(this.frame, this.names, this.step, this.chosen);
  }

  recoloured() {
    this.kind = "";
    this.resized();
  }
}

/** Numbers on an even axis, with as many digits as tell neighbours apart. */
function apart(splits) {
  for (let digits = 3; digits < 9; digits++) {
    const words = splits.map((v) => number(v, digits));
    if (new Set(words).size === words.length) return words;
  }
  return splits.map((v) => number(v, 9));
}

/** Powers of ten, thinned to a handful; with 2 and 5 between them where there are few. */
function decades(_plot, _axis, low, high) {
  const first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9);
  const stride = Math.max(1, Math.ceil((last - first + 1) / 6));
  const found = [];
  for (let power = first - 1; power <= last; power++) {
    for (const m of last - first < 2 ? [1, 2, 5] : [1]) {
      const v = m * 10 ** power;
      if (v >= low && v <= high && (m > 1 || ((power % stride) + stride) % stride === 0)) found.push(v);
    }
  }
  return found;
}

function tick(v) {
  if (v > 0.99e-4 && v < 9999) return number(v);
  const power = Math.floor(Math.log10(v) + 1e-9), m = Math.round(v / 10 ** power);
  return `${m > 1 ? `${m}·` : ""}10${superscript(power)}`;
}
