// Copy as link, command or Python; save the picture as PNG, SVG, or the path as a GIF.
import { h } from "../../controls.js";
import { COLOURS, DASHES, css } from "../../plot/plane.js";
import { SvgContext, copy, gif, save } from "../../share.js";
import { params, write } from "./state.js";

const FOOT = 30, SIDE = 640, FRAMES = 90;

export class Share {
  /** `page` is the playground: its state, figure, names and transport. */
  constructor(page) {
    this.page = page;
    const action = (text, title, act) => h("button", { type: "button", class: "ds-action", title, onclick: () => this.after(act()) }, text);
    this.said = h("span", { class: "ds-said", role: "status" });
    const actions = h("div", { class: "ds-actions" },
      h("span", { class: "ds-f" }, "copy"), action("link", "The address of this very picture, seed included", () => this.link()), action("command", "descend run … that gives these numbers", () => this.text("command")), action("Python", "A program that gives these numbers", () => this.text("python")),
      h("span", { class: "ds-f" }, "save"), action("PNG", "The picture, 2× size", () => this.png()), action("SVG", "The picture as lines", () => this.svg()), action("GIF", "The path, step by step", () => this.gif()));
    this.element = h("div", { class: "ds-share" }, actions, this.said);
  }

  async after(work) {
    const words = await work;
    this.said.textContent = words;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.said.textContent = ""; }, 4000);
  }

  async link() {
    return (await copy(`${location.origin}${location.pathname}${write(this.page.state)}`)) ? "Link copied." : "The browser did not let it be copied.";
  }

  async text(kind) {
    const { page } = this;
    const frame = await page.transport.ask("share", "share", params(page.state));
    if (!frame || frame.error) return frame?.error ?? "Asked again meanwhile.";
    this.last = frame;
    return (await copy(frame[kind])) ? `${kind === "command" ? "Command" : "Python"} copied.` : frame[kind];
  }

  // -- pictures -------------------------------------------------------------------------------------------------------------

  /** Draw ground, paths and a line of names with any context; `at` is the step, null for all. */
  paint(context, width, height, at) {
    const { figure, frame, names } = this.page, kept = { look: figure.look, size: figure.size };
    figure.look = { ...kept.look, at, hover: null };
    const view = figure.view;
    if (view) figure.drawUnder(context);
    figure.drawOver(context, width, height);
    if (view && figure.dimensions <= 2 && !figure.solid) this.begin(context, view, frame);
    figure.look = kept.look;
    context.setLineDash([]);
    context.fillStyle = css("--page");
    context.fillRect(0, height, width, FOOT);
    this.legend(context, height, names);
  }

  /** The start, which on the page is a handle. */
  begin(context, view, frame) {
    const x = view.x(frame.start[0]), y = view.y(frame.start[1] ?? frame.arrays.loss0[0]);
    context.beginPath();
    context.arc(x, y, 6.5, 0, 2 * Math.PI);
    context.fillStyle = css("--page");
    context.strokeStyle = css("--ink");
    context.lineWidth = 3;
    context.fill();
    context.stroke();
  }

  legend(context, height, names) {
    let x = 10;
    context.font = `13px ${css("--font")}`;
    context.textBaseline = "middle";
    context.textAlign = "left";
    names.forEach((name, k) => {
      context.strokeStyle = css(COLOURS[k]);
      context.lineWidth = 2.4;
      context.setLineDash(DASHES[k]);
      context.beginPath();
      context.moveTo(x, height + FOOT / 2);
      context.lineTo(x + 28, height + FOOT / 2);
      context.stroke();
      context.fillStyle = css("--ink");
      context.fillText(name, x + 34, height + FOOT / 2);
      x += 48 + context.measureText(name).width;
    });
    context.setLineDash([]);
  }

  canvas(at, scale, side = null) {
    const [width, height] = this.page.figure.size, canvas = document.createElement("canvas");
    const factor = side ? side / width : scale;
    canvas.width = Math.round(width * factor);
    canvas.height = Math.round((height + FOOT) * factor);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.scale(factor, factor);
    this.paint(context, width, height, at);
    return canvas;
  }

  async png() {
    const canvas = this.canvas(this.page.state.at, 2);
    save("descent.png", await new Promise((done) => canvas.toBlob(done, "image/png")), "image/png");
    return "Saved as descent.png.";
  }

  async svg() {
    const [width, height] = this.page.figure.size, context = new SvgContext(width, height + FOOT);
    this.paint(context, width, height, this.page.state.at);
    const told = await this.page.transport.ask("share", "share", params(this.page.state));
    save("descent.svg", context.text(told?.command ?? ""), "image/svg+xml");
    return "Saved as descent.svg.";
  }

  async gif() {
    const last = this.page.steps.last, stride = Math.max(1, Math.ceil(last / FRAMES)), frames = [], delays = [];
    for (let at = 0; at <= last; at = at === last ? last + 1 : Math.min(at + stride, last)) {
      const canvas = this.canvas(at, 1, Math.min(SIDE, this.page.figure.size[0]));
      frames.push(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height));
      delays.push(at === last ? 200 : at === 0 ? 60 : 12);
      if (frames.length % 8 === 0) await new Promise((done) => setTimeout(done)); // the page stays alive meanwhile
    }
    save("descent.gif", gif(frames, delays), "image/gif");
    return `Saved as descent.gif, ${frames.length} frames.`;
  }
}
