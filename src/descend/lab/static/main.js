// The page around the elements: navigation, theme, the line that says when the server is gone.
import { Socket } from "./transport.js";

const transport = new Socket();
const page = { "": "playground", maps: "maps", slopes: "slopes", line: "line" }[location.pathname.slice(1)] ?? "playground";

const LOST = "The server is not answering. Your picture is kept; it goes on when descend lab runs again.";
const STRANGER = "This server wants its token: open the address that descend lab printed.";
const status = document.getElementById("status");
let lost = null;
transport.addEventListener("lost", () => { // and at each attempt to come back
  if (status.hidden) lost ??= setTimeout(explain, 400); else explain();
});

async function explain() {
  const refused = await fetch("/static/icon.svg", { cache: "no-store" }).then((answer) => answer.status === 401, () => false);
  if (lost === null) return; // it came back meanwhile
  status.textContent = refused ? STRANGER : LOST;
  status.hidden = false;
}

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
