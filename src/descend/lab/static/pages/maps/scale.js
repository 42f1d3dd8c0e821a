// An axis of a map: between values, parts of its length, and cells of the grid; ticks that stay readable deep in a zoom.
import { superscript } from "../../format.js";

/** A state's axis {name, low, high, scale} with `count` descents along it. Cell centres are the grid's values. */
export class Scale {
  constructor({ name, low, high, scale }, count) {
    Object.assign(this, { name, low, high, scale, count });
    this.log = scale === "log";
  }

  /** Value -> part of the length, 0…1. */
  part(value) {
    const t = this.log ? Math.log(value / this.low) / Math.log(this.high / this.low) : (value - this.low) / (this.high - this.low);
    return (t * (this.count - 1) + 0.5) / this.count;
  }

  /** Part of the length -> value. */
  value(part) {
    const t = (part * this.count - 0.5) / (this.count - 1);
    return this.log ? this.low * (this.high / this.low) ** t : this.low + t * (this.high - this.low);
  }

  /** The descent nearest to a part of the length. */
  cell(part) {
    return Math.min(this.count - 1, Math.max(0, Math.floor(part * this.count)));
  }

  /** The axis between two parts of this one, its ends with the digits that tell them apart, within `bounds`. */
  between(from, to, bounds) {
    const half = 0.5 / this.count;
    let low = this.value(from + half * (to - from)), high = this.value(to - half * (to - from));
    const { min = null, max = null, open = [false, false] } = bounds ?? {};
    if (min !== null && (low < min || (open[0] && low <= min))) low = open[0] ? min + 1e-6 * ((max ?? high) - min) : min;
    if (max !== null && (high > max || (open[1] && high >= max))) high = open[1] ? max - 1e-4 * (max - Math.min(low, max)) : max;
    if (this.log && !(low > 0)) low = high * 1e-12;
    const digits = (v) => Math.min(17, Math.max(4, Math.ceil(Math.log10(Math.abs(v) / Math.abs(high - low) || 1)) + 4));
    const rounded = [Number(low.toPrecision(digits(low))), Number(high.toPrecision(digits(high)))];
    const kept = rounded[0] < rounded[1] ? rounded : [low, high];
    if (min !== null && kept[0] < min) kept[0] = low;
    if (max !== null && kept[1] > max) kept[1] = high;
    return { name: this.name, low: kept[0], high: kept[1], scale: this.scale };
  }

  /** Ticks [{part, text}], and what to subtract from values where their digits would not fit. */
  ticks(about = 6) {
    if (!(this.low < this.high) || (this.log && !(this.low > 0)) || !Number.isFinite(this.high - this.low)) return { ticks: [], base: null };
    if (this.log && this.high / this.low >= 8) return { ticks: this.decades(about), base: null };
    const step = nice((this.high - this.low) / about);
    // counted from the first: deep in a zoom the multiples themselves are too large to be told apart
    const begin = Math.ceil(this.low / step - 1e-9) * step;
    const values = Array.from({ length: Math.min(40, Math.floor((this.high - begin) / step + 1e-6) + 1) }, (_, k) => begin + k * step);
    const places = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9) + (step / 10 ** Math.floor(Math.log10(step)) === 2.5 ? 1 : 0));
    const plain = (v, n) => String(Number(v.toFixed(Math.min(n, 20)))).replace("-", "−");
    if (places - Math.max(0, Math.floor(-Math.log10(Math.abs(this.high)))) <= 6 && places <= 9) {
      return { ticks: values.map((v) => ({ part: this.part(v), text: plain(v, places) })), base: null };
    }
    const middle = Number(((this.low + this.high) / 2).toPrecision(Math.max(1, Math.ceil(Math.log10(Math.abs(this.high) / (this.high - this.low))))));
    const power = Math.floor(Math.log10(step));
    const ticks = values.map((v) => ({ part: this.part(v), text: plain((v - middle) / 10 ** power, 1) }));
    return { ticks, base: { value: middle, power } };
  }

  decades(about) {
    const [a, b] = [Math.log10(this.low), Math.log10(this.high)];
    const every = Math.max(1, Math.ceil((b - a) / about));
    const ticks = [];
    const marks = b - a < 2.2 ? [1, 2, 5] : [1];
    for (let p = Math.floor(a); p <= Math.ceil(b); p++) {
      for (const m of marks) {
        const v = m * 10 ** p, part = this.part(v);
        if (part < -1e-6 || part > 1 + 1e-6) continue;
        if (m === 1 && p % every !== 0) continue;
        const text = Math.abs(p) <= 3 && (p >= -2 || m !== 1) ? String(Number(v.toPrecision(3))) : m === 1 ? `10${superscript(p)}` : `${m}·10${superscript(p)}`;
        ticks.push({ part, text });
      }
    }
    return ticks;
  }
}

/** Whether `count` descents along an axis {low, high, scale} are all different numbers, as the engine spaces them. */
export function apart({ low, high, scale }, count) {
  const log = scale === "log", [a, b] = log ? [Math.log10(low), Math.log10(high)] : [low, high], step = (b - a) / (count - 1);
  let before = low;
  for (let k = 1; k < count; k++) {
    const value = k === count - 1 ? high : log ? 10 ** (k * step + a) : k * step + a;
    if (!(value > before)) return false;
    before = value;
  }
  return true;
}

function nice(step) {
  const power = 10 ** Math.floor(Math.log10(step));
  const lead = step / power;
  return (lead < 1.5 ? 1 : lead < 2.25 ? 2 : lead < 3.5 ? 2.5 : lead < 7.5 ? 5 : 10) * power;
}

/** A value with the digits that tell its cell from the neighbours. */
export function exact(value, scale) {
  const gap = scale ? (scale.log ? Math.abs(value) * Math.log(scale.high / scale.low) : scale.high - scale.low) / (scale.count - 1) : Math.abs(value) * 1e-4;
  const digits = value === 0 ? 1 : Math.min(17, Math.max(3, Math.ceil(Math.log10(Math.abs(value) / gap)) + 2));
  const text = Number(value.toPrecision(digits));
  const size = Math.abs(text);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) {
    const [mantissa, exponent] = text.toExponential().split("e");
    return `${mantissa}×10${superscript(Number(exponent))}`.replace("-", "−");
  }
  return String(text).replace("-", "−");
}
