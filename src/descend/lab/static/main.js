// The page around the elements: navigation, theme, the line that says when the server is gone.
import { Socket } from "./transport.js";

const transport = new Socket();
const page = { "": "playground", maps: "maps", slopes: "slopes", line: "line" }[location.pathname.slice(1)] ?? "playground";

const status = document.getElementById("status");
let lost = null;
transport.addEventListener("lost", () => {
  lost ??= setTimeout(() => {
    status.textContent = "The server is not answering. Your picture is kept; it goes on when descend lab runs again.";
    status.hidden = false;
  }, 400);
});
transport.addEventListener("connected", () => {
  clearTimeout(lost);
  lost = null;
  status.hidden = true;
});

for (const link of document.querySelectorAll("nav a")) {
  if (link.pathname === location.pathname) link.setAttribute("aria-current", "page");
}

const root = document.documentElement;
const kept = localStorage.getItem("descend-theme");
if (kept) root.dataset.theme = kept;
document.getElementById("theme").addEventListener("click", () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("descend-theme", root.dataset.theme);
  dispatchEvent(new Event("descend-theme"));
});

const { mount } = await import(`./pages/${page}.js`);
mount(document.getElementById("lab"), transport);
