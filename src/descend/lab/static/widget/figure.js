// A trace's columns against the step, with what the doctor found marked: exact values where it is pointed at, drag to zoom.
import { number } from "../format.js";
import { COLOURS, DASHES, css } from "../plot/plane.js";
import uPlot from "../vendor/uplot.js";

const HEIGHT = 320;

export class Figure extends HTMLElement {
  async connectedCallback() {
    if (this.frame) return;
    this.classList.add("ds-figure");
    this.innerHTML = `<p class="ds-figure-said"></p><div class="ds-figure-columns" role="group" aria-label="Columns"></div>
      <div class="ds-figure-plot" role="img"></div>`;
    this.frame = await this.transport.ask("figure", "figure");
    const said = this.querySelector(".ds-figure-said");
    said.textContent = this.frame.error ?? this.frame.sentence;
    if (this.frame.error) return;
    this.now = { columns: this.frame.columns.slice(0, 1), log: this.frame.log, zoom: null, ...this.now };
    this.redraw = () => this.draw();
    addEventListener("descend-theme", this.redraw);
    this.observer = new ResizeObserver(() => this.plot?.setSize({ width: this.clientWidth, height: HEIGHT }));
    this.observer.observe(this);
    this.choices();
    this.draw();
    this.tell();
  }

  disconnectedCallback() {
    this.observer?.disconnect();
    removeEventListener("descend-theme", this.redraw);
    this.plot?.destroy();
  }

  /** {columns: names that are drawn, log: whether the axis is logarithmic, zoom: [first step, last step] or null}. */
  get state() { return structuredClone(this.now); }

  set state(state) {
    this.now = { ...this.now, ...structuredClone(state) };
    if (this.plot) { this.choices(); this.draw(); this.tell(); }
  }

  tell() { this.dispatchEvent(new CustomEvent("statechange", { detail: this.state })); }

  choices() {
    const box = (text, on, take) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "ds-toggle";
      button.textContent = text;
      button.setAttribute("aria-pressed", String(on));
      button.addEventListener("click", take);
      return button;
    };
    const columns = this.frame.columns.map((name) => box(name.replaceAll("_", " "), this.now.columns.includes(name), () => {
      const others = this.now.columns.filter((c) => c !== name);
      this.state = { columns: others.length < this.now.columns.length ? (others.length ? others : [name]) : [...others, name] };
    }));
    const whole = box("whole", false, () => { this.state = { zoom: null }; });
    whole.hidden = !this.now.zoom;
    this.querySelector(".ds-figure-columns").replaceChildren(
      ...(this.frame.columns.length > 1 ? columns : []), box("log axis", this.now.log, () => { this.state = { log: !this.now.log }; }), whole);
  }

  /** The drawn columns side by side on the union of their steps. */
  table() {
    const names = this.now.columns.filter((name) => this.frame.columns.includes(name));
    const parts = names.map((name) => {
      const k = this.frame.columns.indexOf(name);
      const values = Array.from(this.frame.arrays[`value${k}`], (v) => (Number.isFinite(v) && (!this.now.log || v > 0) ? v : null));
      return [this.frame.arrays[`step${k}`], values];
    });
    return [names, uPlot.join(parts.map(([steps, values]) => [Array.from(steps), values]))];
  }

  draw() {
    this.plot?.destroy();
    const [names, data] = this.table();
    const ink = css("--ink"), faint = css("--faint"), soft = css("--soft");
    const axis = { stroke: soft, font: "13px system-ui, sans-serif", grid: { stroke: faint, width: 1 }, ticks: { stroke: faint } };
    const [from, to] = this.frame.band ?? [null, null];
    this.plot = new uPlot({
      width: this.clientWidth || 640, height: HEIGHT,
      scales: { x: { time: false, range: this.now.zoom ?? undefined }, y: { distr: this.now.log ? 3 : 1 } },
      axes: [
        { ...axis, label: "step", labelFont: axis.font, labelSize: 22 },
        { ...axis, size: 74, values: (_, splits) => splits.map((v) => (v === null ? "" : number(v))) },
      ],
      series: [
        { label: "step" },
        ...names.map((name, k) => ({
          label: name.replaceAll("_", " "), stroke: css(COLOURS[k % 8]), dash: DASHES[k % 8], width: 2, points: { show: false },
          value: (_, v) => (v === null ? "–" : number(v, 6)),
        })),
      ],
      cursor: { drag: { x: true, y: false, setScale: false } },
      hooks: {
        drawClear: [(u) => {
          if (from === null) return;
          const left = u.valToPos(from, "x", true), right = u.valToPos(to, "x", true);
          u.ctx.fillStyle = css("--shade");
          u.ctx.fillRect(left, u.bbox.top, Math.max(right - left, 2), u.bbox.height);
        }],
        setSelect: [(u) => {
          if (u.select.width < 6) return;
          const ends = [u.select.left, u.select.left + u.select.width].map((x) => u.posToVal(x, "x"));
          this.state = { zoom: [Math.floor(ends[0]), Math.ceil(ends[1])] };
        }],
      },
    }, data, this.querySelector(".ds-figure-plot"));
    this.querySelector(".ds-figure-plot").setAttribute("aria-label", `${names.join(", ")} against the step. ${this.frame.sentence}`);
    this.style.color = ink;
  }
}
customElements.define("descend-figure", Figure);
