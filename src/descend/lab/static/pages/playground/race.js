// The optimizers beside each other: a card for each, what each is called, and the rate a new one begins with.
import { h, menu } from "../../controls.js";
import { number } from "../../format.js";
import { Card } from "./cards.js";
import { params } from "./state.js";

const MOST = 8;

export class Race {
  /** `page` is the playground: its state, catalogue and transport. */
  constructor(page) {
    this.page = page;
    this.cards = [];
    this.element = h("div", { class: "ds-cards" });
    this.adding = menu({ label: "Add an optimizer", groups: [["", "+ add an optimizer"], ...page.catalogue.optimizers.map((o) => [o.name, o.title])], value: "", take: (v) => { this.adding.set(""); if (v) this.add(v); } });
  }

  get state() { return this.page.state; }

  known(name) { return this.page.catalogue.optimizers.some((o) => o.name === name); }

  /** Of the optimizers of a link keep those that there are, as many as a page runs. Resolves to what is to be said of the others. */
  async admit(state) {
    const all = state.optimizers, there = all.filter((o) => this.known(o.name)), strangers = all.filter((o) => !there.includes(o));
    state.optimizers = there.length ? there.slice(0, MOST) : [{ name: "sgd", values: {} }];
    state.chosen = Math.min(state.chosen, state.optimizers.length - 1);
    const said = there.length > MOST ? [`a page runs up to ${MOST} optimizers beside each other: the first ${MOST} of ${there.length} are shown`] : [];
    for (const { name } of strangers.slice(0, 3)) { // the engine knows the names that are near
      const frame = await this.page.transport.ask("stranger", "run", { objective: "x**2", start: [1], steps: 1, optimizers: [{ name }] });
      said.push(frame?.error ?? `${name} is no optimizer for plain numbers`);
    }
    return said.join("; ");
  }

  makeCards() {
    const shown = this.state.optimizers;
    const same = this.cards.length === shown.length && this.cards.every((card, k) => card.rule.name === shown[k].name);
    if (same) { // the cards stay, and with them the focus
      this.cards.forEach((card, k) => card.retell(this.state.optimizers[k]));
      return;
    }
    const open = this.cards.map((card) => card.opened);
    this.cards = shown.map((optimizer, k) => new Card(this.page, this, optimizer, k));
    this.element.replaceChildren(...this.cards.map((card) => card.element));
    this.cards.forEach((card, k) => { if (open[k]) card.open(true); });
    this.cards.forEach((card) => { card.removing.hidden = this.cards.length === 1; }); // the last one stays
    this.adding.element.hidden = this.cards.length >= MOST;
  }

  get names() { return this.state.optimizers.map((o, k) => this.nameOf(o, k)); }

  /** What tells a run from the others: its name, and its rate where names repeat. */
  nameOf(optimizer, k) {
    const rule = this.page.catalogue.optimizers.find((o) => o.name === optimizer.name);
    const title = optimizer.name === "sgd" ? "GD" : rule?.title ?? optimizer.name;
    if (this.state.optimizers.every((o, i) => i === k || o.name !== optimizer.name)) return title;
    const lr = optimizer.values.lr, rest = Object.entries(optimizer.values).filter(([key]) => key !== "lr");
    const same = this.state.optimizers.filter((o) => o.name === optimizer.name);
    if (lr !== undefined && same.filter((o) => o.values.lr === lr).length === 1) return `lr ${typeof lr === "number" ? number(lr) : lr}${rest.some(([key]) => key === "maximize") ? " up" : ""}`;
    return `${title} ${k + 1}`;
  }

  add(name) {
    if (this.state.optimizers.length >= MOST) return;
    const made = { name, values: {} };
    this.state.optimizers.push(made);
    this.state.chosen = this.state.optimizers.length - 1;
    this.suggest(made);
  }

  rename(k, name) {
    const made = { name, values: {} };
    this.state.optimizers[k] = made;
    this.suggest(made);
  }

  /** With no rate stated the engine predicts one; it is then stated, so that the link holds it. */
  async suggest(made) {
    const frame = await this.page.transport.ask("suggest", "run", { ...params(this.state), optimizers: [made] });
    const lr = frame?.runs?.[0]?.values.lr, k = this.state.optimizers.indexOf(made);
    if (k < 0) return; // it was removed, or all was undone, meanwhile
    if (typeof lr === "number") made.values.lr ??= lr;
    const held = this.cards[k]?.element.contains(document.activeElement);
    this.makeCards();
    if (held) this.cards[k]?.choice.focus(); // the menu that was used was made anew
    this.page.change(true);
  }

  remove(k) {
    if (this.state.optimizers.length === 1) return;
    this.state.optimizers.splice(k, 1);
    this.state.chosen = Math.min(this.state.chosen, this.state.optimizers.length - 1);
    this.makeCards();
    const next = this.cards[Math.min(k, this.cards.length - 1)];
    (next?.removing.hidden ? next.choice : next?.removing)?.focus();
    this.page.change(true);
  }

  choose(k) {
    if (this.state.chosen === k || !this.state.optimizers[k]) return;
    this.state.chosen = k;
    this.page.looked(false);
  }
}
