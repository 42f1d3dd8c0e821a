// The line fit: data, line, its place among all lines, and the descent there, all moving together.
import { calmly, copier, el, linked, number, power, put, slider, Stopwatch, stylesheet } from "./slopes/kit.js";
import { History } from "./slopes/tools.js";
import { DataFigure } from "./line/data.js";
import { LossFigure } from "./line/loss.js";
import { PlaneFigure } from "./line/plane.js";
import { TablePanel } from "./line/table.js";

const FIRST = { preset: "line", data: { demo: "line" }, lr: 0.01, steps: 200, start: [0, 0], standardise: false, source: null };
/** More points than this make a link too long to be sent to anybody. */
const LINKED = 200;

export class LineFit extends HTMLElement {
  async connectedCallback() {
    await stylesheet("/static/pages/slopes.css");
    await stylesheet("/static/pages/line.css");
    this.state = opened();
    this.step = null;
    this.watch = new Stopwatch();
    this.build();
    this.refit = true;
    this.offer();
    this.missed();
    await this.ask();
    this.keep();
  }

  disconnectedCallback() { this.past?.close(); }

  restore(state) {
    this.stop();
    this.state = state ?? opened();
    this.step = null;
    this.refit = true;
    this.table.forget();
    this.missed();
    this.ask();
    this.later();
    this.past.marked();
  }

  /** A link made with a long table does not hold it, and says so. */
  missed() {
    const { lost } = this.state;
    if (lost) this.table.say(`This link was made with ${lost.rows.toLocaleString("en-US")} points${lost.file ? ` from ${lost.file}` : ""}, which it does not hold: choose the table again. Meanwhile a demonstration is shown.`);
  }

  build() {
    const finished = () => { this.later(); this.keep(); };
    this.past = new History({ link: (state) => this.linked(state), restore: (state) => this.restore(state), name: "line", picture: () => this.picture() });
    const hold = (w, b) => { this.step = 0; this.set({ start: [neat(w), neat(b)] }); };
    this.data = new DataFigure({ hold, finished, edit: (x, y) => this.edit(x, y) });
    this.plane = new PlaneFigure({ hold, finished, hover: (w, b) => this.transport.ask("hover", "line_at", { data: this.state.data, at: [w, b] }), refit: () => { this.refit = true; this.ask(); } });
    this.loss = new LossFigure({ seek: (k) => this.seek(k), finished });
    this.table = new TablePanel({ ask: (...question) => this.transport.ask(...question), take: (told, sample) => this.take(told, sample) });
    this.chips = el("div", { class: "sl-chips", role: "group", "aria-label": "Fits to look at" });
    this.story = el("p", { class: "sl-lede" });
    this.reading = el("p", { class: "ln-reading" });
    this.spoken = el("p", { class: "ck-away", role: "status" }); // what is heard: the reading at rest
    this.problem = el("p", { class: "sl-problem", role: "alert", hidden: true });
    this.buildControls();
    this.steps = el("table", { class: "sl-check ln-table-steps" });
    this.results = el("table", { class: "sl-check ln-numbers" });
    this.why = el("div", { class: "ln-why" });
    this.command = el("pre", { class: "sl-code", tabindex: "0" });
    const card = (title, says, ...more) => el("section", { class: "sl-card" }, el("header", {}, el("h2", {}, title), says ? el("p", {}, says) : null), ...more);
    this.append(el("div", { class: "sl-page ln-page" },
      el("header", { class: "sl-head" }, el("div", { class: "sl-title" }, el("h1", {}, "Line fit"), this.past.node), this.story),
      el("section", { class: "sl-bar" }, this.chips, this.table.node, this.problem, this.reading, this.spoken),
      (this.top = el("div", { class: "ln-two ln-top" }, this.data.node, this.plane.node)),
      this.controls,
      el("div", { class: "ln-two" },
        el("div", { class: "sl-column" }, (this.below = card("Why it went so", "", this.why))),
        el("div", { class: "sl-column" }, (this.loop = card("As a training loop prints it", "The loss before each update, w and b after it.", this.steps)),
          card("Take it with you", "", this.command, el("div", { class: "sl-turn" }, copier("Copy as command", () => this.told2?.command), copier("Copy as Python", () => this.told2?.python),
            copier("Copy link", () => this.past.address(this.state))), (this.linknote = el("p", { class: "ln-hint" })))))));
    this.numbers = card("In numbers", "", this.results);
    this.third = el("div", { class: "sl-column" });
    this.wide = matchMedia("(min-width: 1900px)");
    this.wide.addEventListener("change", () => this.arrange());
    this.arrange();
    this.later = calmly(() => this.askWhy());
    this.titled();
  }

  /** On a wide screen the loss and the numbers stand beside the figures, else below the controls. */
  arrange() {
    if (this.wide.matches) {
      this.third.append(this.loss.node, this.numbers);
      this.top.append(this.third);
    } else {
      this.third.remove();
      this.below.before(this.loss.node);
      this.loop.before(this.numbers);
    }
  }

  buildControls() {
    const keep = () => { this.later(); this.keep(); };
    this.rate = slider({ label: "learning rate", min: 1e-5, max: 10, step: 0.005, log: true, value: this.state.lr, show: (v) => number(Number(v.toPrecision(3)), 3), change: (v) => { this.set({ lr: Number(v.toPrecision(3)), preset: null }); keep(); }, cls: "ln-rate" });
    this.zone = el("div", { class: "ln-zone" });
    this.mark = el("button", { type: "button", class: "ln-limit", tabindex: "-1", "aria-hidden": "true" });
    this.rate.track.append(this.zone, this.mark);
    this.budget = slider({ label: "steps", min: 1, max: 20000, step: 0.01, log: true, value: this.state.steps, show: (v) => Math.round(v).toLocaleString("en-US"), change: (v) => { this.step = null; this.set({ steps: round(v), preset: null }); keep(); } });
    this.seeker = slider({ label: "shown step", min: 0, max: 200, step: 1, value: 200, show: (v) => String(v), change: (v) => this.seek(v) });
    this.play = el("button", { type: "button", class: "ck-button strong", onclick: () => this.run() }, "▶ Play");
    const nudge = (way) => el("button", { type: "button", class: "ck-button", "aria-label": way > 0 ? "One step on" : "One step back", onclick: () => this.seek((this.now?.step ?? 0) + way) }, way > 0 ? "▸" : "◂");
    this.scaling = el("input", { type: "checkbox", id: "ln-scale", onchange: () => { this.set({ standardise: this.scaling.checked, preset: null }); keep(); } });
    this.about = el("p", { class: "ln-hint" });
    this.limit = el("p", { class: "ln-hint ln-limit-said" });
    this.controls = el("section", { class: "sl-controls ln-controls", "aria-label": "The descent" },
      el("div", { class: "ln-play" }, el("div", { class: "sl-turn" }, this.play, nudge(-1), nudge(1)), this.seeker),
      el("div", { class: "ln-lr" }, this.rate, this.limit), this.budget,
      el("div", { class: "ln-scale" }, el("label", { class: "ln-check", for: "ln-scale" }, this.scaling, " standardise the columns"), this.about));
  }

  async offer() {
    const told = await this.transport.ask("presets", "line_presets", {});
    if (!told || told.error) return;
    this.presets = told.presets;
    put(this.chips, ...told.presets.map((preset) => {
      const chip = el("button", { type: "button", class: "sl-chip" }, preset.title);
      chip.addEventListener("click", () => this.choose(preset));
      chip.preset = preset.name;
      return chip;
    }), this.table.button);
    this.titled();
  }

  choose(preset) {
    this.stop();
    this.step = null;
    this.refit = true;
    this.table.forget();
    this.set({ preset: preset.name, source: null, lost: null, data: preset.data, lr: preset.lr, steps: preset.steps, start: [0, 0], standardise: false });
    this.later();
    this.keep();
  }

  edit(x, y) {
    const names = this.told?.names ?? ["x", "y"];
    this.set({ data: { x, y, names }, preset: null, source: null, lost: null });
  }

  take(told, sample) {
    this.stop();
    this.step = null;
    this.refit = true;
    const { x, y } = told.arrays;
    this.set({ data: { x: [...x], y: [...y], names: [told.x, told.y] }, preset: "csv", source: sample.whole ? { file: sample.name } : null, lost: null, start: told.start, standardise: true, lr: 0.1, steps: 100 });
    this.later();
    this.keep();
  }

  titled() {
    for (const chip of this.chips.children) chip.setAttribute("aria-pressed", String(chip.preset === this.state.preset));
    const preset = this.presets?.find((p) => p.name === this.state.preset);
    this.story.textContent = preset?.story ?? (this.state.preset === "csv" ? "Your own data, in standardised units: the descent needs neither luck nor a tiny rate." : "Least squares by gradient descent: take hold of anything.");
  }

  set(change) {
    this.watch.start();
    Object.assign(this.state, change);
    this.ask();
  }

  question() {
    const { data, lr, steps, start, standardise } = this.state;
    return { data, optimizer: { name: "sgd", values: { lr } }, steps, start, standardise };
  }

  async ask() {
    const refit = this.refit;
    clearTimeout(this.slow);
    this.slow = setTimeout(() => { this.reading.textContent = "Compiling the fit for so many points: a moment, once …"; }, 400);
    const told = await this.transport.ask("line", "line", { ...this.question(), box: refit ? null : this.box });
    if (!told) return;
    clearTimeout(this.slow);
    this.problem.hidden = !told.error;
    if (told.error) { this.problem.textContent = told.error; return; }
    if (refit) { this.refit = false; this.box = told.box; this.redata = true; }
    this.told = told;
    this.draw();
    this.watch.stop();
    if (!this.told2) this.later();
  }

  /** The step that is shown: its place in the arrays, its line, its error. */
  at() {
    const { at, path, loss } = this.told.arrays;
    let i = at.length - 1;
    if (this.step === null && this.told.show !== null) while (i > 0 && at[i] > this.told.show) i--;
    if (this.step !== null) while (i > 0 && at[i] > this.step) i--;
    return { i, step: at[i], w: path[2 * i], b: path[2 * i + 1], mse: loss[i] };
  }

  draw() {
    const { told } = this;
    this.now = this.at();
    this.data.draw(told, this.now, this.redata);
    this.redata = false;
    this.plane.draw(told, this.now);
    this.loss.draw(told, this.now);
    this.reading.textContent = told.reading;
    this.drawControls(told);
    this.drawNumbers(told);
    this.titled();
  }

  drawControls(told) {
    const { at } = told.arrays, last = at[at.length - 1];
    this.seeker.input.max = last;
    this.seeker.set(this.now.step);
    const lowest = told.limit ? Math.min(1e-5, 10 ** Math.floor(Math.log10(told.limit) - 2)) : 1e-5;
    this.rate.input.min = Math.log10(lowest);
    this.rate.set(this.state.lr);
    this.budget.set(this.state.steps);
    this.scaling.checked = this.state.standardise;
    this.about.textContent = told.standardised;
    this.mark.hidden = this.zone.hidden = !told.limit;
    if (told.limit) {
      const t = Math.min(1, Math.max(0, this.rate.place(told.limit)));
      this.mark.style.left = this.zone.style.left = `calc(8px + ${t} * (100% - 16px))`;
      const part = this.state.lr / told.limit;
      this.limit.textContent = `predicted limit ${number(told.limit, 4)}; this rate is ${number(part, 3)} of it${part >= 1 ? ": it will diverge" : ""}`;
      this.limit.classList.toggle("over", part >= 1);
    }
  }

  drawNumbers(told) {
    const row = (name, cls, w, b, mse) => el("tr", { class: cls }, el("th", { scope: "row" }, name), el("td", {}, number(w, 5)), el("td", {}, number(b, 5)), el("td", {}, number(mse, 5)));
    const { final, least_squares: best } = told;
    put(this.results, el("thead", {}, el("tr", {}, ...["", "w", "b", "error (MSE)"].map((t) => el("th", { scope: "col" }, t)))),
      el("tbody", {}, row(`shown: step ${this.now.step.toLocaleString("en-US")}`, "", this.now.w, this.now.b, this.now.mse),
        row(`descent: step ${told.steps.toLocaleString("en-US")}`, "run", final.w ?? Infinity, final.b ?? Infinity, final.mse ?? Infinity), row("least squares", "", best.w, best.b, best.mse)));
    const { table } = told.arrays;
    const rows = [];
    for (let i = 0; i < table.shape[0]; i++) {
      const [k, loss, w, b] = table.subarray(4 * i, 4 * i + 4);
      rows.push(el("tr", {}, el("th", { scope: "row" }, `step ${k.toLocaleString("en-US")}`), el("td", {}, fixed(loss, 4)), el("td", {}, fixed(w, 3)), el("td", {}, fixed(b, 3))));
    }
    put(this.steps, el("thead", {}, el("tr", {}, ...["", "loss", "w", "b"].map((t) => el("th", { scope: "col" }, t)))), el("tbody", {}, ...rows));
  }

  async askWhy() {
    const told = await this.transport.ask("why", "line_why", { ...this.question(), source: this.state.source });
    if (!told || told.error) return;
    this.told2 = told;
    this.spoken.textContent = this.told.reading;
    const button = told.lr ? el("button", { type: "button", class: "ck-button", onclick: () => { this.step = null; this.set({ lr: told.lr, preset: null }); this.later(); this.keep(); } }, `Try ${power(told.lr, 3)}`) : null;
    put(this.why, ...[...told.conclusion, ...told.why].map((sentence) => el("p", {}, sentence)),
      told.advice.length ? el("p", { class: "ln-advice" }, el("strong", {}, "Try: "), told.advice[0].replace(/^--/, "")) : null, button);
    this.command.textContent = told.command.length > 400 ? `${told.command.slice(0, 200)} … ${told.command.slice(-120)}` : told.command;
    const { data } = this.state;
    this.linknote.textContent = data.demo ? "" : this.inLink(this.state) ? "The points are in the link, and nowhere else: whoever has it has them." : `The link holds the settings, not the ${data.x.length.toLocaleString("en-US")} points: so long a table stays on this machine.`;
  }

  seek(k) {
    this.watch.start();
    const { at } = this.told.arrays;
    this.step = Math.max(0, Math.min(at[at.length - 1], Math.round(k)));
    this.draw();
    this.watch.stop();
  }

  run() {
    if (this.timer) { this.stop(); return; }
    const { at } = this.told.arrays, last = at[at.length - 1], began = performance.now(), lasts = Math.min(9000, 1800 + 40 * last);
    const first = this.step === null || this.step >= last ? 0 : this.step;
    this.play.textContent = "❚❚ Stop";
    const turn = (now) => {
      const t = Math.min(1, (now - began) / lasts);
      this.seek(first + (last - first) * t ** 1.8);
      if (t < 1) this.timer = requestAnimationFrame(turn);
      else this.stop();
    };
    this.timer = requestAnimationFrame(turn);
  }

  stop() {
    cancelAnimationFrame(this.timer);
    this.timer = null;
    this.play.textContent = "▶ Play";
  }

  inLink({ data }) { return Boolean(data.demo) || data.x.length <= LINKED; }

  /** What of a state goes into the link. */
  linked(state) {
    if (this.inLink(state)) return state;
    return { ...state, data: FIRST.data, preset: null, source: null, lost: { rows: state.data.x.length, file: state.source?.file } };
  }

  keep() { this.past.keep(() => (this.problem.hidden ? structuredClone(this.state) : null)); }

  picture() {
    const named = [["The data and the line", this.data], ["All lines: the (w, b) plane", this.plane], ["The loss curve", this.loss]];
    const [data, plane, loss] = named.map(([title, figure]) => ({ title, chart: figure.chart }));
    return { rows: [[data, plane], [loss]], said: this.told.reading, about: this.told2?.command };
  }
}
customElements.define("descend-line", LineFit);

/** The state in the link, over the one to begin with. */
const opened = () => ({ ...structuredClone(FIRST), ...(linked() ?? {}) });

const neat = (v) => Number(v.toPrecision(4));
const round = (v) => Math.max(1, Math.min(20000, v < 100 ? Math.round(v) : Number(v.toPrecision(2))));
const fixed = (v, digits) => (Math.abs(v) < 1e5 && (v === 0 || Math.abs(v) > 10 ** -digits) ? v.toFixed(digits).replace("-", "−") : number(v, digits));

export function mount(place, transport) {
  const element = document.createElement("descend-line");
  element.transport = transport;
  place.append(element);
}
