// The playground: a descent that answers while the pointer moves.
import { COLOURS, DASHES, css, drawGround, levelsOf, prepared, viewOf } from "../plot/plane.js";

const FIRST = { objective: "x**2 + 3*y**2", start: [4, 3], steps: 40, optimizers: [{ name: "sgd", values: { lr: 0.3 } }] };

export class Playground extends HTMLElement {
  connectedCallback() {
    this.innerHTML = `<div class="ds-plane"><canvas></canvas><canvas></canvas></div><p class="ds-says"></p>`;
    [this.under, this.over] = this.querySelectorAll("canvas");
    this.state = structuredClone(FIRST);
    this.view = viewOf([[-5, 5], [-5, 5]], 600, 600);
    const drag = (event) => {
      if (event.buttons !== 1 && event.type !== "pointerdown") return;
      const area = this.over.getBoundingClientRect();
      this.state.start = this.view.back(event.clientX - area.left, event.clientY - area.top);
      this.run();
    };
    this.over.addEventListener("pointerdown", drag);
    this.over.addEventListener("pointermove", drag);
    this.ground().then(() => this.run());
  }

  async ground() {
    const frame = await this.transport.ask("ground", "ground", { objective: this.state.objective, box: this.view.box });
    if (!frame || frame.error) return;
    this.shapes = levelsOf(frame);
    drawGround(prepared(this.under, 600, 600), this.view, this.shapes);
  }

  async run() {
    const frame = await this.transport.ask("run", "run", this.state);
    if (!frame) return;
    if (frame.error) { this.querySelector("p").textContent = frame.error; return; }
    const context = prepared(this.over, 600, 600);
    frame.runs.forEach((run, k) => {
      const points = frame.arrays[`points${k}`];
      context.strokeStyle = css(COLOURS[k]);
      context.setLineDash(DASHES[k]);
      context.lineWidth = 2;
      context.beginPath();
      for (let i = 0; i < points.shape[0]; i++) {
        const x = this.view.x(points[2 * i]), y = this.view.y(points[2 * i + 1]);
        if (i) context.lineTo(x, y); else context.moveTo(x, y);
      }
      context.stroke();
    });
    this.querySelector("p").textContent = frame.runs.map((run) => run.message).join(" ");
  }
}
customElements.define("descend-playground", Playground);

export function mount(place, transport) {
  const element = document.createElement("descend-playground");
  element.transport = transport;
  place.append(element);
}
