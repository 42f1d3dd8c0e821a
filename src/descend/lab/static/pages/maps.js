// Maps: a plane of two hyperparameters, each pixel a complete descent. Point at it and that very descent is drawn beside it.
import { number } from "../format.js";
import { Controls } from "./maps/controls.js";
import { legend } from "./maps/legend.js";
import { fromWords, toWords } from "./maps/link.js";
import { PAGE } from "./maps/page.js";
import { MapView } from "./maps/view.js";
import { RunView } from "./maps/run.js";
import { Scale, apart, exact } from "./maps/scale.js";

const NOTHING = { limit: null, labels: [] };

export class DescendMap extends HTMLElement {
  connectedCallback() {
    if (this.built) return;
    this.built = true;
    this.classList.add("ds-map");
    this.innerHTML = PAGE;
    this.timings = {};
    this.warmed = new Set(); // maps whose programs are compiled, or about to be
    this.entries = [];
    this.entry = -1;
    this.cell = null; // the cell under the cross-hair, while there is one
    this.view = new MapView(this.querySelector(".ds-map-stage"), this);
    this.run = new RunView(this.querySelector(".ds-map-run"), this.transport);
    this.controls = new Controls(this.querySelector(".ds-map-make"), this);
    this.querySelector(".ds-map-tools").addEventListener("click", (event) => this.tool(event.target.closest("button")?.dataset.do));
    this.redraw = () => { this.view.redraw(); this.run.redraw(); };
    addEventListener("descend-theme", this.redraw);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", this.redraw);
    this.observer = new ResizeObserver(this.redraw);
    this.observer.observe(this.querySelector(".ds-map-stage"));
    this.observer.observe(this.querySelector(".ds-map-run"));
    if (this.linked) {
      this.returned = (event) => {
        const at = event.state?.descendMap;
        if (!this.presets) return;
        if (this.entries[at]) this.goTo(at);
        else this.begin(fromWords(location.search, this.presets[0].state) ?? this.presets[0].state, { replace: true });
      };
      addEventListener("popstate", this.returned);
    }
    this.begin(null);
  }

  disconnectedCallback() {
    removeEventListener("descend-theme", this.redraw);
    removeEventListener("popstate", this.returned);
    this.observer?.disconnect();
  }

  // -- state, history, link

  /** The whole state; setting it shows that map. */
  get state() {
    return structuredClone(this.now);
  }

  set state(state) {
    if (this.presets) this.change(state);
    else this.first = state;
  }

  async begin(state, { replace = false } = {}) {
    if (!this.presets) {
      const frame = await this.transport.ask("map_choices", "map_choices", {});
      if (!frame || frame.error) return;
      this.presets = frame.presets;
      this.controls.presets(frame);
      state = this.first ?? (this.linked && fromWords(location.search, this.presets[0].state)) ?? null;
      state ||= this.presets[0].state;
    }
    if (replace) { this.entries = []; this.entry = -1; }
    this.change(structuredClone(state), { first: true });
  }

  /** Show another map; a new entry of the history unless `quiet`. */
  change(patch, { quiet = false, first = false } = {}) {
    const next = { ...structuredClone(this.now ?? {}), ...structuredClone(patch) };
    if (quiet && this.entry >= 0) this.entries[this.entry] = next;
    else {
      this.entries.splice(this.entry + 1);
      this.entries.push(next);
      this.entry = this.entries.length - 1;
    }
    this.keep(quiet || first);
    this.show(next);
  }

  keep(replace) {
    if (this.linked) {
      const untouched = this.entry === 0 && same(this.entries[0], this.presets[0].state);
      const address = untouched ? location.pathname : `${location.pathname}?${toWords(this.entries[this.entry])}`;
      history[replace ? "replaceState" : "pushState"]({ descendMap: this.entry }, "", address);
    }
    this.dispatchEvent(new CustomEvent("statechange", { detail: structuredClone(this.entries[this.entry]) }));
  }

  back() { this.step(-1); }

  forward() { this.step(1); }

  step(by) {
    if (!this.entries[this.entry + by]) return;
    if (this.linked) history.go(by);
    else this.goTo(this.entry + by);
  }

  goTo(entry) {
    this.entry = entry;
    this.show(structuredClone(this.entries[entry]));
  }

  tool(what) {
    if (what === "back") this.back();
    if (what === "forward") this.forward();
    if (what === "in") this.zoomAbout(0.5);
    if (what === "out") this.zoomAbout(2);
    if (what === "home") this.home();
  }

  home() {
    const like = (state) => kind(state) === kind(this.now);
    const whole = this.presets.find((p) => like(p.state))?.state ?? this.entries.find(like) ?? this.now;
    if (!same([whole.x, whole.y], [this.now.x, this.now.y])) this.change({ x: whole.x, y: whole.y });
  }

  // -- the map

  show(state) {
    const before = this.now;
    this.now = state;
    const [nx, ny] = [state.size, state.size].flat();
    this.scales = [new Scale(state.x, nx), new Scale(state.y, ny)];
    this.view.setScales(this.scales, !before || kind(before) !== kind(state));
    if (!before || before.objective !== state.objective || before.optimizer.name !== state.optimizer.name || !same(before.start, state.start) || !same(before.optimizer, state.optimizer)) this.prepare(before);
    this.controls.fill(state);
    this.tools();
    const preset = this.presets.find((p) => kind(p.state) === kind(state));
    this.controls.mark(preset);
    this.querySelector(".ds-map-story").textContent = preset?.sentence ?? "";
    if (!before || !same({ ...before, at: 0 }, { ...state, at: 0 })) this.compute();
    this.showRun();
  }

  async prepare(before) {
    const { objective, optimizer, start } = this.now;
    const frame = await this.transport.ask("map_choices", "map_choices", { objective, optimizer: { name: optimizer.name }, start });
    if (!frame) return;
    if (frame.error) { this.fail(frame.error); return; }
    this.choices = frame;
    this.controls.axes(frame);
    this.run.setGround(objective, frame);
  }

  params() {
    const { at, ...rest } = this.now;
    return rest;
  }

  async compute() {
    const began = performance.now(), scales = this.scales, params = this.params();
    const timings = { first: null, complete: null, frames: 0 };
    this.timings = timings;
    this.fail("");
    this.final = null;
    this.view.over(NOTHING);
    this.view.busy(0);
    let words = "waiting for another page's map …";
    const waiting = setInterval(() => this.say(words), 200);
    this.askLimit(params, scales);
    this.warmed.add(kind(this.now));
    const last = await this.transport.follow("map", "map", params, (frame) => {
      if (frame.begun) words = "compiling the program for these axes, once …";
      if (frame.overtaken || frame.begun) return;
      clearInterval(waiting);
      const began_drawing = performance.now();
      this.view.frame(frame, scales);
      legend(this.querySelector(".ds-map-legend"), frame);
      timings.drawing = performance.now() - began_drawing;
      timings.frames++;
      timings.engine = frame.seconds;
      timings.first ??= performance.now() - began;
      if (frame.done < 1) { this.view.busy(frame.done); this.say(`${Math.round(100 * frame.done)} % of ${count(frame.size)} descents`); }
    });
    clearInterval(waiting);
    if (!last || last.overtaken) return;
    this.view.busy(null);
    if (last.error) { this.fail(last.error); this.say(""); return; }
    timings.complete = performance.now() - began;
    this.final = last;
    const wide = last.dtype === "float64" && !this.now.dtype ? ", since float32 cannot tell these apart" : "";
    this.say(`${count(last.size)} descents in ${seconds(timings.complete)}, ${last.dtype}${wide}`);
    this.showRun();
    this.dispatchEvent(new CustomEvent("complete", { detail: timings }));
  }

  /** Somebody is about to choose this map: its program is compiled meanwhile. */
  warm({ at, ...params }) {
    const what = kind(params);
    if (this.warmed.has(what)) return;
    this.warmed.add(what);
    this.transport.ask("map_warm", "map_warm", params);
  }

  async askLimit(params, scales) {
    const frame = await this.transport.ask("map_limit", "map_limit", params);
    if (!frame || frame.error || this.scales !== scales) return;
    this.view.over({ limit: frame.arrays.limit ?? null, name: frame.name, labels: frame.labels });
  }

  say(text) {
    this.querySelector(".ds-map-told").textContent = text;
  }

  fail(sentence) {
    const place = this.querySelector(".ds-map-error");
    place.textContent = sentence;
    place.hidden = !sentence;
    if (sentence) this.view.busy(null);
  }

  tools() {
    const button = (name) => this.querySelector(`[data-do=${name}]`);
    button("back").disabled = this.entry <= 0;
    button("forward").disabled = this.entry >= this.entries.length - 1;
    const label = `${this.now.optimizer.name} on ${this.now.objective}: ${this.scales[0].name} across, ${this.scales[1].name} upwards, coloured by ${this.now.by}`;
    this.querySelector(".ds-map-square").setAttribute("aria-label", label);
  }

  // -- zooming

  bounds(axis) {
    return this.choices?.axes.find((a) => a.name === this.now[axis].name);
  }

  /** Zoom to a rectangle in parts of the axes: [[left, right], [bottom, top]]. */
  zoomTo([[left, right], [bottom, top]]) {
    const x = this.scales[0].between(left, right, this.bounds("x"));
    const y = this.scales[1].between(bottom, top, this.bounds("y"));
    if (same(x, this.now.x) && same(y, this.now.y)) return;
    const deep = [x, y].find((axis, k) => !same(axis, this.now["xy"[k]]) && !apart(axis, this.scales[k].count));
    if (deep) { this.say(`The axis ${deep.name} has no more numbers between ${deep.low} and ${deep.high}: this is as deep as float64 goes.`); return; }
    this.cell = null;
    this.change({ x, y });
  }

  /** Zoom by a factor (below 1: in) about a point in parts of the axes; without one, about the cross-hair or the pin. */
  zoomAbout(factor, about = null) {
    const pin = this.now.at?.map((v, k) => this.scales[k].part(v));
    const centre = about ?? (this.cell ? this.cell.map((c, k) => (c + 0.5) / this.scales[k].count) : null)
      ?? (pin?.every((p) => p > 0 && p < 1) ? pin : [0.5, 0.5]);
    const window = centre.map((c) => [c - c * factor, c + (1 - c) * factor]);
    this.zoomTo(window);
  }

  // -- one of its descents

  /** Move the cross-hair to a cell, or away (null): its descent is drawn, or the pinned one again. */
  point(cell) {
    if (same(cell, this.cell)) return;
    this.cell = cell;
    this.view.redrawOver();
    this.showRun();
  }

  pin(cell = this.cell) {
    if (!cell) return;
    const at = this.shown && same(this.shown.cell, cell) ? this.shown.at : cell.map((c, k) => this.scales[k].value((c + 0.5) / this.scales[k].count));
    this.change({ at }, { quiet: true });
    this.announce = true;
  }

  async showRun() {
    const { cell, scales } = this;
    if (!cell && !this.now.at) return;
    const began = performance.now();
    const asked = cell ? { cell } : { at: this.now.at };
    const frame = await this.transport.ask("map_run", "map_run", { ...this.params(), ...asked });
    if (!frame || this.scales !== scales) return;
    if (frame.error) { if (cell) this.fail(frame.error); return; }
    this.shown = { cell, at: frame.at };
    const minimum = frame.minimum ?? 0, best = this.final?.best?.loss;
    this.run.show(frame, scales, { pinned: !cell, lowest: best === undefined ? null : Math.max(best - minimum, 0) });
    this.timings.run = performance.now() - began;
    this.speak(frame);
  }

  /** The value of the map at a cell, in words. */
  value(cell) {
    const value = this.final?.arrays.value;
    if (!value) return "";
    const v = value[cell[1] * value.shape[1] + cell[0]];
    const by = this.final.legend.by;
    if (by === "rate") return Number.isFinite(v) ? `${number(v, 4)} a step` : "";
    if (by === "loss") return `loss ${number(v, 4)}`;
    return v < 0 ? "not there in time" : `there at step ${v}`;
  }

  speak(frame) {
    if (document.activeElement !== this.querySelector(".ds-map-square")) return;
    const where = frame.at.map((v, k) => `${this.scales[k].name} ${exact(v, this.scales[k])}`).join(", ");
    clearTimeout(this.speaking);
    this.speaking = setTimeout(() => { this.querySelector(".ds-map-said").textContent = `${where}: ${frame.regime}. ${frame.sentence}`; }, 400);
  }

  // -- out of the page

  words(kind) {
    return kind === "link" ? new URL(`/maps?${toWords(this.now)}`, location.href).href : this.final?.[kind];
  }

  async picture() {
    const frame = await this.transport.ask("map_picture", "map_picture", this.params());
    if (!frame || frame.error || frame.overtaken) return frame?.error ?? "";
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([frame.arrays.file], { type: "image/png" }));
    link.download = frame.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    return "";
  }
}
customElements.define("descend-map", DescendMap);

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
/** What a map is of, whatever its view: the same for all zooms into it. */
const kind = (s) => JSON.stringify([s.objective, s.optimizer.name, Object.entries(s.optimizer.values ?? {}).sort(), s.start ?? null, s.steps, s.by, s.x.name, s.y.name, s.x.scale, s.y.scale]);
const count = ([columns, rows]) => `${columns} × ${rows}`;
const seconds = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

/** Show the page's map in `place`; its state is in the link. */
export function mount(place, transport) {
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = new URL("./maps.css", import.meta.url).href;
  document.head.append(sheet);
  const element = document.createElement("descend-map");
  element.transport = transport;
  element.linked = true;
  const shown = () => place.append(element);
  sheet.addEventListener("load", shown, { once: true });
  sheet.addEventListener("error", shown, { once: true });
}
