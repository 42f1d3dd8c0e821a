// The view of the ground: which box is seen. It is part of the state, and the engine is asked for what lies in it.
import { h, rested } from "../../controls.js";
import { Gestures } from "./gestures.js";
import { params } from "./state.js";

/** Points along each side of a ground that moves, and the least and the greatest side of a view. */
const COARSE = 56, LEAST = 1e-8, MOST = 1e9;

export class Zoom {
  /** `page` is the playground: its state, ground, figure and transport. */
  constructor(page) {
    this.page = page;
    this.gestures = new Gestures(page.figure.element, this);
    const button = (text, label, act) => h("button", { type: "button", class: "ds-toggle", "aria-label": label, title: label, onclick: act }, text);
    const command = /Mac|iP(hone|ad)/.test(navigator.platform) ? "⌘" : "Ctrl";
    this.fitting = button("fit", "Show everything again (0)", () => this.fit(null));
    this.element = h("div", { class: "ds-zoom" }, this.fitting, button("−", `See more (−, ${command} and wheel)`, () => this.gestures.about(1.5)), button("+", `Look closer (+, ${command} and wheel)`, () => this.gestures.about(2 / 3)));
    this.words = h("p", { class: "ds-hint", hidden: true }, `${command} + wheel zooms, Shift + drag moves the view`);
    this.hints = 3;
  }

  // -- what the gestures ask of the page -----------------------------------------------------------------------------------

  get view() { return this.page.figure.view; }
  get pans() { return !this.page.figure.solid; }
  get start() { return this.page.frame ? [...this.page.frame.start] : null; }
  drop() { this.page.figure.release(); this.page.figure.point(null); }

  /** Whoever turns the wheel here may have wanted to zoom; told a few times. */
  hint() {
    if (this.hints <= 0 || this.page.state.box) return;
    this.words.hidden = false;
    this.unhint();
  }

  unhint = rested(() => { this.words.hidden = true; this.hints--; }, 1400);

  /** See this box; `rest` when it has come to rest. */
  look(box, rest) {
    const { page } = this;
    if (page.changing || !page.ground?.box || !box.every(sensible)) return;
    page.state.box = rest ? box.map(tidy) : box;
    page.figure.see(page.state.box);
    this.hints = 0;
    this.words.hidden = true;
    this.ask(rest);
  }

  /** What was looked at last has come to rest, unless everything is shown again meanwhile. */
  settle() {
    if (this.page.state.box) this.look(this.page.state.box, true);
  }

  /** See everything again, with the start where it was before a double click moved it. */
  fit(start) {
    const { page } = this;
    if (!page.state.box || page.changing) return;
    page.state.box = null;
    if (start) page.startAt(start, false);
    this.ask(true);
  }

  // -- the ground that is seen ----------------------------------------------------------------------------------------------

  /** Ask for the ground of the view: coarse while it moves, with the same levels while only its place changes. */
  async ask(rest) {
    const { page } = this, { turn } = page, { box } = page.state;
    const extra = rest ? {} : { grid: COARSE };
    if (!rest && page.ground.dimensions === 2 && sameSize(box, page.ground.box)) extra.levels = Array.from(page.ground.arrays.levels);
    const ground = await page.transport.ask("view", "ground", { ...params(page.state), box, ...extra });
    if (ground && page.turn === turn && !page.changing && (box === null) === (page.state.box === null)) {
      if (ground.error) page.setup.says(ground.error);
      else page.stand(ground);
    }
    if (rest && page.turn === turn) page.looked(true);
  }

  show() {
    this.element.hidden = !this.page.ground?.box;
    this.fitting.hidden = !this.page.state.box;
  }
}

const sensible = ([low, high]) => high - low >= LEAST * Math.max(Math.abs(low), Math.abs(high), 1e-6) && high - low <= MOST && Math.max(Math.abs(low), Math.abs(high)) <= 1e12;

/** Ends with the digits that a pixel can tell apart. */
function tidy([low, high]) {
  const places = Math.ceil(4 - Math.log10(high - low));
  const few = (v) => (places > 0 && places <= 20 ? Number(v.toFixed(places)) : v);
  return few(low) < few(high) ? [few(low), few(high)] : [low, high];
}

const sameSize = (a, b) => a.every(([low, high], i) => Math.abs((high - low) / (b[i][1] - b[i][0]) - 1) < 1e-3);
