// Mathematics by KaTeX, fetched when the first formula is shown.
let loaded = null;

function load() {
  loaded ??= import("./vendor/katex.js").then((module) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = new URL("./vendor/katex.css", import.meta.url).href;
    document.head.append(link);
    return module.default;
  });
  return loaded;
}

/** Write LaTeX into an element; until KaTeX is there, and where it cannot read it, the source stands there. */
export async function tex(element, source, display = false) {
  if (element.dataset.tex === source) return;
  element.dataset.tex = source;
  if (!element.firstChild) element.textContent = source;
  const katex = await load();
  if (element.dataset.tex === source) katex.render(source, element, { displayMode: display, throwOnError: false, output: "html" });
}
