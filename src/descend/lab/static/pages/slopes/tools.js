// Undo and redo, and the picture as a file: the row of buttons that the slopes and line-fit pages share.
import { rested } from "../../controls.js";
import { Past } from "../playground/state.js";
import { el } from "./kit.js";
import { savePicture } from "./picture.js";

const words = (state) => `#${encodeURIComponent(JSON.stringify(state)).replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%5B", "[").replaceAll("%5D", "]")}`;

/** Buttons that save a picture; `picture()` gives its rows, its sentence and its description. */
export function savers(name, picture) {
  const said = el("span", { class: "sl-said", role: "status" });
  const saver = (kind) => el("button", { type: "button", class: "ck-button small", "aria-label": `Save the picture as ${kind.toUpperCase()}`, onclick: async () => {
    said.textContent = await savePicture(kind, name, picture()).catch(() => "The browser did not let it be saved.");
    setTimeout(() => { said.textContent = ""; }, 4000);
  } }, kind.toUpperCase());
  return el("div", { class: "sl-tools", role: "group", "aria-label": "Save the picture" }, said, el("span", { class: "sl-soft" }, "save"), saver("png"), saver("svg"));
}

/**
 * The states of a page, to go back and forth in, as the playground has them: the browser's Back is undo. `link(state)` is what
 * of a state goes into the address; `restore(state)` shows a state, null for the address's own.
 */
export class History {
  constructor({ link, restore, name, picture }) {
    this.link = link;
    this.past = new Past(location, restore, (state) => words(link(state)));
    const button = (sign, title, act) => el("button", { type: "button", class: "ds-quiet", "aria-label": title.split(" ")[0], title, disabled: true, onclick: act }, sign);
    this.undoing = button("↶", "Undo (Ctrl-Z)", () => this.past.undo());
    this.redoing = button("↷", "Redo (Ctrl-Shift-Z)", () => this.past.redo());
    this.node = savers(name, picture);
    this.node.firstChild.after(this.undoing, this.redoing);
    this.keys = (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || event.target.matches?.("input[type=text], input:not([type])")) return;
      event.preventDefault();
      if (event.shiftKey) this.past.redo();
      else this.past.undo();
    };
    document.addEventListener("keydown", this.keys);
  }

  /** The state while something moves. */
  now(state) { this.past.now(structuredClone(state)); }

  /** The state at rest: one more to come back to. */
  keep = rested((state) => {
    const told = state();
    if (told) this.past.keep(told);
    this.marked();
  }, 200);

  /** The buttons tell whether there is anything to go to. */
  marked() {
    this.undoing.disabled = !this.past.back;
    this.redoing.disabled = !this.past.forth;
  }

  address(state) { return `${location.origin}${location.pathname}${words(this.link(state))}`; }

  close() {
    this.past.close();
    document.removeEventListener("keydown", this.keys);
  }
}
