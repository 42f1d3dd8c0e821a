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
    const button = (text, label, act) => h("button", { type: "button", class: "ds-step", "aria-label": label, title: label, onclick: act }, text);
    this.play = button("▶", "Play", () => this.toggle());
    this.range = h("input", { type: "range", min: "0", step: "1", class: "ds-range", "aria-label": "Step" });
    this.words = h("output", { class: "ds-at" });
    this.range.addEventListener("input", () => { this.stop(); this.go(Number(this.range.value)); });
    this.range.addEventListener("change", () => this.go(Number(this.range.value), true));
    const speed = menu({ label: "Speed", groups: [[2, "2 / s"], [8, "8 / s"], [30, "30 / s"]], value: "8", take: (v) => { this.speed = Number(v); if (this.timer) { this.stop(); this.start(); } } });
    this.element = h("div", { class: "ds-steps", role: "group", "aria-label": "Steps" },
      button("⏮", "To the start", () => { this.stop(); this.go(0, true); }), button("◀", "One step back", () => { this.stop(); this.go((this.at ?? this.last) - 1, true); }), this.play,
      button("▶❘", "One step forward", () => { this.stop(); this.go((this.at ?? -1) + 1, true); }), this.range, this.words, speed.element);
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
    const text = this.at === null ? `all ${this.last} steps` : `step ${this.at} of ${this.last}`;
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
    this.play.textContent = "❚❚";
    this.play.setAttribute("aria-label", "Pause");
    this.timer = setInterval(() => {
      if (this.at === null) this.stop(); else this.go(this.at + 1);
    }, 1000 / this.speed);
  }

  stop() {
    if (!this.timer) return;
    clearInterval(this.timer);
    this.timer = null;
    this.play.textContent = "▶";
    this.play.setAttribute("aria-label", "Play");
    this.take(this.at, true);
  }
}
