// Predict, then check: the runs stay hidden until an answer was chosen; each answer gets its own words.
import { h } from "../../controls.js";

export class Question {
  /** `answered(choice)` when one was chosen. */
  constructor(answered) {
    this.answered = answered;
    this.open = false;
    this.element = h("div", { class: "ds-question", hidden: true });
  }

  ask(preset) {
    this.open = Boolean(preset?.question);
    this.element.hidden = !this.open;
    if (!this.open) return;
    const said = h("p", { class: "ds-feedback", role: "status" });
    const buttons = preset.choices.map((choice) => h("button", { type: "button", class: "ds-choice", "aria-pressed": "false", onclick: (event) => {
      for (const button of buttons) button.setAttribute("aria-pressed", String(button === event.currentTarget));
      event.currentTarget.classList.add(choice.right ? "ds-right" : "ds-wrong");
      said.textContent = choice.feedback;
      this.open = false;
      this.answered(choice);
    } }, choice.text));
    this.element.replaceChildren(h("p", { class: "ds-asked" }, h("strong", {}, "Predict, then check. "), preset.question), h("div", { class: "ds-choices", role: "group", "aria-label": "Answers" }, buttons), said);
  }
}
