// What is descended and for how long: objective, start, steps, noise, seed, stop conditions.
import { fresh, h, menu, numberField } from "../../controls.js";

export class Setup {
  /** `page`: {state, catalogue, objective(text), startAt(point, rest), change(rest)} */
  constructor(page) {
    this.page = page;
    const id = fresh("objective");
    this.text = h("input", { type: "text", id, class: "ds-text", spellcheck: "false", autocomplete: "off", "aria-describedby": `${id}-problem` });
    this.text.addEventListener("change", () => page.objective(this.text.value.trim()));
    this.problem = h("p", { class: "ds-problem", id: `${id}-problem`, role: "alert" });
    const named = page.catalogue.surfaces.map((s) => [s.name, s.title]);
    this.names = menu({ label: "Named surfaces", groups: [["", "surfaces…"], ...named], value: "", take: (v) => { if (v) page.objective(v); } });
    this.start = h("div", { class: "ds-coordinates" });
    this.fields = [];
    const state = () => page.state;
    const whole = (key, rest) => (v, r) => { state()[key] = v; rest?.(); page.change(r); };
    this.steps = numberField({ label: "Steps", value: 1, least: 1, most: 5000, step: 1, whole: true, take: whole("steps") });
    this.seed = numberField({ label: "Seed", value: 0, least: 0, most: 2 ** 32 - 1, step: 1, whole: true, take: whole("seed") });
    this.noise = h("input", { type: "range", min: "0", max: "1", step: "0.005", class: "ds-range", "aria-label": "Noise on the gradient" });
    this.noiseField = numberField({ label: "Noise on the gradient, standard deviation", value: 0, least: 0, most: 1e6, step: 0.1, take: (v, rest) => this.noisy(v, rest) });
    this.noise.addEventListener("input", () => this.noisy(this.amount(), false));
    this.noise.addEventListener("change", () => this.noisy(this.amount(), true));
    const stop = (key, label) => numberField({ label, value: null, least: 0, optional: true, step: (v) => v / 2, take: (v, rest) => { state()[key] = v; page.change(rest); } });
    this.grad = stop("tol_grad", "Stop when the gradient norm is at most");
    this.loss = stop("tol_loss", "Stop when the loss changes by at most, three times in a row");
    const row = (name, title, ...children) => h("label", { class: "ds-knob" }, h("span", { title }, name), children);
    this.stops = h("details", { class: "ds-shared" }, h("summary", {}, "stop conditions"),
      h("div", { class: "ds-knobs" }, row("gradient ≤", "stop when the gradient norm is at most this", this.grad.element), row("loss change ≤", "stop when the loss changed by at most this three times in a row", this.loss.element)));
    this.element = h("section", { class: "ds-setup", "aria-label": "What is descended" },
      h("div", { class: "ds-line" }, h("label", { for: id, class: "ds-f" }, "minimise"), this.text, this.names.element), this.problem,
      h("div", { class: "ds-line" }, h("span", { class: "ds-f" }, "from"), this.start, row("steps", "number of updates", this.steps.element)),
      h("div", { class: "ds-line" }, row("noise", "standard deviation of normal noise on each entry of the gradient, as of a minibatch", this.noise, this.noiseField.element), row("seed", "of whatever is random", this.seed.element), this.stops));
  }

  /** The slider is even in the cube root, so that small noise has room. */
  amount() { return Number((10 * Number(this.noise.value) ** 3).toPrecision(2)); }

  noisy(v, rest) {
    this.page.state.noise = v;
    this.noise.value = Math.cbrt(Math.min(v, 10) / 10);
    this.noiseField.set(v);
    this.page.change(rest);
  }

  show(state, variables) {
    if (this.objective !== state.objective || document.activeElement !== this.text) this.text.value = state.objective;
    this.objective = state.objective;
    const named = this.page.catalogue.surfaces.find((s) => s.name === state.objective);
    this.names.set(named ? named.name : "");
    this.steps.set(state.steps);
    this.seed.set(state.seed);
    this.noise.value = Math.cbrt(Math.min(state.noise, 10) / 10);
    this.noiseField.set(state.noise);
    this.grad.set(state.tol_grad);
    this.loss.set(state.tol_loss);
    if (state.tol_grad !== null || state.tol_loss !== null) this.stops.open = true;
    if (!variables) return; // the engine has not yet read the formula
    if (this.variables !== String(variables)) this.coordinates(variables);
    state.start?.forEach((v, i) => this.fields[i]?.set(v));
  }

  coordinates(variables) {
    this.variables = String(variables);
    this.fields = variables.map((name, i) => numberField({ label: `Start ${name}`, value: this.page.state.start?.[i] ?? 0, take: (v, rest) => {
      const start = [...(this.page.state.start ?? [])];
      start[i] = v;
      this.page.startAt(start, rest);
    } }));
    this.start.replaceChildren(...variables.map((name, i) => h("label", { class: "ds-knob" }, h("span", {}, name), this.fields[i].element)));
  }

  /** The formula could not be read: `state` is still the one shown, and the text stands to be mended. */
  failed(state) {
    this.objective = state.objective;
    const named = this.page.catalogue.surfaces.find((s) => s.name === state.objective);
    this.names.set(named ? named.name : "");
  }

  says(problem) {
    this.problem.textContent = problem ?? "";
    this.text.setAttribute("aria-invalid", String(Boolean(problem)));
  }
}
