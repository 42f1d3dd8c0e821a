// The derivative by rule, each rule with why a trainer meets it; the chain rule in numbers; and what many factors leave.
import { Chart, el, mathOf, put, slider } from "./kit.js";

export function rulesPanel() {
  const whole = el("div", { class: "sl-derived" });
  const list = el("div", { class: "sl-rules" });
  const notes = el("p", { class: "sl-note", hidden: true });
  const node = el("section", { class: "sl-card" },
    el("header", {}, el("h2", {}, "Derived by rule"), el("p", {}, "Every rule the formula needed, and where a training run meets it.")),
    whole, notes, list);
  let shown = "";
  function draw(told) {
    const key = `${told.latex}|${told.slope_latex}`;
    put(whole, mathOf(`f(${told.variable}) = ${told.latex}`, "div"), mathOf(`f'(${told.variable}) = ${told.slope_latex}`, "div"),
      mathOf(`f'(${told.at.toPrecision(4) * 1}) = ${told.slope?.replace("−", "-") ?? "\\text{none}"}`, "div"));
    notes.hidden = !told.notes.length;
    notes.textContent = told.notes.map((note) => `${note[0].toUpperCase()}${note.slice(1)}.`).join(" ");
    if (key === shown) return;
    shown = key;
    put(list, ...told.rules.map((rule) => el("div", { class: "sl-rule" },
      el("div", { class: "sl-rule-name" }, el("strong", {}, rule.name), mathOf(rule.latex)),
      el("p", {}, rule.why[0].toUpperCase() + rule.why.slice(1), rule.where.length ? el("span", { class: "sl-where" }, ` Here: ${rule.where.join(",  ")}`) : ""))));
  }
  return { node, draw };
}

export function chainPanel({ ask }) {
  const flow = el("div", { class: "sl-chain" });
  const verdict = el("p", { class: "sl-reading" });
  const product = el("div", { class: "sl-plot" });
  const reading = el("p", { class: "sl-reading" });
  const state = { factor: 0.25, count: 50 };
  const change = () => ask("factors", "factors", state).then((told) => { if (told && !told.error) { frame = told; drawFactors(); } });
  const factor = slider({ label: "slope of each layer", min: 0.05, max: 2, step: 0.01, value: 0.25, show: (v) => v.toFixed(2), change: (v) => { state.factor = Math.round(v * 100) / 100; change(); } });
  const count = slider({ label: "layers", min: 1, max: 100, step: 1, value: 50, show: (v) => String(v), change: (v) => { state.count = v; change(); } });
  let frame = null;
  const chart = new Chart(product, {
    label: "What is left of a gradient after each layer", ratio: 0.34, tallest: 210, ylog: true, xname: "layers", margins: { left: 52 }, draw: () => drawFactors(),
  });
  const node = el("section", { class: "sl-card" },
    el("header", {}, el("h2", {}, "The chain rule"), el("p", {}, "A wiggle passes through the inner function, then the outer: the slopes multiply.")),
    flow, verdict);
  const many = el("section", { class: "sl-card" },
    el("header", {}, el("h2", {}, "Many factors"), el("p", {}, "A deep network multiplies one slope for each layer. A sigmoid's is at most 0.25.")),
    product, factor, count, reading);

  function drawFactors() {
    if (!frame) return;
    const { left } = frame.arrays;
    const pairs = [];
    left.forEach((v, k) => pairs.push(k, v));
    const last = Math.min(1e300, Math.max(1e-300, Math.abs(left[left.length - 1])));
    chart.view([0, Math.max(2, frame.count)], [Math.min(0.1, last) / 3, Math.max(10, last) * 3]).begin();
    chart.axes();
    chart.line("left", pairs, "ck-forward");
    chart.dot("end", frame.count, last, 5, "ck-dot forward");
    const y = chart.y(last);
    chart.text("end-text", chart.x(frame.count) - 10, y < chart.top + 24 ? y + 22 : y - 10, frame.text, "forward", "end");
    chart.end();
    reading.textContent = frame.reading;
  }

  let example = null;
  async function draw(told) {
    if (!told.chain) {
      example ??= await ask("example", "derivation", { f: "(3x+1)^2", at: 0 });
      if (!example || example.error) return;
      show(example);
      verdict.prepend(`Nothing is nested in f = ${told.text}; so here is another. `);
    } else show(told);
  }

  function show(told) {
    const c = told.chain;
    const box = (latex, note, cls = "") => el("div", { class: `sl-link ${cls}` }, mathOf(latex), el("small", {}, note));
    const arrow = (latex) => el("div", { class: "sl-arrow" }, mathOf(latex));
    const at = Number(told.at.toPrecision(4));
    put(flow,
      box(`${told.variable} = ${at}`, "input"),
      arrow(`\\times ${tidy(c.inner_slope)}`),
      box(`${c.letter} = ${c.inner} = ${tidy(c.u)}`, `inner slope ${c.inner_slope}`),
      arrow(`\\times ${tidy(c.outer_slope)}`),
      box(`${c.outer}`, `outer slope ${c.outer_slope}`),
      box(`${tidy(c.outer_slope)} \\times ${tidy(c.inner_slope)} = ${tidy(c.exact)}`, "the derivative", "exact"),
      box(`${tidy(c.secant)}`, `secant, h = ${c.h}`, "secant"),
      box(`${tidy(c.forgotten)}`, "inner factor forgotten", c.wrong ? "wrong" : ""));
    verdict.textContent = c.wrong
      ? `The secant says ${c.secant}, and the product ${c.exact} agrees. Forget the inner factor and you get ${c.forgotten}: the usual mistake, and the secant catches it.`
      : `The secant says ${c.secant} and the product ${c.exact}. Here the inner factor is 1, so that forgetting it goes unnoticed.`;
  }
  change();
  return { node, many, draw };
}

const tidy = (text) => text.replace("−", "-").replace(/^(-?[\d.]+)e([-+]?\d+)$/, (_, m, e) => `${m}\\times 10^{${Number(e)}}`);
