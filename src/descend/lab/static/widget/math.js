// Mathematics by KaTeX in a notebook: its style and fonts are in the bundle. Stands in for ../math.js there.
import katex from "../vendor/katex.js";

/** Write LaTeX into an element; where KaTeX cannot read it, the source stands there. */
export async function tex(element, source, display = false) {
  if (element.dataset.tex === source) return;
  element.dataset.tex = source;
  katex.render(source, element, { displayMode: display, throwOnError: false, output: "html" });
}
