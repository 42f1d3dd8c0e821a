// The whole state of a playground, in the words of its link: those of the command line.
//
//   ?objective=x**2+3*y**2&start=4,3&optimizer=sgd:lr=0.4&optimizer=adam:lr=0.1&steps=60&seed=0

import { throttled } from "../../controls.js";

const KEYS = { noise: "noise", "tol-grad": "tol_grad", "tol-loss": "tol_loss" };

/** Parts between commas that stand outside brackets, as the command line splits them. */
const split = (text) => text.split(/,(?![^()]*\))/).filter((part) => part.trim());

function valueOf(text) {
  const word = text.trim();
  if (word === "true" || word === "false") return word === "true";
  const found = Number(word);
  return word !== "" && Number.isFinite(found) ? found : word;
}

/** A number, or what stands in its place, for the engine to say so. */
const numberOf = (text) => (Number.isFinite(Number(text)) && text.trim() !== "" ? Number(text) : text);

export function optimizerOf(text) {
  const at = text.indexOf(":");
  const name = (at < 0 ? text : text.slice(0, at)).trim();
  const values = {};
  for (const part of at < 0 ? [] : split(text.slice(at + 1))) {
    const sign = part.indexOf("=");
    if (sign > 0) values[part.slice(0, sign).trim()] = valueOf(part.slice(sign + 1));
  }
  return { name, values };
}

export const optimizerText = ({ name, values }) => {
  const parts = Object.entries(values).map(([key, value]) => `${key}=${value}`);
  return parts.length ? `${name}:${parts.join(",")}` : name;
};

/** The state in a query, or null where it names neither an objective nor a preset. */
export function read(query, presets) {
  const words = new URLSearchParams(query);
  const preset = presets.find((p) => p.key === words.get("preset"));
  if (!preset && !words.get("objective")) return null;
  const state = { ...blank(), ...structuredClone(preset?.state ?? {}), preset: preset?.key ?? null };
  if (words.get("objective")) state.objective = words.get("objective");
  if (words.get("start")) state.start = words.get("start").split(",").map(numberOf);
  else if (words.get("objective") && words.get("objective") !== preset?.state.objective) state.start = null;
  if (words.has("optimizer")) state.optimizers = words.getAll("optimizer").map(optimizerOf);
  for (const key of ["steps", "seed"]) if (words.get(key)) state[key] = numberOf(words.get(key));
  for (const [word, key] of Object.entries(KEYS)) if (words.get(word)) state[key] = numberOf(words.get(word));
  state.box = boxOf(words.get("box"));
  state.view = words.get("view") === "surface" ? "surface" : "plane";
  state.arrows = words.get("arrows") === "1";
  state.at = Number.isInteger(Number(words.get("at") || NaN)) ? Number(words.get("at")) : null;
  state.chosen = Math.min(Math.max(0, Number(words.get("chosen")) || 0), state.optimizers.length - 1);
  return state;
}

export const blank = () => ({
  objective: "x**2 + 3*y**2", start: null, steps: 40, seed: 0, noise: 0, tol_grad: null, tol_loss: null,
  optimizers: [{ name: "sgd", values: { lr: 0.1 } }], box: null, view: "plane", arrows: false, at: null, chosen: 0, preset: null,
});

/** x₀,x₁,y₀,y₁ as the box that is seen, or null where it is none. */
function boxOf(text) {
  const [x0, x1, y0, y1, ...more] = (text ?? "").split(",").map(Number);
  return x0 < x1 && y0 < y1 && !more.length && [x0, x1, y0, y1].every(Number.isFinite) ? [[x0, x1], [y0, y1]] : null;
}

/** The query of a state. */
export function write(state) {
  const words = new URLSearchParams();
  words.set("objective", state.objective);
  if (state.start) words.set("start", state.start.join(","));
  for (const optimizer of state.optimizers) words.append("optimizer", optimizerText(optimizer));
  words.set("steps", state.steps);
  words.set("seed", state.seed);
  for (const [word, key] of Object.entries(KEYS)) if (state[key]) words.set(word, state[key]);
  if (state.box) words.set("box", state.box.flat().join(","));
  if (state.view === "surface") words.set("view", "surface");
  if (state.arrows) words.set("arrows", "1");
  if (state.at !== null) words.set("at", state.at);
  if (state.chosen) words.set("chosen", state.chosen);
  if (state.preset) words.set("preset", state.preset);
  return `?${words}`.replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%3D", "=").replaceAll("%28", "(").replaceAll("%29", ")").replaceAll("%2A", "*").replaceAll("%2F", "/").replaceAll("%5E", "^");
}

/** What is asked of the engine: the descent, without the way it is looked at. */
export const params = ({ objective, start, steps, seed, noise, tol_grad, tol_loss, optimizers }) =>
  ({ objective, start, steps, seed, noise, tol_grad, tol_loss, optimizers });

/** States one after another, to go back and forth in. On a page the browser's own history is it, so that Back is undo. */
export class Past {
  constructor(address, restore, words = write) {
    this.address = address;
    this.words = words;
    this.restore = restore;
    this.states = [];
    this.place = -1;
    this.latest = null;
    this.write = throttled(() => this.latest && history.replaceState({ place: this.place }, "", words(this.latest)), 250); // browsers count these
    if (address) addEventListener("popstate", this.popped = (event) => this.jump(event.state?.place));
  }

  close() {
    if (this.address) removeEventListener("popstate", this.popped);
  }

  /** The state while something moves. */
  now(state) {
    this.latest = state;
    if (this.address) this.write();
  }

  /** The state at rest: one more to come back to, unless it is the one we stand on. */
  keep(state) {
    this.latest = state;
    const text = JSON.stringify(state);
    if (this.states[this.place] === text) { this.now(state); return; }
    if (this.address && this.place >= 0) { // the entry that moved along goes back to where it was
      history.replaceState({ place: this.place }, "", this.words(JSON.parse(this.states[this.place])));
      history.pushState({ place: this.place + 1 }, "", this.words(state));
    } else if (this.address) {
      history.replaceState({ place: 0 }, ""); // the address that was opened stands until something is changed
    }
    this.states.splice(++this.place, Infinity, text);
  }

  get back() { return this.place > 0; }
  get forth() { return this.place < this.states.length - 1; }

  undo() { if (this.back) this.go(-1); }
  redo() { if (this.forth) this.go(1); }

  go(way) {
    if (this.address) history.go(way);
    else this.jump(this.place + way);
  }

  jump(place) {
    if (place !== undefined && this.states[place]) {
      this.place = place;
      this.latest = null;
      this.restore(JSON.parse(this.states[place]));
    } else { // from before the page was loaded anew: the address is all there is
      this.states = [];
      this.place = -1;
      this.latest = null;
      this.restore(null);
    }
  }
}
