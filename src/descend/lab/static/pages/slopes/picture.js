// The charts of a page as one picture: SVG with every style written out, so that any reader shows it, or a PNG of it.
import { css } from "../../plot/plane.js";
import { SvgContext, save } from "../../share.js";

const STYLES = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "opacity", "fill-opacity", "stroke-opacity", "paint-order", "font-family", "font-size", "font-style", "font-weight"];
const PLAIN = { "stroke-width": "1px", "stroke-dasharray": "none", "stroke-linecap": "butt", "stroke-linejoin": "miter", opacity: "1", "fill-opacity": "1", "stroke-opacity": "1", "paint-order": "normal", "font-style": "normal", "font-weight": "400" };
const EDGE = 20, GAP = 18, HEAD = 26, LINE = 20, SVG = "http://www.w3.org/2000/svg";

const known = new Map();
/** A colour as every reader of SVG knows it: mixtures come as oklab(…). */
function plainColour(colour) {
  if (colour === "none" || /^rgba?\(|^#|^url\(/.test(colour)) return colour;
  if (!known.has(colour)) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 1;
    const context = canvas.getContext("2d");
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
    known.set(colour, a === 255 ? `rgb(${r},${g},${b})` : `rgba(${r},${g},${b},${(a / 255).toFixed(3)})`);
  }
  return known.get(colour);
}

/** A chart's nodes with their looks as attributes; what only a pointer or a reader of screens needs is left out. */
function standing(chart) {
  const copy = chart.svg.cloneNode(true);
  const mine = [chart.svg, ...chart.svg.querySelectorAll("*")], theirs = [copy, ...copy.querySelectorAll("*")];
  mine.forEach((node, k) => {
    const looks = getComputedStyle(node), twin = theirs[k];
    for (const name of ["class", "style", "role", "tabindex", ...node.getAttributeNames().filter((n) => n.startsWith("aria"))]) twin.removeAttribute(name);
    if (!["path", "line", "rect", "circle", "text"].includes(node.tagName)) return;
    for (const name of STYLES) {
      if (name.startsWith("font") && node.tagName !== "text") continue;
      const value = name === "fill" || name === "stroke" ? plainColour(looks[name]) : looks.getPropertyValue(name);
      if (value && value !== PLAIN[name]) twin.setAttribute(name, value);
    }
  });
  theirs.forEach((twin, k) => { if (mine[k].classList.contains("ck-hit")) twin.remove(); });
  return copy;
}

/** Lines of a sentence that are no longer than `width` pixels. */
function lines(context, words, width) {
  const found = [""];
  for (const word of words.split(/\s+/)) {
    const longer = `${found.at(-1)} ${word}`.trim();
    if (context.measureText(longer).width <= width || !found.at(-1)) found[found.length - 1] = longer;
    else found.push(word);
  }
  return found;
}

/**
 * `rows` of panels {title, chart, under}: `under(context)` paints what lies below the chart on a canvas of its own. `said` is a
 * sentence below, `about` the picture's description.
 */
export function svgOf(rows, said, about) {
  const sizes = rows.map((row) => ({ wide: row.reduce((sum, p) => sum + p.chart.width + GAP, -GAP), high: Math.max(...row.map((p) => p.chart.height)) + HEAD }));
  const width = Math.max(...sizes.map((s) => s.wide)) + 2 * EDGE, probe = new SvgContext(1, 1);
  probe.font = `15px ${css("--font")}`;
  const told = said ? lines(probe, said, width - 2 * EDGE) : [];
  const height = sizes.reduce((sum, s) => sum + s.high + GAP, EDGE) + told.length * LINE + (told.length ? 6 : 0);
  const context = new SvgContext(width, height);
  context.fillStyle = css("--page");
  context.fillRect(0, 0, width, height);
  let top = EDGE;
  rows.forEach((row, k) => {
    let left = EDGE;
    for (const { title, chart, under } of row) {
      context.fillStyle = css("--ink");
      context.font = `600 16px ${css("--font")}`;
      context.fillText(title, left, top + 14);
      const copy = standing(chart);
      copy.setAttribute("x", left);
      copy.setAttribute("y", top + HEAD);
      if (under) {
        const ground = new SvgContext(chart.wide, chart.high);
        under(ground);
        context.emit(`<svg x="${left + chart.left}" y="${top + HEAD + chart.top}" width="${chart.wide}" height="${chart.high}">${ground.parts.join("")}</svg>`);
      }
      context.emit(new XMLSerializer().serializeToString(copy).replace(` xmlns="${SVG}"`, ""));
      left += chart.width + GAP;
    }
    top += sizes[k].high + GAP;
  });
  context.font = `15px ${css("--font")}`;
  context.fillStyle = css("--ink");
  told.forEach((line, k) => context.fillText(line, EDGE, top + k * LINE + 8));
  return { text: context.text(about), width, height };
}

/** The picture as a file; resolves to what is to be said of it. */
export async function savePicture(kind, name, { rows, said, about }) {
  const { text, width, height } = svgOf(rows, said, about);
  if (kind === "svg") {
    save(`${name}.svg`, text, "image/svg+xml");
    return `Saved as ${name}.svg.`;
  }
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = 2 * width;
  canvas.height = 2 * height;
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(image.src);
  save(`${name}.png`, await new Promise((done) => canvas.toBlob(done, "image/png")), "image/png");
  return `Saved as ${name}.png.`;
}
