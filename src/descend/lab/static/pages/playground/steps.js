// Back, forward, play, speed and a scrubber through the steps of a run.
import { h, menu } from "../../controls.js";

export class Steps {
  /** `take(step | null)`: null is the whole run. */
  constructor(take) {
    this.take = take;
    this.last = 1;
    this.at = null;
    this.speed = 8;
    this.timer = null;
    const button = (name, label, act) => h("button", { type: "button", class: "ds-step", "aria-label": label, title: label, onclick: act }, icon(name));
    this.play = button("play", "Play", () => this.toggle());
    this.range = h("input", { type: "range", min: "0", step: "1", class: "ds-range", "aria-label": "Step" });
    this.words = h("output", { class: "ds-at" });
    this.range.addEventListener("input", () => { this.stop(); this.go(Number(this.range.value)); });
    this.range.addEventListener("change", () => this.go(Number(this.range.value), true));
    const speed = menu({ label: "Speed", groups: [[2, "2 / s"], [8, "8 / s"], [30, "30 / s"]], value: "8", take: (v) => { this.speed = Number(v); if (this.timer) { this.stop(); this.start(); } } });
    this.element = h("div", { class: "ds-steps", role: "group", "aria-label": "Steps" },
      button("first", "To the start", () => { this.stop(); this.go(0, true); }), button("back", "One step back", () => { this.stop(); this.go((this.at ?? this.last) - 1, true); }), this.play,
      button("forth", "One step forward", () => { this.stop(); this.go((this.at ?? -1) + 1, true); }), this.range, this.words, speed.element);
  }

  /** The longest run has so many steps. */
  length(last, at) {
    this.last = Math.max(1, last);
    this.range.max = this.last;
    this.show(at);
  }

  show(at) {
    this.at = at === null || at >= this.last ? null : Math.max(0, at);
    this.range.value = this.at ?? this.last;
    const text = this.at === null ? (this.last === 1 ? "the one step" : `all ${this.last} steps`) : `step ${this.at} of ${this.last}`;
    this.words.textContent = text;
    this.range.setAttribute("aria-valuetext", text);
  }

  go(at, rest = false) {
    this.show(Math.min(Math.max(at, 0), this.last));
    this.take(this.at, rest);
  }

  toggle() {
    if (this.timer) this.stop(); else this.start();
  }

  start() {
    if (this.at === null) this.go(0);
    this.play.replaceChildren(icon("pause"));
    this.play.setAttribute("aria-label", "Pause");
    this.timer = setInterval(() => {
      if (this.at === null) this.stop(); else this.go(this.at + 1);
    }, 1000 / this.speed);
  }

  stop() {
    if (!this.timer) return;
    clearInterval(this.timer);
    this.timer = null;
    this.play.replaceChildren(icon("play"));
    this.play.setAttribute("aria-label", "Play");
    this.take(this.at, true);
  }
}

const SHAPES = {
  first: "M3 2h2v12H3zM14 2v12L6 8z", back: "M12 2v12L4 8zM12 2h2v12h-2z", play: "M4 2l10 6-10 6z", pause: "M3 2h4v12H3zM9 2h4v12H9z",
  forth: "M4 2v12l8-6zM2 2h2v12H2z",
};

/** A small picture on a button: no font is needed for it. */
function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), path = document.createElementNS(svg.namespaceURI, "path");
  for (const [key, value] of Object.entries({ viewBox: "0 0 16 16", width: "13", height: "13", fill: "currentColor", "aria-hidden": "true" })) svg.setAttribute(key, value);
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}
