// The playground: a descent that answers while the pointer moves. Everything it shows is computed by the engine.
import { h, menu, rested, throttled } from "../controls.js";
import { number } from "../format.js";
import { Anatomy } from "./playground/anatomy.js";
import { Curves } from "./playground/curves.js";
import { Figure } from "./playground/figure.js";
import { Question } from "./playground/question.js";
import { Race } from "./playground/race.js";
import { Setup } from "./playground/setup.js";
import { Share } from "./playground/sharing.js";
import { Past, blank, params, read, write } from "./playground/state.js";
import { Steps } from "./playground/steps.js";
import { Zoom } from "./playground/zoom.js";

export class Playground extends HTMLElement {
  /** Milliseconds from each pointer event's handler to its drawn answer; read by the benchmark. */
  timings = [];
  /** When the words beside the picture were last asked for. */
  worded = -Infinity;

  async connectedCallback() {
    if (this.catalogue) return;
    this.classList.add("ds-playground");
    const [catalogue] = await Promise.all([this.transport.ask("catalogue", "catalogue")]);
    this.catalogue = catalogue;
    this.build();
    this.past = new Past(this.addressed ? location : null, (state) => this.restore(state ?? read(location.search, catalogue.presets) ?? this.first()));
    this.restore((this.addressed && read(location.search, catalogue.presets)) || this.given || this.first());
    this.watch();
  }

  disconnectedCallback() {
    this.past?.close();
    document.removeEventListener("keydown", this.keys);
    this.observer?.disconnect();
    removeEventListener("descend-theme", this.recolour);
  }

  first() {
    const preset = this.catalogue.presets[0];
    return { ...blank(), ...structuredClone(preset.state), preset: preset.key };
  }

  // -- building -----------------------------------------------------------------------------------------------------------

  build() {
    const groups = { "": [["", "examples…"]] };
    for (const preset of this.catalogue.presets) (groups[preset.group] ??= []).push([preset.key, preset.title]);
    this.presets = menu({ label: "Examples", groups, take: (key) => { if (key) this.example(key); } });
    this.reading = h("p", { class: "ds-reading" });
    this.notice = h("p", { class: "ds-notice", role: "alert" });
    this.question = new Question((choice) => this.answered(choice));
    this.undoing = h("button", { type: "button", class: "ds-quiet", "aria-label": "Undo", title: "Undo (Ctrl-Z)", disabled: true, onclick: () => this.past.undo() }, "↶");
    this.redoing = h("button", { type: "button", class: "ds-quiet", "aria-label": "Redo", title: "Redo (Ctrl-Shift-Z)", disabled: true, onclick: () => this.past.redo() }, "↷");
    this.share = new Share(this);
    this.figure = new Figure({
      start: (point, rest) => this.startAt(point, rest),
      left: () => this.rest(),
      hover: (at) => { this.hover = at; this.curves.moveLine(at ? at.step : this.state.at); this.drawFigure(); },
      valueAt: (point) => this.transport.ask("point", "point", { objective: this.state.objective, point }),
    });
    const toggle = (text, title, key, on) => h("button", { type: "button", class: "ds-toggle", title, onclick: () => { this.state[key] = on(this.state[key]); this.looked(true); } }, text);
    this.views = toggle("3-D", "Surface instead of contours", "view", (v) => (v === "surface" ? "plane" : "surface"));
    this.arrows = toggle("↘ downhill", "Arrows that point downhill", "arrows", (v) => !v);
    this.steps = new Steps((at, rest) => { this.state.at = at; this.looked(rest); });
    this.setup = new Setup(this);
    const chart = h("div", { class: "ds-chart", role: "img", "aria-label": "Loss over the steps" });
    this.curves = new Curves(chart, (step) => { if (this.frame && step !== this.pointed) { this.pointed = step; this.drawFigure(); this.caption(); } });
    this.summary = h("p", { class: "ds-summary", "aria-live": "polite" });
    this.axis = h("p", { class: "ds-axis" });
    this.race = new Race(this);
    this.zoom = new Zoom(this);
    this.anatomyAt = new Anatomy();
    this.append(
      h("header", { class: "ds-top" }, h("div", { class: "ds-bar" }, this.presets.element, this.undoing, this.redoing, this.share.element), this.notice, this.reading, this.question.element),
      h("div", { class: "ds-left" }, h("div", { class: "ds-frame" }, this.figure.element, h("div", { class: "ds-toggles" }, this.arrows, this.views), this.zoom.element, this.zoom.words), this.steps.element, this.setup.element),
      h("div", { class: "ds-side" }, h("div", { class: "ds-curves" }, this.axis, chart, this.summary), h("div", { class: "ds-race" }, this.race.element, this.race.adding.element)),
      this.anatomyAt.element,
    );
    this.keys = (event) => this.key(event);
    (this.addressed ? document : this).addEventListener("keydown", this.keys);
  }

  watch() {
    this.observer = new ResizeObserver(() => { this.figure.resized(); this.curves.resized(); this.anatomyAt.draw(); });
    this.observer.observe(this.figure.element);
    this.observer.observe(this.curves.host);
    this.recolour = () => { this.figure.redrawGround(); this.curves.recoloured(); this.anatomyAt.draw(); this.cards.forEach((card) => card.paint()); };
    addEventListener("descend-theme", this.recolour);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", this.recolour);
  }

  key(event) {
    const typing = event.target.matches?.("input[type=text]");
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !typing) {
      event.preventDefault();
      if (event.shiftKey) this.past.redo(); else this.past.undo();
    }
  }

  // -- the state ----------------------------------------------------------------------------------------------------------

  restore(state) {
    const before = this.state;
    this.state = structuredClone(state);
    const preset = this.preset;
    this.admit(this.state);
    this.presets.set(preset?.key ?? "");
    if (before?.preset !== state.preset || !before) this.question.ask(preset);
    this.race.makeCards();
    this.setup.show(this.state, null);
    this.changing = { race: false, before: null };
    this.newGround(true);
  }

  /** Say what of a link cannot be shown. */
  async admit(state) {
    const amiss = this.amiss ?? "";
    this.amiss = null;
    const words = await this.race.admit(state);
    if (this.state === state) this.notice.textContent = amiss || words ? `${this.addressed ? "This link: " : ""}${amiss || words}` : "";
  }

  get cards() { return this.race.cards; }

  get preset() { return this.catalogue.presets.find((p) => p.key === this.state.preset); }

  example(key) {
    const preset = this.catalogue.presets.find((p) => p.key === key);
    this.restore({ ...blank(), ...structuredClone(preset.state), preset: key });
  }

  /** Something that is computed has changed; `rest` when it has come to rest. */
  change(rest = true) {
    if (this.changing) { this.newGround(true); return; } // what is drawn is still another ground
    this.run(performance.now(), rest);
    if (rest && this.outside) this.newGround(true);
    else if (rest) this.rest();
    else this.doubted(); // a pointer may rest without being lifted
  }

  /** Whether the start lies where no ground is drawn. */
  get outside() {
    const box = this.ground?.box;
    return Boolean(box) && !this.state.box && Boolean(this.state.start) && this.state.start.some((v, i) => v < box[i][0] || v > box[i][1]);
  }

  /** Only the way it is looked at has changed. */
  looked(rest = true) {
    if (!this.frame) return;
    this.drawAll();
    this.past.now(this.state);
    this.anatomy();
    if (rest) this.keep();
  }

  rest() {
    this.keep();
    this.doubted();
  }

  /** What is told of the run and of one step is no longer so: told anew as soon as nothing has moved for a moment. */
  doubted() {
    this.explain();
    this.anatomy();
  }

  keep = rested(() => {
    this.past.keep(this.state);
    this.undoing.disabled = !this.past.back;
    this.redoing.disabled = !this.past.forth;
    this.dispatchEvent(new CustomEvent("descend-state", { detail: { state: structuredClone(this.state), query: write(this.state) } }));
  }, 200);

  startAt(point, rest) {
    if (this.changing || point.length !== this.state.start?.length) return; // the ground that was dragged on is going
    this.state.start = point;
    this.change(rest);
  }

  objective(text) {
    if (!text || text === this.state.objective) {
      this.setup.show(this.state, null); // what was typed and not taken does not stay
      this.setup.says("");
      return;
    }
    const before = structuredClone(this.state);
    const surface = this.catalogue.surfaces.find((s) => s.name === text);
    this.state.objective = text;
    this.state.start = surface ? [...surface.start] : null;
    this.state.preset = null;
    this.state.at = null;
    this.state.box = null;
    this.changing = { race: Boolean(surface) || this.state.start === null, before };
    this.newGround(true);
  }

  answered(choice) {
    if (choice.shows !== null) this.state.chosen = choice.shows;
    this.drawAll();
    this.limits();
    this.explain();
    this.anatomy();
  }

  // -- asking -------------------------------------------------------------------------------------------------------------

  /** Ask for the runs and the ground below them. `changing` holds what to go back to where the new formula cannot be read. */
  async newGround(rest) {
    const turn = this.turn = Symbol("turn"), { race, before } = this.changing ?? { race: false, before: null };
    if (race) { // rates of another objective mean nothing here: the engine predicts new ones
      this.state.optimizers = this.state.optimizers.map(({ name, values: { lr: _, ...values } }) => ({ name, values }));
    }
    const asked = params(this.state), { box } = this.state;
    const busy = setTimeout(() => this.classList.add("ds-busy"), 250); // a new formula is compiled once
    const frame = await this.transport.ask("run", "run", asked); // first, so that what it compiles serves the ground too
    const ground = frame && !frame.error ? await this.transport.ask("ground", "ground", { ...asked, box }) : null;
    clearTimeout(busy);
    if (this.turn !== turn) return; // another example, or another formula, was chosen meanwhile
    this.changing = null;
    this.classList.remove("ds-busy");
    if (!frame) return;
    const problem = frame.error ?? ground?.error;
    if (problem && !this.frame && this.addressed && this.state.preset !== this.first().preset) { // the page is not left empty
      this.amiss = `${problem}. Shown instead: the first example.`;
      this.restore(this.first());
      return;
    }
    this.setup.says(problem);
    if (problem && before) { // the picture and its controls stay those of the formula before; what was typed stands to be mended
      this.state = before;
      this.race.makeCards();
      this.setup.failed(before);
    }
    if (problem || !ground) return;
    if (before) { this.question.ask(null); this.presets.set(""); }
    this.ground = ground;
    this.state.start ??= [...frame.start];
    if (race) {
      frame.runs.forEach((run, k) => { if (typeof run.values.lr === "number") this.state.optimizers[k].values.lr = run.values.lr; });
      this.race.makeCards();
    }
    this.take(frame);
    this.stand(ground);
    this.limits();
    if (rest) this.rest();
  }

  /** Run anew. In mid-drag the words come ten times a second only: nobody reads faster, and what is drawn comes sooner. */
  async run(begun, rest) {
    this.names = this.race.names;
    const brief = !rest && Boolean(this.ground?.box) && begun - this.worded < 100;
    if (brief) this.reword();
    else this.worded = begun;
    const busy = setTimeout(() => this.classList.add("ds-busy"), 250); // another rule, or the first noise, is compiled once
    const frame = await this.transport.ask("run", "run", { ...params(this.state), brief });
    clearTimeout(busy);
    if (!frame) return;
    if (!this.changing) this.classList.remove("ds-busy");
    this.setup.says(frame.error);
    if (frame.error) return;
    if (brief && frame.runs.length !== this.frame.runs.length) return;
    if (brief) frame.runs = frame.runs.map((run, k) => ({ ...this.frame.runs[k], ...run }));
    this.take(frame, !brief);
    if (!brief) this.limits();
    await null; // the curves are drawn in a microtask of their own
    this.timings.push(performance.now() - begun);
    if (this.timings.length > 5000) this.timings.splice(0, 1000);
    this.past.now(this.state);
  }

  reword = rested(() => this.run(performance.now(), true), 100);

  limits = throttled(async () => {
    const frame = await this.transport.ask("limits", "limits", params(this.state));
    if (!frame || frame.error || this.question.open) return;
    frame.limits.forEach((limit, k) => { if (this.cards[k]?.rule.kind === "linear") this.cards[k].limit(limit); });
  }, 300);

  explain = rested(async () => {
    const frame = await this.transport.ask("explain", "explain", params(this.state));
    if (!frame || frame.error || this.question.open) return;
    frame.runs.forEach((told, k) => this.cards[k]?.explained(told));
    this.explained = frame;
  }, 150);

  anatomy = rested(async () => {
    if (!this.frame || this.question.open) return;
    const k = this.state.chosen, last = this.frame.runs[k]?.steps ?? 1;
    const step = Math.min(this.state.at ?? Math.min(4, last - 1), last - 1);
    if (step < 0) return;
    const told = await this.transport.ask("anatomy", "anatomy", { ...params(this.state), k, step });
    if (!told || told.error || !this.cards[told.k]) return;
    this.cards[told.k].equations(told.equations);
    this.anatomyAt.show(told, this.cards[told.k].rule.title);
  }, 60);

  /** Take a ground, or another view of it. */
  stand(ground) {
    this.ground = ground;
    this.frame.curve = ground.arrays.curve ?? null;
    this.figure.stand(ground, this.state.box);
  }

  // -- drawing ------------------------------------------------------------------------------------------------------------

  take(frame, words = true) {
    this.frame = frame;
    frame.curve = this.ground?.arrays.curve ?? null;
    this.drawAll(words);
  }

  drawAll(words = true) {
    const { frame, state } = this, hidden = this.question.open;
    this.names = this.race.names;
    this.drawFigure();
    if (!hidden) this.curves.draw(frame, this.names, state.at, state.chosen);
    if (!words) return;
    this.steps.length(Math.max(...frame.runs.map((run) => run.steps)), state.at);
    this.classList.toggle("ds-hidden-runs", hidden);
    this.setup.show(state, frame.variables);
    this.views.setAttribute("aria-pressed", String(state.view === "surface"));
    this.arrows.setAttribute("aria-pressed", String(state.arrows));
    this.zoom.show();
    this.views.hidden = this.arrows.hidden = this.ground?.dimensions !== 2;
    frame.runs.forEach((run, k) => (hidden ? this.cards[k]?.silent() : this.cards[k]?.ran(run, k === state.chosen)));
    this.tell(frame, hidden);
  }

  drawFigure() {
    const { state } = this;
    this.figure.draw(this.frame, {
      names: this.names, at: this.pointed ?? state.at, chosen: state.chosen, arrows: state.arrows, surface: state.view === "surface",
      hidden: this.question.open, hover: this.hover,
    });
  }

  tell(frame, hidden) {
    const preset = this.preset, kept = preset && preset.state.objective === this.state.objective;
    const text = kept ? (preset.question ? "" : preset.reading) : this.ground?.note || "";
    if (this.reading.textContent !== text) this.reading.textContent = text;
    this.caption();
    this.summarise(hidden ? "" : winner(frame, this.names, this.state.optimizers.every((o) => o.values.maximize)));
  }

  /** What the curves show; while the pointer is over them, the losses of its step. */
  caption() {
    const { frame, pointed } = this;
    const above = frame.loss.offset ? ` above its minimum ${number(frame.loss.offset)}` : "";
    const at = (k) => frame.arrays[`loss${k}`][pointed];
    const losses = frame.runs.map((_, k) => (at(k) === undefined ? "" : `${this.names[k]} ${number(at(k) - frame.loss.offset, 4)}`));
    const text = (pointed ?? null) === null ? `loss${above}` : `loss${above} at step ${pointed}: ${losses.filter(Boolean).join(", ")}`;
    if (this.axis.textContent !== text) this.axis.textContent = text;
  }

  /** Told at rest only: a live region that speaks at each pointer event helps nobody. */
  summarise = rested((text) => { if (this.summary.textContent !== text) this.summary.textContent = text; }, 250);
}

/** Who ends lowest, or highest where all climb, and how near to the minimum. */
function winner(frame, names, climb) {
  const runs = frame.runs.map((run, k) => ({ run, k, loss: frame.arrays[`loss${k}`].at(-1) })).filter(({ run, loss }) => Number.isFinite(loss) && run.outcome !== "diverged" && run.outcome !== "failed");
  if (frame.runs.length < 2) return "";
  if (!runs.length) return "None of them stays.";
  const lowest = runs.reduce((a, b) => ((climb ? b.loss > a.loss : b.loss < a.loss) ? b : a));
  return `${climb ? "Highest value" : "Lowest loss"}: ${names[lowest.k]}, ${lowest.run.last} after ${lowest.run.steps} step${lowest.run.steps === 1 ? "" : "s"}${lowest.run.distance === null ? "" : `, ${lowest.run.distance} from the minimum`}.`;
}

customElements.define("descend-playground", Playground);

export function mount(place, transport) {
  const element = document.createElement("descend-playground");
  element.transport = transport;
  element.addressed = true;
  place.append(element);
  return element;
}
