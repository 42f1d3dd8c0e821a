// Small makers of controls: elements, a slider on a log scale with a marked limit, number fields, menus.
import { number, plain } from "./format.js";

/** h("div", {class: "x", onclick: f}, child, "text", …): an element. Values that are null or false are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

let count = 0;
export const fresh = (stem) => `${stem}-${++count}`;

/** A text field for one number; `take` gets it when it is one. Arrow keys step by `step`, with Shift ten times as far. */
export function numberField({ label, value, take, step = 0.1, least = -Infinity, most = Infinity, wide = false, optional = false, whole = false }) {
  const input = h("input", {
    type: "text", inputmode: "decimal", class: wide ? "ds-number ds-wide" : "ds-number", "aria-label": label, spellcheck: "false",
    autocomplete: "off",
  });
  const ends = [least > -Infinity ? `at least ${least}` : "", most < Infinity ? `at most ${most}` : ""].filter(Boolean).join(" and ");
  const wanted = `a ${whole ? "whole " : ""}number${ends ? ` of ${ends}` : ""}${whole ? "" : ", written with a point: 0.5"}`;
  const bounds = `${label}: ${wanted}`;
  const read = () => {
    const text = input.value.trim().replace("−", "-");
    if (optional && text === "") return null;
    const found = Number(text);
    return text !== "" && Number.isFinite(found) && found >= least && found <= most && (!whole || Number.isInteger(found)) ? found : undefined;
  };
  const refused = h("span", { class: "ds-refused", role: "alert" });
  const says = (words) => {
    input.setAttribute("aria-invalid", String(Boolean(words)));
    input.title = words;
  };
  const tell = (rest) => {
    const found = read();
    says(found === undefined ? bounds : "");
    if (found !== undefined) refused.remove();
    else if (rest) {
      refused.textContent = `${wanted}; not ${JSON.stringify(input.value.trim().slice(0, 40))}`;
      input.after(refused);
    }
    if (found !== undefined) take(found, rest);
  };
  input.addEventListener("input", () => tell(false));
  input.addEventListener("change", () => tell(true));
  input.addEventListener("keydown", (event) => {
    const way = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!way || read() === null || read() === undefined) return;
    event.preventDefault();
    const far = typeof step === "function" ? step(read()) : step;
    set(Math.min(most, Math.max(least, Number((read() + way * far * (event.shiftKey ? 10 : 1)).toPrecision(12)))));
    tell(false);
  });
  const set = (v) => {
    if (document.activeElement === input && read() === v) return;
    input.value = v === null || v === undefined ? "" : plain(v, 5);
    says("");
    refused.remove();
  };
  set(value);
  return { element: input, set };
}

/** A menu; `groups` is {label: [[value, text], …]} or a list of [value, text]. */
export function menu({ label, groups, value, take }) {
  const options = (list) => list.map(([key, text]) => h("option", { value: key }, text));
  const children = Array.isArray(groups)
    ? options(groups)
    : Object.entries(groups).flatMap(([name, list]) => (name ? h("optgroup", { label: name }, options(list)) : options(list)));
  const element = h("select", { "aria-label": label, class: "ds-select", onchange: () => take(element.value) }, children);
  if (value !== undefined) element.value = value;
  return { element, set: (v) => { element.value = v; } };
}

const DECADES = [-4, 1];

/**
 * A slider on a log scale with a field for the exact number. `mark({limit, text})` draws the predicted limit and shades what
 * lies beyond; pressing the mark takes it.
 */
export function logSlider({ label, value, take }) {
  let [low, high] = DECADES;
  const id = fresh("lr");
  const range = h("input", { type: "range", id, class: "ds-range", step: "any", "aria-label": `${label}, on a log scale` });
  const beyond = h("div", { class: "ds-beyond" });
  const mark = h("button", { type: "button", class: "ds-mark-limit", hidden: true, "aria-label": "predicted limit" });
  const field = numberField({ label, value, least: 1e-12, most: 1e6, take: (v, rest) => { show(v); take(v, rest); }, step: (v) => v / 20 });
  const track = h("div", { class: "ds-track" }, beyond, range, mark);
  let now = value, limit = null;

  const place = (v) => `${(100 * (Math.log10(v) - low)) / (high - low)}%`;
  function show(v) {
    now = v;
    low = Math.min(DECADES[0], Math.floor(Math.log10(v)));
    high = Math.max(DECADES[1], Math.ceil(Math.log10(v)), limit ? Math.min(4, Math.ceil(Math.log10(limit) + 0.3)) : 0);
    range.min = low;
    range.max = high;
    range.value = Math.log10(v);
    range.setAttribute("aria-valuetext", `${number(v)}${limit && v > limit ? ", beyond the predicted limit" : ""}`);
    range.classList.toggle("ds-over", Boolean(limit && v > limit * (1 + 1e-9)));
    drawMark();
  }
  function drawMark() {
    const there = limit !== null && Math.log10(limit) >= low && Math.log10(limit) <= high;
    mark.hidden = beyond.hidden = !there;
    beyond.style.left = there ? place(limit) : "100%";
    if (there) mark.style.left = place(limit);
  }
  const few = (v) => Number(v.toPrecision(3));
  const moved = (v, rest) => { show(v); field.set(v); take(v, rest); };
  range.addEventListener("input", () => moved(few(10 ** Number(range.value)), false));
  range.addEventListener("change", () => take(now, true));
  range.addEventListener("keydown", (event) => {
    const way = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 5, PageDown: -5 }[event.key];
    if (!way) return;
    event.preventDefault();
    moved(few(10 ** Math.min(high, Math.max(low, Math.log10(now) + way * 0.02 * (event.shiftKey ? 5 : 1)))), true);
  });
  mark.addEventListener("click", () => moved(few(limit), true));
  show(value);
  return {
    element: h("div", { class: "ds-log" }, h("label", { for: id }, label), track, field.element),
    set: (v) => { show(v); field.set(v); },
    limit(v, words) {
      if (v === limit && mark.title === words) return;
      limit = v;
      mark.title = words ?? "";
      mark.setAttribute("aria-label", words ?? "");
      show(now);
    },
  };
}

/** Call f once nothing has called for `ms`. */
export function rested(f, ms) {
  let timer = null;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => f(...args), ms);
  };
}

/** Call f at once, then at most every `ms`, the last call never lost. */
export function throttled(f, ms) {
  let timer = null, waiting = null;
  return (...args) => {
    waiting = args;
    if (timer) return;
    const go = () => {
      timer = null;
      if (!waiting) return;
      const next = waiting;
      waiting = null;
      timer = setTimeout(go, ms);
      f(...next);
    };
    go();
  };
}
