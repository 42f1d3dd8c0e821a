// Slopes: one derivative read three ways, by rule, by difference, and in two directions at once.
import { calmly, copier, el, linked, math, mathOf, number, power, put, slider, Stopwatch, stylesheet } from "./slopes/kit.js";
import { chainPanel, rulesPanel } from "./slopes/rules.js";
import { threeFramings } from "./slopes/three.js";
import { History } from "./slopes/tools.js";
import { twoInputs } from "./slopes/two.js";
import { valley } from "./slopes/valley.js";

const FIRST = { f: "x^2", at: 1, h: 0.5, box: [-1.2, 2.6], two: { f: "x^2 + 3y^2", at: [4, 3], box: [[-6, 6], [-6, 6]], angle: 20, h: 1e-4 } };
const SMALLEST = 1e-16;

export class Slopes extends HTMLElement {
  async connectedCallback() {
    await stylesheet("/static/pages/slopes.css");
    this.state = opened();
    this.watch = new Stopwatch();
    this.build();
    this.presets();
    await this.ask();
    this.later();
    this.keep();
  }

  disconnectedCallback() { this.past?.close(); }

  restore(state) {
    this.state = state ?? opened();
    this.field.value = this.state.f;
    this.two.restore(this.state.two);
    this.ask();
    this.later();
    this.past.marked();
  }

  build() {
    const finished = () => { this.later(); this.keep(); };
    this.past = new History({ link: (state) => state, restore: (state) => this.restore(state), name: "slopes", picture: () => this.picture() });
    this.three = threeFramings({ move: (at) => this.set({ at: tidy(at, this.state.box) }), wiggle: (h) => this.set({ h: within(h) }), finished });
    this.valley = valley({ pick: (h) => this.set({ h: (this.state.h < 0 ? -1 : 1) * h }), finished });
    this.rules = rulesPanel();
    this.chain = chainPanel({ ask: (...question) => this.transport.ask(...question) });
    this.two = twoInputs({ transport: this.transport, state: this.state.two, keep: () => this.keep(), watch: this.watch });
    this.field = el("input", { id: "sl-f", class: "sl-input", spellcheck: "false", autocomplete: "off", autocapitalize: "off", maxlength: 400, value: this.state.f });
    this.field.addEventListener("input", () => this.typed());
    this.chips = el("div", { class: "sl-chips", role: "group", "aria-label": "Formulas to try" });
    this.shown = el("div", { class: "sl-formula" });
    this.problem = el("p", { class: "sl-problem", role: "status", hidden: true });
    this.numbers = el("div", { class: "sl-numbers" });
    this.spoken = el("p", { class: "ck-away", role: "status" }); // what is heard: the numbers at rest
    this.hslider = slider({
      label: "step h", min: SMALLEST, max: 1, step: 0.02, log: true, value: Math.abs(this.state.h), show: (h) => power((this.state.h < 0 ? -1 : 1) * h, 3),
      change: (h) => { this.set({ h: (this.state.h < 0 ? -1 : 1) * h }); this.keep(); }, cls: "sl-h",
    });
    this.sign = el("button", { type: "button", class: "ck-button", "aria-pressed": "false", onclick: () => { this.set({ h: -this.state.h }); finished(); } }, "h < 0");
    this.play = el("button", { type: "button", class: "ck-button strong", onclick: () => this.shrink() }, "▶ Let h shrink");
    const code = (key) => () => this.derived?.[key];
    this.append(el("div", { class: "sl-page" },
      el("header", { class: "sl-head" }, el("div", { class: "sl-title" }, el("h1", {}, "Slopes"), this.past.node),
        el("p", { class: "sl-lede" }, "A derivative is one number with three readings. Drag the point, shrink the step, and watch them agree.")),
      el("section", { class: "sl-bar", "aria-label": "The formula" },
        el("div", { class: "sl-type" }, el("label", { for: "sl-f" }, "f ="), this.field, this.shown), this.chips, this.problem),
      this.three.node,
      el("section", { class: "sl-controls", "aria-label": "The step h" },
        el("div", { class: "sl-turn" }, this.play, this.sign), this.hslider, this.numbers, this.spoken),
      el("div", { class: "sl-pair" },
        el("div", { class: "sl-column" }, this.valley.node, this.chain.node),
        el("div", { class: "sl-column" }, this.rules.node, this.chain.many, el("section", { class: "sl-card" },
          el("header", {}, el("h2", {}, "Take it with you"), el("p", {}, "The same numbers from the command line and the library.")),
          (this.command = el("pre", { class: "sl-code", tabindex: "0" })),
          el("div", { class: "sl-turn" }, copier("Copy as command", code("command")), copier("Copy as Python", code("python")),
            copier("Copy link", () => this.past.address(this.whole())))))),
      this.two.node));
    this.later = calmly(() => this.askMore());
  }

  async presets() {
    const told = await this.transport.ask("presets", "slope_presets", {});
    if (!told || told.error) return;
    put(this.chips, ...told.curves.map((curve) => {
      const chip = el("button", { type: "button", class: "sl-chip", title: curve.story }, mathOf(curve.latex));
      chip.addEventListener("click", () => {
        this.field.value = curve.f;
        this.set({ f: curve.f, at: curve.at, h: curve.h, box: curve.box });
        this.later();
        this.keep();
      });
      chip.f = curve.f;
      return chip;
    }));
    this.two.offer(told.grounds);
    this.mark();
  }

  mark() {
    for (const chip of this.chips.children) chip.setAttribute("aria-pressed", String(chip.f === this.state.f));
  }

  typed() {
    const text = this.field.value.trim();
    if (!text) return;
    this.set({ f: text, box: this.state.box });
    this.later();
    this.keep();
  }

  set(change) {
    this.watch.start();
    Object.assign(this.state, change);
    const { at, box } = this.state;
    if (box && (at < box[0] || at > box[1])) this.state.box = [at - (box[1] - box[0]) / 2, at + (box[1] - box[0]) / 2];
    this.ask();
    if ("at" in change || "h" in change) this.later();
  }

  async ask() {
    const { f, at, h, box } = this.state;
    const told = await this.transport.ask("slope", "slope", { f, at, h, box });
    if (!told) return;
    this.problem.hidden = !told.error;
    if (told.error) { this.problem.textContent = told.error; return; }
    this.told = told;
    this.three.draw(told);
    this.draw(told);
    this.watch.stop();
  }

  draw(told) {
    this.hslider.set(Math.min(1, Math.max(SMALLEST, Math.abs(told.h))));
    this.sign.setAttribute("aria-pressed", String(told.h < 0));
    const item = (cls, name, value) => el("div", { class: `sl-number ${cls}` }, el("span", {}, name), el("strong", {}, value));
    const off = told.secant !== null && told.slope !== null ? power(told.secant - told.slope, 2) : "–";
    put(this.numbers,
      item("run", `${told.variable}`, number(told.at, 5)),
      item("rise", "secant", told.swallowed ? "0/0" : told.said.secant ?? "none"),
      item("tangent", "exact", told.said.slope ?? "none"),
      item("", "off by", off));
    this.mark();
    if (this.errors && !this.errors.error) this.valley.draw(this.errors, told.h);
  }

  /** What may come a moment later: the valley, the rules, the chain. */
  async askMore() {
    const { f, at } = this.state;
    const [errors, derived] = await Promise.all([
      this.transport.ask("errors", "errors", { f, at }), this.transport.ask("derivation", "derivation", { f, at }),
    ]);
    if (this.told) this.spoken.textContent = this.told.reading.rate;
    if (errors) { this.errors = errors; this.valley.draw(errors, this.state.h); }
    if (!derived || derived.error) return;
    this.derived = derived;
    math(this.shown, `f(${derived.variable}) = ${derived.latex}`);
    this.rules.draw(derived);
    this.chain.draw(derived);
    this.command.textContent = derived.command;
  }

  /** From the step it has to a millionth, on its own: the secant turns into the tangent. */
  shrink() {
    if (this.timer) { cancelAnimationFrame(this.timer); this.timer = null; this.play.textContent = "▶ Let h shrink"; return; }
    const sign = this.state.h < 0 ? -1 : 1, from = Math.max(Math.abs(this.state.h), 0.5), began = performance.now(), lasts = 7000;
    this.play.textContent = "❚❚ Stop";
    const turn = (now) => {
      const t = Math.min(1, (now - began) / lasts);
      this.set({ h: sign * from * 10 ** (-6 * t ** 1.4) });
      if (t < 1) { this.timer = requestAnimationFrame(turn); return; }
      this.timer = null;
      this.play.textContent = "▶ Let h shrink";
      this.keep();
    };
    this.timer = requestAnimationFrame(turn);
  }

  whole() {
    const { f, at, h, box } = this.state;
    return { f, at, h, box, two: this.two.state };
  }

  /** A formula that cannot be read is nothing to come back to. */
  keep() {
    this.past.keep(() => (this.problem.hidden && this.two.problem.hidden ? this.whole() : null));
  }

  picture() {
    const said = [this.problem.hidden ? `f(${this.told.variable}) = ${this.told.text}: at ${this.told.variable} = ${number(this.told.at, 5)} the slope is ${this.told.said.slope ?? "not defined"}, the secant over h = ${power(this.told.h, 3)} has ${this.told.said.secant ?? "none"}.` : ""].join("");
    return { rows: [this.three.panels(), [{ title: "The error of a finite difference against h", chart: this.valley.chart }]], said, about: this.derived?.command ?? this.state.f };
  }
}
customElements.define("descend-slopes", Slopes);

/** The state in the link, over the one to begin with. */
const opened = () => ({ ...structuredClone(FIRST), ...(linked() ?? {}) });

const within = (h) => Math.sign(h) * Math.min(1e3, Math.max(SMALLEST, Math.abs(h)));

/** A dragged number in as many digits as the view shows, so that it can be read and typed again. */
function tidy(value, box) {
  const span = box ? box[1] - box[0] : 6;
  const digits = Math.max(0, 3 - Math.floor(Math.log10(span)));
  return Number(value.toFixed(Math.min(12, digits)));
}

export function mount(place, transport) {
  const element = document.createElement("descend-slopes");
  element.transport = transport;
  place.append(element);
}
