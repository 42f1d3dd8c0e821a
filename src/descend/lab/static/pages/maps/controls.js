// The map's controls, made from what the engine says there is: objective, optimizer, two axes, colour, steps.
import { valueOf } from "./link.js";

const FORM = `
<h2>Make your own map</h2>
<form class="ds-map-form">
  <fieldset><legend>What</legend>
    <label>Objective <input name="objective" list="ds-map-objectives" spellcheck="false" autocomplete="off"></label>
    <datalist id="ds-map-objectives"></datalist>
    <label>Optimizer <select name="optimizer"></select></label>
    <label class="ds-map-others">Its other values <input name="values" spellcheck="false" autocomplete="off" placeholder="beta2=0.99, eps=1e-6"></label>
    <label class="ds-map-from">Start <input name="start" spellcheck="false" autocomplete="off"></label>
  </fieldset>
  <fieldset><legend>Axes</legend>
    <div class="ds-map-axis" data-axis="x"><label>Across <select name="x"></select></label>
      <label>from <input name="x-low" inputmode="decimal"></label><label>to <input name="x-high" inputmode="decimal"></label>
      <label class="ds-map-check"><input type="checkbox" name="x-log"> log</label></div>
    <div class="ds-map-axis" data-axis="y"><label>Upwards <select name="y"></select></label>
      <label>from <input name="y-low" inputmode="decimal"></label><label>to <input name="y-high" inputmode="decimal"></label>
      <label class="ds-map-check"><input type="checkbox" name="y-log"> log</label></div>
  </fieldset>
  <fieldset><legend>Colour</legend>
    <label>by <select name="by">
      <option value="rate">convergence rate</option><option value="steps">steps to the tolerance</option>
      <option value="loss">final loss, by rank</option><option value="basin">where it comes to rest</option></select></label>
    <label>Steps <input name="steps" inputmode="numeric"></label>
    <label>Descents along a side <select name="size">
      <option>64</option><option>96</option><option>128</option><option>256</option><option>512</option><option>768</option><option>1024</option></select></label>
  </fieldset>
</form>
<div class="ds-map-share" role="group" aria-label="Take it along">
  <button type="button" data-copy="link">Copy link</button>
  <button type="button" data-copy="command">Copy as command</button>
  <button type="button" data-copy="python">Copy as Python</button>
  <button type="button" data-copy="png">Save PNG</button>
  <span class="ds-map-copied" role="status"></span>
</div>`;

export class Controls {
  constructor(place, owner) {
    place.innerHTML = FORM;
    this.place = place;
    this.owner = owner;
    this.form = place.querySelector("form");
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("change", (event) => this.changed(event.target));
    place.querySelector(".ds-map-share").addEventListener("click", (event) => this.share(event.target.closest("button")?.dataset.copy));
  }

  field(name) {
    return this.form.elements.namedItem(name);
  }

  presets({ presets, objectives, optimizers }) {
    const chips = this.owner.querySelector(".ds-map-presets");
    chips.replaceChildren(...presets.map((preset) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.preset = preset.name;
      button.textContent = preset.title;
      let soon = null;
      const resting = () => { soon = setTimeout(() => this.owner.warm(preset.state), 250); };
      for (const kind of ["pointerenter", "focus"]) button.addEventListener(kind, resting);
      for (const kind of ["pointerleave", "blur"]) button.addEventListener(kind, () => clearTimeout(soon));
      button.addEventListener("click", () => { this.owner.cell = null; this.owner.change({ dtype: null, tol: 1e-6, ...preset.state }); });
      return button;
    }));
    this.field("optimizer").replaceChildren(...optimizers.map((o) => new Option(o.title === o.name ? o.name : `${o.name}: ${o.title}`, o.name)));
    this.place.querySelector("datalist").replaceChildren(...objectives.map((o) => new Option(o.text === o.name ? o.title : o.text, o.name)));
  }

  mark(preset) {
    for (const button of this.owner.querySelectorAll("[data-preset]")) button.setAttribute("aria-pressed", String(button.dataset.preset === preset?.name));
  }

  /** What the objective and the optimizer can vary. */
  axes(choices) {
    this.known = choices;
    for (const axis of ["x", "y"]) {
      const select = this.field(axis);
      select.replaceChildren(...choices.axes.map((a) => new Option(a.name, a.name)));
      select.value = this.owner.now[axis].name;
    }
    this.place.querySelector(".ds-map-from").hidden = !choices.variables.length;
    this.fill(this.owner.now);
  }

  fill(state) {
    const put = (name, value) => { const field = this.field(name); if (field !== document.activeElement || field.tagName === "SELECT") field.value = value; };
    put("objective", state.objective);
    put("optimizer", state.optimizer.name);
    put("values", Object.entries(state.optimizer.values ?? {}).map(([k, v]) => `${k}=${v}`).join(", "));
    put("start", (state.start ?? this.known?.start ?? []).join(", "));
    for (const axis of ["x", "y"]) {
      put(axis, state[axis].name);
      put(`${axis}-low`, state[axis].low);
      put(`${axis}-high`, state[axis].high);
      this.field(`${axis}-log`).checked = state[axis].scale === "log";
    }
    put("by", state.by);
    put("steps", state.steps);
    put("size", state.size);
  }

  async changed(field) {
    const { owner } = this, now = owner.state, name = field.name;
    if (name === "objective" || name === "optimizer") return this.other(name, field.value.trim());
    if (name === "values") {
      const { values, amiss } = parsed(field.value);
      if (amiss) { owner.fail(`its other values are written name=value, such as beta2=0.99; not ${JSON.stringify(amiss.slice(0, 40))}`); return; }
      now.optimizer.values = values;
    } else if (name === "start") now.start = field.value.trim() ? field.value.split(",").map(typed) : null;
    else if (name === "by") now.by = field.value;
    else if (name === "steps" || name === "size") now[name] = typed(field.value);
    else if (name === "x" || name === "y") {
      const axis = this.known.axes.find((a) => a.name === field.value);
      const other = name === "x" ? "y" : "x";
      if (now[other].name === axis.name) now[other] = now[name];
      now[name] = pick(axis);
      now.at = null;
    } else {
      const [axis, end] = name.split("-");
      if (end === "log") now[axis].scale = field.checked ? "log" : "linear";
      else now[axis][end] = typed(field.value);
    }
    owner.change(now);
  }

  /** Another objective or optimizer: keep the axes that it also has, and take sensible ones otherwise. */
  async other(what, value) {
    const { owner } = this, now = owner.state;
    if (what === "objective") { now.objective = value; now.start = null; now.at = null; } else now.optimizer = { name: value, values: {} };
    const choices = await owner.transport.ask("map_other", "map_choices", { objective: now.objective, optimizer: { name: now.optimizer.name } });
    if (!choices) return;
    if (choices.error) { owner.fail(choices.error); return; }
    const has = (axis) => choices.axes.find((a) => a.name === axis.name);
    const start = (axis) => choices.axes.some((a) => a.name === axis.name && a.kind === "start");
    const wanted = choices.axes.filter((a) => a.kind !== "start");
    const leaves = choices.axes.filter((a) => a.kind === "leaf");
    const preferred = leaves.length >= 2 ? leaves : [wanted[0], wanted[1] ?? choices.axes.find((a) => a.kind === "start")];
    for (const [k, axis] of ["x", "y"].entries()) {
      const kept = has(now[axis]);
      const suits = kept && (what === "optimizer" || !start(now[axis])) && !leaves.length && (kept.name !== "lr" || what === "optimizer");
      if (!suits) now[axis] = pick(kept && !leaves.length ? kept : preferred[k]);
    }
    if (now.x.name === now.y.name) now.y = pick(choices.axes.find((a) => a.name !== now.x.name));
    if (leaves.length) { now.size = Math.min(now.size, 96); now.steps = Math.min(now.steps, 100); if (now.by === "basin") now.by = "loss"; }
    else if (what === "objective" && now.size < 256) now.size = 512;
    if (now.by === "steps" && !choices.minima.length) now.by = "rate";
    now.at = null;
    owner.change(now);
  }

  async share(kind) {
    if (!kind) return;
    const told = this.place.querySelector(".ds-map-copied");
    if (kind === "png") {
      told.textContent = "drawing …";
      told.textContent = (await this.owner.picture()) || "saved";
    } else {
      const words = this.owner.words(kind);
      if (!words) { told.textContent = "when the map is complete"; return; }
      try {
        await navigator.clipboard.writeText(words);
        told.textContent = "copied";
      } catch {
        told.textContent = words; // no clipboard: to be copied by hand
      }
    }
    clearTimeout(this.told);
    this.told = setTimeout(() => { if (["copied", "saved"].includes(told.textContent)) told.textContent = ""; }, 2500);
  }
}

const pick = ({ name, low, high, scale }) => ({ name, low, high, scale });

/** A number, or what stands in its place, for the engine to say so. */
const typed = (text) => valueOf(text.trim().replace("−", "-"));

/** name=value, parted by commas outside brackets; `amiss` is the first part that is none. */
function parsed(text) {
  const values = {};
  for (const part of text.split(/,(?![^()]*\))/).filter((told) => told.trim())) {
    const equals = part.indexOf("=");
    if (equals <= 0) return { values, amiss: part.trim() };
    values[part.slice(0, equals).trim()] = valueOf(part.slice(equals + 1).trim());
  }
  return { values, amiss: "" };
}
