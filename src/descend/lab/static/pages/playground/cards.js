// A card for each optimizer: what it is, its learning rate with the predicted limit, its other hyperparameters, and what came of it.
import { h, fresh, logSlider, menu, numberField } from "../../controls.js";
import { number } from "../../format.js";
import { tex } from "../../math.js";
import { COLOURS, DASHES, css } from "../../plot/plane.js";

const KINDS = { linear: "linear in the gradient", adaptive: "a rate for each coordinate", sign: "steps of one length" };

export class Card {
  /** `page`: {state, catalogue, change(rest), anatomy()}; `race`: {rename(k, name), choose(k), remove(k)} */
  constructor(page, race, state, k) {
    this.page = page;
    this.race = race;
    this.k = k;
    this.told = state;
    this.rule = page.catalogue.optimizers.find((o) => o.name === state.name);
    this.element = this.build();
    this.paint();
  }

  get lr() {
    const lr = this.told.values.lr;
    if (typeof lr === "number") return lr;
    const inner = /^\s*\w+\(\s*(?:value\s*=\s*)?([^,)]+)/.exec(lr ?? "");
    return inner && Number(inner[1]) > 0 ? Number(inner[1]) : null;
  }

  build() {
    const { page, race, rule, k } = this;
    this.swatch = h("canvas", { class: "ds-swatch", "aria-hidden": "true" });
    const kinds = Object.fromEntries(Object.keys(KINDS).map((kind) => [KINDS[kind], page.catalogue.optimizers.filter((o) => o.kind === kind).map((o) => [o.name, o.title])]));
    const name = menu({ label: `Optimizer ${k + 1}`, groups: kinds, value: rule.name, take: (v) => race.rename(k, v) });
    this.choice = name.element;
    const body = fresh("more");
    this.more = h("div", { class: "ds-more", id: body, hidden: true });
    this.opener = h("button", { type: "button", class: "ds-quiet ds-open", "aria-expanded": "false", "aria-controls": body, onclick: () => this.open(this.more.hidden) }, "rule & knobs");
    const remove = this.removing = h("button", { type: "button", class: "ds-quiet ds-close", "aria-label": `Remove ${rule.title}`, title: "remove", onclick: () => race.remove(k) }, "×");
    const own = rule.hyperparameters.find((x) => x.name === "lr");
    this.slider = own ? logSlider({ label: "lr", value: this.lr ?? 0.1, take: (v, rest) => this.rate(v, rest) }) : null;
    this.outcome = h("p", { class: "ds-outcome" });
    this.doctor = h("p", { class: "ds-doctor" });
    const head = h("div", { class: "ds-cardhead" }, this.swatch, name.element, this.opener, remove);
    const card = h("section", { class: "ds-card", "aria-label": `${rule.title}` }, head, this.slider?.element ?? h("p", { class: "ds-doctor" }, "This rule has no learning rate."), this.outcome, this.doctor, this.more);
    card.addEventListener("pointerdown", () => race.choose(k));
    card.addEventListener("focusin", () => race.choose(k));
    return card;
  }

  rate(v, rest) {
    const lr = this.told.values.lr;
    this.told.values.lr = typeof lr === "string" && lr.includes("(") ? lr.replace(/(\(\s*(?:value\s*=\s*)?)[^,)]+/, `$1${v}`) : v;
    if (this.schedule) this.schedule.value = typeof this.told.values.lr === "string" ? this.told.values.lr : "";
    this.page.change(rest);
  }

  /** Show the rows below, made when first wanted. */
  open(wanted) {
    if (!this.more.firstChild) this.fill();
    this.more.hidden = !wanted;
    this.opener.setAttribute("aria-expanded", String(wanted));
    if (wanted) this.page.anatomy();
  }

  /** The same rule with other values. */
  retell(state) {
    this.told = state;
    if (this.lr !== null) this.slider?.set(this.lr);
    const open = this.opened;
    this.more.replaceChildren();
    this.rows = null;
    if (open) this.open(true);
  }

  get opened() { return !this.more.hidden; }

  fill() {
    this.rows = h("ol", { class: "ds-rule", "aria-label": "The rule, with its numbers at the step shown" });
    this.equations(this.rule.equations.map((latex) => ({ latex, value: "" })));
    const own = this.rule.hyperparameters.filter((x) => x.name !== "lr");
    const about = h("p", { class: "ds-about" }, this.rule.summary, this.rule.usual_lr ? h("span", {}, ` Usual rates: ${this.rule.usual_lr}.`) : null);
    this.more.append(about, this.rows, h("div", { class: "ds-knobs" }, own.map((x) => this.knob(x))), this.scheduleField(), this.shared());
  }

  scheduleField() {
    if (!this.slider) return "";
    const id = fresh("schedules");
    const steps = this.page.state.steps;
    const list = h("datalist", { id }, ["cosine", "linear", "exponential", "one_cycle", "step_decay", "warm_up"].map((name) => {
      const rest = { exponential: "0.95", step_decay: String(Math.max(1, Math.round(steps / 3))), warm_up: String(Math.max(1, Math.round(steps / 10))) }[name] ?? steps;
      return h("option", { value: `${name}(${this.lr ?? 0.1}, ${rest})` });
    }));
    const value = typeof this.told.values.lr === "string" ? this.told.values.lr : "";
    this.schedule = h("input", { type: "text", class: "ds-text", list: id, value, spellcheck: "false", placeholder: `cosine(${this.lr ?? 0.1}, ${steps})`, "aria-label": "Schedule of the learning rate", title: this.page.catalogue.schedules.join("\n") });
    this.schedule.addEventListener("change", () => {
      const text = this.schedule.value.trim();
      this.told.values.lr = text === "" ? this.lr ?? 0.1 : text;
      this.page.change(true);
    });
    return h("label", { class: "ds-knob ds-wide" }, h("span", { title: "the learning rate as a function of the step" }, "schedule"), this.schedule, list);
  }

  /** Options that every optimizer has: clipping, decay, climbing. */
  shared() {
    const names = new Set(this.rule.hyperparameters.map((x) => x.name));
    const knobs = this.page.catalogue.common.filter((x) => !names.has(x.name) && x.name !== "clip_global_norm" && !(x.name === "decoupled" && names.has("weight_decay")));
    const any = knobs.some((x) => x.name in this.told.values);
    return h("details", { class: "ds-shared", open: any }, h("summary", {}, "clipping, weight decay, maximize"), h("div", { class: "ds-knobs" }, knobs.map((x) => this.knob(x))));
  }

  /** A control for one hyperparameter, made from its declaration. */
  knob(x) {
    const label = `${this.rule.title} ${x.name}`;
    const now = this.told.values[x.name] ?? x.default;
    const take = (v, rest = true) => {
      if (v === x.default) delete this.told.values[x.name];
      else this.told.values[x.name] = v;
      this.page.change(rest);
    };
    const name = h("span", { title: x.meaning || x.name }, x.name);
    if (x.choices.length) return h("label", { class: "ds-knob" }, name, menu({ label, groups: x.choices.map((c) => [c, c]), value: now, take }).element);
    if (typeof x.default === "boolean") {
      const box = h("input", { type: "checkbox", checked: Boolean(now), "aria-label": label, onchange: () => take(box.checked) });
      return h("label", { class: "ds-knob ds-check" }, box, name);
    }
    const [low, high] = x.bounds ?? [-Infinity, Infinity];
    const whole = Number.isInteger(x.default) && x.structural;
    const field = numberField({ label, value: now, least: low ?? -Infinity, most: high ?? Infinity, take: (v, rest) => { if (!whole || Number.isInteger(v)) { slide?.set(v); take(v, rest); } }, step: whole ? 1 : (v) => (high === 1 ? 0.01 : Math.abs(v) / 10 || 0.01) });
    const slide = high === 1 ? shareSlider(label, now, x.bounds[3], (v, rest) => { field.set(v); take(v, rest); }) : null;
    return h("div", { class: "ds-knob" }, name, slide?.element, field.element);
  }

  /** The rule's lines with what each stands for at the step shown. */
  equations(lines) {
    if (!this.rows) return;
    while (this.rows.children.length < lines.length) this.rows.append(h("li", { tabindex: "0" }, h("span", { class: "ds-tex" }), h("span", { class: "ds-value" }), h("span", { class: "ds-uses" })));
    lines.forEach(({ latex, value, uses }, i) => {
      const [formula, result, parts] = this.rows.children[i].children;
      tex(formula, latex);
      result.textContent = value ? `= ${value}` : "";
      parts.textContent = uses ? `with ${uses}` : "";
    });
  }

  /** What the run came to. */
  ran(run, chosen) {
    this.element.classList.toggle("ds-chosen", chosen);
    this.element.classList.toggle("ds-bad", run.outcome === "diverged" || run.outcome === "failed");
    this.outcome.textContent = run.message;
    if (!this.slider || (this.told.values.lr === undefined && typeof run.values.lr !== "number")) return;
    if (this.told.values.lr === undefined) this.slider.set(run.values.lr);
    else if (this.lr !== null) this.slider.set(this.lr);
  }

  limit(v, held = false) {
    if (!this.slider) return;
    const where = held ? ", its second moment held as it is where the run ended" : "";
    this.slider.limit(v, v === null ? "" : `predicted limit ${number(v)}${where}: beyond it the steepest direction grows. Press to take it.`);
  }

  explained(told) {
    // where the doctor abstains, what it wavers between is for who asks
    const says = told.verdict === "cannot_tell" ? `${told.doctor.split(":")[0]}.` : told.doctor;
    this.doctor.replaceChildren(h("span", { class: "ds-says", title: told.doctor }, `Doctor: ${says}`), ...(told.why.length ? [h("span", { class: "ds-why" }, ` ${told.why.join(" ")}`)] : []));
    this.doctor.title = [...told.advice, ...told.found.map((f) => f.evidence)].join("\n");
    if (told.limit_at === "last" || told.limit === null) this.limit(told.limit, told.limit_at === "last");
    if (this.tryButton) this.tryButton.remove();
    if (told.try_lr && this.slider) {
      this.tryButton = h("button", { type: "button", class: "ds-try", title: told.advice[0] ?? "", onclick: () => { this.slider.set(told.try_lr); this.rate(told.try_lr, true); } }, `try ${number(told.try_lr)}`);
      this.doctor.append(" ", this.tryButton);
    }
  }

  silent(words = "") {
    this.outcome.textContent = words;
    this.doctor.replaceChildren();
    this.limit(null);
  }

  paint() {
    const canvas = this.swatch, ratio = devicePixelRatio || 1;
    canvas.width = 36 * ratio;
    canvas.height = 12 * ratio;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    context.strokeStyle = css(COLOURS[this.k]);
    context.lineWidth = 3;
    context.setLineDash(DASHES[this.k]);
    context.beginPath();
    context.moveTo(1, 6);
    context.lineTo(35, 6);
    context.stroke();
    this.element?.style.setProperty("--own", css(COLOURS[this.k]));
  }
}

/** A slider for shares such as β, even in −log(1 − β): 0, .9, .99, .999. */
function shareSlider(label, value, top, take) {
  const out = (s) => (s >= 4 && top ? 1 : Number((1 - 10 ** -s).toPrecision(s < 1 ? 2 : 1 + Math.ceil(s))));
  const into = (v) => (v >= 1 ? 4 : Math.min(4, -Math.log10(1 - v)));
  const range = h("input", { type: "range", min: "0", max: "4", step: "0.05", class: "ds-range", "aria-label": `${label}, slider` });
  const set = (v) => {
    range.value = into(v);
    range.setAttribute("aria-valuetext", number(v, 5));
  };
  range.addEventListener("input", () => take(out(Number(range.value)), false));
  range.addEventListener("change", () => take(out(Number(range.value)), true));
  set(value);
  return { element: range, set };
}
