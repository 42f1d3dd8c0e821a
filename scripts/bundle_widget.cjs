// Bundles static/widget/entry.js for anywidget: node scripts/bundle_widget.cjs DIGEST (see scripts/bundle_widget).
const esbuild = require("esbuild");
const fs = require("node:fs");
const path = require("node:path");

const STATIC = path.resolve(__dirname, "../src/descend/lab/static");
const read = (name) => fs.readFileSync(path.join(STATIC, name), "utf8");
const FONTS = ["Main-Regular", "Main-Bold", "Math-Italic", "Size1-Regular", "Size2-Regular"];

// Our custom properties are set on the notebook's document, since drawing code reads them there: they get a prefix.
const theme = read("theme.css");
const names = new Set();
for (const file of ["theme.css", "pages/maps.css", "widget/widget.css"])
  for (const [, name] of read(file).matchAll(/[{;\s](--[\w-]+)\s*:/g)) names.add(name.slice(2));
names.add("run-");
const renamed = new RegExp(`--(?=(?:${[...names].sort((a, b) => b.length - a.length).join("|")}))`, "g");
const prefixed = (text) => text.replace(renamed, "--ds-");

const block = (selector) => {
  const at = theme.indexOf(`${selector} {`);
  if (at < 0) throw new Error(`theme.css has no ${selector}`);
  return theme.slice(theme.indexOf("{", at) + 1, theme.indexOf("}", at));
};
const variables = (text) => [...text.matchAll(/--[\w-]+\s*:[^;]+;?/g)].map(([v]) => v).join(" ");
const light = variables(block(":root, .ds-root")), dark = variables(block(':root[data-theme="dark"]'));

const fonts = read("vendor/katex.css").match(/@font-face\{[^}]*\}/g).filter((face) => FONTS.some((name) => face.includes(`KaTeX_${name}.`)))
  .map((face) => face.replace(/url\(fonts\/([^)]+)\)/g, (_, file) =>
    `url(data:font/woff2;base64,${fs.readFileSync(path.join(STATIC, "vendor/fonts", file)).toString("base64")})`));
const documentStyle = prefixed(`:root { ${light} }\n:root[data-ds-theme="dark"] { ${dark} }\n`) + fonts.join("\n");

/** The page's rules for a shadow: no colours of the document's root, sizes of the element's box instead of the window's. */
function shadowed(text) {
  const rules = text.replace(/@media \(prefers-color-scheme: dark\) \{\s*:root[^}]*\}\s*\}/g, "")
    .replace(/:root, \.ds-root \{[^}]*\}/g, "").replace(/:root\[data-theme="(?:dark|light)"\] \{[^}]*\}/g, "")
    .replace(/(^|\n)body \{/g, "$1.ds-root {").replace(/@media (\((?:max|min)-width)/g, "@container $1")
    .replace(/([\d.]+)vw\b/g, "$1cqw");
  return prefixed(rules);
}
const katex = read("vendor/katex.css").replace(/@font-face\{[^}]*\}/g, "");
const shadowStyle = [shadowed(theme), shadowed(read("pages/maps.css")), read("vendor/uplot.css"), katex, shadowed(read("widget/widget.css"))].join("\n");

const page = {
  name: "page",
  setup(build) {
    build.onResolve({ filter: /^descend:style$/ }, () => ({ path: "style", namespace: "descend" }));
    build.onLoad({ filter: /.*/, namespace: "descend" }, () => ({
      contents: `export const documentStyle = ${JSON.stringify(minify(documentStyle))};\nexport const shadowStyle = ${JSON.stringify(minify(shadowStyle))};`,
    }));
    build.onResolve({ filter: /\/math\.js$/ }, () => ({ path: path.join(STATIC, "widget/math.js") }));
    build.onLoad({ filter: /\.js$/ }, ({ path: file }) => {
      const text = fs.readFileSync(file, "utf8");
      if (file.includes(`${path.sep}vendor${path.sep}`)) return { contents: text };
      return { contents: prefixed(text)
        // inside a shadow the document's active element is its host
        .replaceAll("document.activeElement", "globalThis.descendActive()")
        // every widget of a notebook evaluates the bundle
        .replace(/customElements\.define\(([^,]+),/g, "customElements.get($1) || customElements.define($1,") };
    });
  },
};
const minify = (text) => esbuild.transformSync(text, { loader: "css", minify: true }).code;
const active = "globalThis.descendActive ??= () => { let at = document.activeElement; while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement; return at; };";

esbuild.build({
  entryPoints: [path.join(STATIC, "widget/entry.js")], outfile: path.join(STATIC, "widget.js"), bundle: true, minify: true,
  format: "esm", target: "es2022", charset: "utf8", legalComments: "none", plugins: [page], logLevel: "warning",
  banner: { js: `// Made by scripts/bundle_widget from ${process.argv[2]}; licences of what it holds: vendor/LICENSES.txt\n${active}` },
}).catch(() => process.exit(1));
