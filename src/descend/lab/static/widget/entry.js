// The page's elements in a notebook, through anywidget. Bundled with their style into ../widget.js by scripts/bundle_widget.
//
// Each view has a shadow of its own, so that the notebook's style does not reach into the element, nor ours out of it; what has
// to stand in the document (colours as custom properties, fonts) carries our prefix.
import "../pages/maps.js";
import "../pages/playground.js";
import { blank } from "../pages/playground/state.js";
import { WidgetTransport } from "../transport.js";
import { documentStyle, shadowStyle } from "descend:style";
import "./figure.js";

/** How each element is given a state, and which event says that it has another. */
const KINDS = {
  playground: {
    tag: "descend-playground", event: "descend-state", told: (detail) => detail.state,
    begin(element, state) { if (Object.keys(state).length) element.given = { ...blank(), ...state }; },
    change(element, state) {
      const next = { ...blank(), ...element.state, ...state };
      if (element.catalogue) element.restore(next); else element.given = next;
    },
  },
  map: {
    tag: "descend-map", event: "statechange", told: (detail) => detail,
    begin(element, state) { element.state = state; },
    change(element, state) { element.state = state; },
  },
  figure: {
    tag: "descend-figure", event: "statechange", told: (detail) => detail,
    begin(element, state) { element.state = state; },
    change(element, state) { element.state = state; },
  },
};

/** Whether the notebook is dark: what it says itself, else what the system prefers. */
function dark() {
  const { body, documentElement: root } = document;
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false";
  const names = `${root.className} ${body.className} ${root.dataset.theme ?? ""} ${body.dataset.vscodeThemeKind ?? ""}`;
  if (/\bdark\b|vscode-dark/.test(names)) return true;
  if (/\blight\b|vscode-light/.test(names)) return false;
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

function follow() {
  const theme = dark() ? "dark" : "light";
  if (document.documentElement.dataset.dsTheme === theme) return;
  document.documentElement.dataset.dsTheme = theme;
  dispatchEvent(new Event("descend-theme"));
}

function prepare() {
  if (document.getElementById("descend-lab-style")) return;
  const style = document.createElement("style");
  style.id = "descend-lab-style";
  style.textContent = documentStyle;
  document.head.append(style);
  follow();
  const observer = new MutationObserver(follow);
  for (const element of [document.body, document.documentElement]) observer.observe(element, { attributes: true });
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

export default {
  render({ model, el }) {
    prepare();
    const host = document.createElement("div");
    host.className = "descend-lab";
    host.dataset.lmSuppressShortcuts = "true"; // JupyterLab's keys stay out of ours
    host.addEventListener("keydown", (event) => event.stopPropagation());
    const shadow = host.attachShadow({ mode: "open" });
    const style = document.createElement("style");
    style.textContent = shadowStyle;
    const root = document.createElement("div");
    root.className = "ds-root";
    const waiting = document.createElement("p");
    waiting.className = "ds-waiting";
    waiting.textContent = "Waiting for Python. Run the cell if nothing appears.";
    root.append(waiting);
    shadow.append(style, root);
    el.append(host);

    const kind = KINDS[model.get("kind")];
    const transport = new WidgetTransport(model);
    transport.addEventListener("answered", () => waiting.remove(), { once: true });
    const element = document.createElement(kind.tag);
    element.transport = transport;
    let known = model.get("state");
    kind.begin(element, known);
    element.addEventListener(kind.event, (event) => {
      const state = kind.told(event.detail);
      if (same(state, known)) return;
      known = state;
      model.set("state", state);
      model.save_changes();
    });
    const changed = () => {
      const state = model.get("state");
      if (same(state, known)) return;
      known = state;
      kind.change(element, state);
    };
    model.on("change:state", changed);
    root.append(element);
    return () => {
      model.off("change:state", changed);
      transport.close();
      host.remove();
    };
  },
};
