// A reader's own table: from a file, a drop or a paste, to the reader that `descend fit` uses.
import { el, put } from "../slopes/kit.js";

/** A question may be 64 KB; its text is sent as JSON, some of it escaped. */
const MOST = 54 * 1024, ROWS = 2000;

/** As many lines as a question holds, evenly taken below the header; and whether lines were left out. */
export function sampled(text) {
  const bytes = (words) => new TextEncoder().encode(JSON.stringify(words)).length;
  const lines = text.split(/\r\n|\n|\r/);
  while (lines.length && !lines[lines.length - 1].trim()) lines.pop();
  if (lines.length <= ROWS && bytes(text) <= MOST) return { text, kept: lines.length, of: lines.length };
  let top = 0;
  while (top < lines.length - 1 && (lines[top].startsWith("#") || !lines[top].trim())) top++;
  const head = lines.slice(0, top + 1), rest = lines.slice(top + 1);
  for (let count = Math.min(ROWS, rest.length); count >= 2; count = Math.floor(count * 0.8)) {
    const picked = Array.from({ length: count }, (_, i) => rest[Math.round((i * (rest.length - 1)) / (count - 1))]);
    const found = [...head, ...picked].join("\n");
    if (bytes(found) <= MOST) return { text: found, kept: count, of: rest.length };
  }
  return { text: head.join("\n"), kept: 0, of: rest.length };
}

export class TablePanel {
  /** `take(answer, sample)`: two columns have been read as points. */
  constructor({ ask, take }) {
    Object.assign(this, { ask, take });
    this.file = el("input", { type: "file", class: "ck-away", accept: ".csv,.tsv,.txt,.dat,text/*", "aria-label": "A table of your own", tabindex: "-1" });
    this.file.addEventListener("change", () => { if (this.file.files[0]) this.read(this.file.files[0]); this.file.value = ""; });
    this.button = el("button", { type: "button", class: "sl-chip", onclick: () => this.file.click() }, "Your own CSV …");
    this.xs = el("select", { "aria-label": "The column across, x" });
    this.ys = el("select", { "aria-label": "The column to predict, y" });
    for (const choice of [this.xs, this.ys]) choice.addEventListener("change", () => this.send(this.xs.value, this.ys.value));
    this.columns = el("div", { class: "ln-columns", hidden: true }, (this.name = el("strong")), el("label", {}, "x: ", this.xs), el("label", {}, "y: ", this.ys));
    this.notes = el("p", { class: "ln-hint", role: "status" });
    this.node = el("div", { class: "ln-table" }, this.columns, this.notes, this.file);
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      const file = event.dataTransfer?.files[0];
      if (file) this.read(file);
      else if (event.dataTransfer?.getData("text")) this.text(event.dataTransfer.getData("text"), "dropped text");
    });
    addEventListener("paste", (event) => {
      if (event.target.closest?.("input, textarea")) return;
      const text = event.clipboardData?.getData("text") ?? "";
      if (text.trim().includes("\n")) this.text(text, "pasted text");
    });
  }

  async read(file) {
    if (file.size > 64e6) { this.say(`${file.name} has ${Math.round(file.size / 1e6)} MB; a page takes up to 64. For more: descend fit.`); return; }
    this.text(await file.text(), file.name);
  }

  text(text, name) {
    this.sample = { ...sampled(text), name };
    this.send();
  }

  async send(x, y) {
    const { text, name, kept, of } = this.sample;
    const told = await this.ask("table", "line_table", { text, name, x, y });
    if (!told) return;
    if (told.error) { this.say(told.error); return; }
    this.name.textContent = told.name;
    for (const [choice, chosen] of [[this.xs, told.x], [this.ys, told.y]]) {
      put(choice, ...told.columns.map((column) => el("option", { value: column }, column)));
      choice.value = chosen;
    }
    this.columns.hidden = false;
    const notes = told.notes.map((note) => `${note[0].toUpperCase()}${note.slice(1)}.`);
    if (kept < of) notes.unshift(`${kept.toLocaleString("en-US")} of ${of.toLocaleString("en-US")} lines are taken, evenly, which is what a page holds; descend fit takes all.`);
    this.say(notes.join(" "));
    this.take(told, { whole: kept === of && !told.sampled, name });
  }

  say(words) { this.notes.textContent = words; }

  forget() { this.columns.hidden = true; this.say(""); }
}
