// Taking a picture along: a canvas that writes SVG, a GIF encoder, and handing files and text to the reader.

/** A stand-in for a canvas context that writes SVG: the part of the interface that the figures use. */
export class SvgContext {
  constructor(width, height) {
    Object.assign(this, { width, height, fillStyle: "#000", strokeStyle: "#000", lineWidth: 1, globalAlpha: 1, font: "12px sans-serif", textAlign: "left", textBaseline: "alphabetic", lineJoin: "miter" });
    this.dash = [];
    this.path = [];
    this.parts = [];
    this.kept = [];
    this.groups = 0;
    this.clips = 0;
    this.ruler = document.createElement("canvas").getContext("2d");
  }

  beginPath() { this.path = []; }
  // a canvas leaves out what is nowhere, and so does this
  moveTo(x, y) { if (somewhere(x, y)) this.path.push(`M${n(x)} ${n(y)}`); }
  lineTo(x, y) { if (somewhere(x, y)) this.path.push(`L${n(x)} ${n(y)}`); }
  closePath() { this.path.push("Z"); }
  rect(x, y, w, h) { if (somewhere(x, y, w, h)) this.path.push(`M${n(x)} ${n(y)}h${n(w)}v${n(h)}h${n(-w)}Z`); }
  arc(x, y, r) { if (somewhere(x, y, r)) this.path.push(`M${n(x - r)} ${n(y)}a${n(r)} ${n(r)} 0 1 0 ${n(2 * r)} 0a${n(r)} ${n(r)} 0 1 0 ${n(-2 * r)} 0Z`); }
  setLineDash(dash) { this.dash = dash; }
  fill() { this.emit(`<path d="${this.path.join("")}" fill="${this.fillStyle}" fill-rule="evenodd"${this.alpha}/>`); }
  stroke() {
    const dash = this.dash.length ? ` stroke-dasharray="${this.dash.join(" ")}"` : "";
    this.emit(`<path d="${this.path.join("")}" fill="none" stroke="${this.strokeStyle}" stroke-width="${n(this.lineWidth)}" stroke-linejoin="${this.lineJoin}"${dash}${this.alpha}/>`);
  }
  fillRect(x, y, w, h) { if (somewhere(x, y, w, h)) this.emit(`<rect x="${n(x)}" y="${n(y)}" width="${n(w)}" height="${n(h)}" fill="${this.fillStyle}"${this.alpha}/>`); }
  strokeRect(x, y, w, h) { if (somewhere(x, y, w, h)) this.emit(`<rect x="${n(x)}" y="${n(y)}" width="${n(w)}" height="${n(h)}" fill="none" stroke="${this.strokeStyle}" stroke-width="${n(this.lineWidth)}"/>`); }
  fillText(text, x, y) { this.write(text, x, y, `fill="${this.fillStyle}"`); }
  strokeText(text, x, y) { this.write(text, x, y, `fill="none" stroke="${this.strokeStyle}" stroke-width="${n(this.lineWidth)}" stroke-linejoin="round"`); }
  measureText(text) { this.ruler.font = this.font; return this.ruler.measureText(text); }
  save() { this.kept.push({ fillStyle: this.fillStyle, strokeStyle: this.strokeStyle, lineWidth: this.lineWidth, globalAlpha: this.globalAlpha, font: this.font, dash: this.dash, groups: this.groups, textAlign: this.textAlign }); }
  restore() {
    const { groups, ...rest } = this.kept.pop();
    while (this.groups > groups) { this.emit("</g>"); this.groups--; }
    Object.assign(this, rest);
  }
  clip() {
    const id = `clip${++this.clips}`;
    this.emit(`<clipPath id="${id}"><path d="${this.path.join("")}"/></clipPath><g clip-path="url(#${id})">`);
    this.groups++;
  }
  get alpha() { return this.globalAlpha < 1 ? ` opacity="${this.globalAlpha}"` : ""; }
  emit(part) { this.parts.push(part); }
  write(text, x, y, paint) {
    if (!somewhere(x, y)) return;
    const [, weight = "", size = "12", family = "sans-serif"] = /^(\d{3} )?([\d.]+)px (.*)$/.exec(this.font) ?? [];
    const anchor = { right: "end", center: "middle" }[this.textAlign] ?? "start";
    const shift = this.textBaseline === "middle" ? Number(size) * 0.35 : 0;
    this.emit(`<text x="${n(x)}" y="${n(y + shift)}" font-family="${escaped(family)}" font-size="${size}"${weight ? ` font-weight="${weight.trim()}"` : ""} text-anchor="${anchor}" ${paint}>${escaped(text)}</text>`);
  }

  /** The picture; `about` is kept in it as its description. */
  text(about = "") {
    const size = `width="${this.width}" height="${this.height}" viewBox="0 0 ${this.width} ${this.height}"`;
    return `<svg xmlns="http://www.w3.org/2000/svg" ${size}><desc>${escaped(about)}</desc><clipPath id="all"><rect width="${this.width}" height="${this.height}"/></clipPath><g clip-path="url(#all)">${this.parts.join("\n")}</g></svg>`;
  }
}

const somewhere = (...numbers) => numbers.every(Number.isFinite);
const n = (v) => (Math.round(v * 100) / 100).toString();
const escaped = (text) => String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

/** Frames of canvases' image data {data, width, height} -> GIF bytes that loop; `delays` in hundredths of a second. */
export function gif(frames, delays) {
  const { width, height } = frames[0], palette = paletteOf(frames), out = [];
  const word = (v) => out.push(v & 255, v >> 8);
  out.push(..."GIF89a".split("").map((c) => c.charCodeAt(0)));
  word(width);
  word(height);
  out.push(0xf7, 0, 0); // a global palette of 256 colours
  for (let i = 0; i < 256; i++) out.push(...(palette.colours[i] ?? [0, 0, 0]));
  out.push(0x21, 0xff, 11, ..."NETSCAPE2.0".split("").map((c) => c.charCodeAt(0)), 3, 1, 0, 0, 0);
  frames.forEach((frame, i) => {
    out.push(0x21, 0xf9, 4, 0);
    word(delays[i]);
    out.push(0, 0, 0x2c, 0, 0, 0, 0);
    word(width);
    word(height);
    out.push(0, 8);
    const codes = lzw(palette.indices(frame));
    for (let at = 0; at < codes.length; at += 255) {
      const block = codes.slice(at, at + 255);
      out.push(block.length);
      for (const byte of block) out.push(byte);
    }
    out.push(0);
  });
  out.push(0x3b);
  return new Uint8Array(out);
}

/** The 256 commonest colours of the first and the last frame, to 5 bits a channel; others go to the nearest. */
function paletteOf(frames) {
  const counts = new Map(), sums = new Map();
  const key = (data, i) => ((data[i] >> 3) << 10) | ((data[i + 1] >> 3) << 5) | (data[i + 2] >> 3);
  for (const { data } of new Set([frames[0], frames.at(-1)])) {
    for (let i = 0; i < data.length; i += 4) {
      const k = key(data, i), sum = sums.get(k) ?? [0, 0, 0];
      counts.set(k, (counts.get(k) ?? 0) + 1);
      for (let c = 0; c < 3; c++) sum[c] += data[i + c];
      sums.set(k, sum);
    }
  }
  const common = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 256);
  const colours = common.map(([k, count]) => sums.get(k).map((v) => Math.round(v / count)));
  const known = new Map(common.map(([k], i) => [k, i]));
  const nearest = (r, g, b) => {
    let best = 0, least = Infinity;
    colours.forEach((c, i) => {
      const far = (c[0] - r) ** 2 + (c[1] - g) ** 2 + (c[2] - b) ** 2;
      if (far < least) { least = far; best = i; }
    });
    return best;
  };
  const indices = ({ data }) => {
    const found = new Uint8Array(data.length / 4);
    for (let i = 0, j = 0; i < data.length; i += 4, j++) {
      const k = key(data, i);
      if (!known.has(k)) known.set(k, nearest(data[i], data[i + 1], data[i + 2]));
      found[j] = known.get(k);
    }
    return found;
  };
  return { colours, indices };
}

/** GIF's variable-width LZW of bytes, 8 bits a symbol. */
function lzw(symbols) {
  const CLEAR = 256, END = 257, out = [];
  let table = new Map(), next = 258, width = 9, bits = 0, held = 0;
  const put = (code) => {
    held |= code << bits;
    bits += width;
    while (bits >= 8) { out.push(held & 255); held >>>= 8; bits -= 8; }
  };
  put(CLEAR);
  let prefix = symbols[0];
  for (let i = 1; i < symbols.length; i++) {
    const k = prefix * 256 + symbols[i], found = table.get(k);
    if (found !== undefined) { prefix = found; continue; }
    put(prefix);
    if (next < 4096) {
      if (next === 1 << width && width < 12) width++;
      table.set(k, next++);
    } else {
      put(CLEAR);
      table = new Map();
      next = 258;
      width = 9;
    }
    prefix = symbols[i];
  }
  put(prefix);
  if (next === 1 << width && width < 12) width++;
  put(END);
  if (bits > 0) out.push(held & 255);
  return out;
}

/** Offer bytes or text as a file. */
export function save(name, content, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Put text on the clipboard; where the browser does not let us, false. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
