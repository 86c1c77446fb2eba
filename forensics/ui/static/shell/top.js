// The top bar: what is open, its verdict, the theme, and the job bar below.

import { casePath, getJSON, post } from "../core/api.js";
import { el, show } from "../core/dom.js";
import { count } from "../core/format.js";
import { watchServer } from "../core/alive.js";
import { listen } from "../core/keys.js";
import { set, state, watch } from "../core/store.js";
import { followTabs } from "../core/tabs.js";
import { chip } from "../attention/verdict.js";
import { jobBar } from "../job/bar.js";
import { followMethods } from "../methods/listing.js";
import { settingsButton } from "../settings/drawer.js";
import { SCAN } from "../triggers/data.js";

const THEME = "triggerlens-theme";

function applyTheme(theme) {
  document.body.classList.toggle("dark", theme === "dark");
  document.documentElement.style.colorScheme = theme;
}

function themeButton() {
  const system = matchMedia("(prefers-color-scheme: dark)");
  let owner = "auto"; // what the settings say to browsers that have not chosen
  const now = () => localStorage.getItem(THEME) ?? (owner === "auto" ? (system.matches ? "dark" : "light") : owner);
  const button = el("button", { type: "button", class: "tl-ghost", id: "tl-theme", title: "Light or dark" });
  const draw = () => { applyTheme(now()); show(button, now() === "dark" ? "☀ Light" : "☾ Dark"); };
  button.addEventListener("click", () => { localStorage.setItem(THEME, now() === "dark" ? "light" : "dark"); draw(); });
  system.addEventListener("change", draw);
  draw();
  const follow = ({ settings }) => { owner = settings.find((one) => one.name === "theme").value; draw(); };
  getJSON("/api/settings").then(follow).catch(() => { /* the drawer Settings says what is wrong with them */ });
  return { button, follow };
}

/** Copy the address of exactly this view. */
function linkButton() {
  const button = el("button", { type: "button", class: "tl-ghost", id: "tl-copy-link", title: "Copy a link to this view" }, "Copy link");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      show(button, "Copied");
    } catch { show(button, "Copy it from the address bar"); } // the browser refuses the clipboard outside HTTPS
    setTimeout(() => show(button, "Copy link"), 2500);
  });
  return button;
}

/** Who is logged in, and the way out; empty where nobody has to log in. */
function accountPart() {
  const node = el("span", { class: "tl-account" });
  getJSON("/api/account").then(({ name, login }) => {
    document.body.classList.toggle("tl-logged-in", login);
    if (!login) return;
    show(node, el("span", { class: "tl-sub", id: "tl-account", title: `Logged in as ${name}` }, name),
      el("button", { type: "button", class: "tl-ghost", id: "tl-logout", onclick: async () => { await post("/api/logout"); location.assign("/"); } }, "Log out"));
  }).catch(() => { /* what is wrong is told by every other part of the page */ });
  return node;
}

/** The tabs stand left of the tools where there is room for both in one line. */
function makeRoom(tools) {
  new ResizeObserver(() => document.body.style.setProperty("--tl-tools", `${tools.offsetWidth + 14}px`)).observe(tools);
}

/** Build the bar into `element`. */
export function mount({ element }) {
  const about = el("div", { class: "tl-about", id: "tl-about" });
  const theme = themeButton();
  const tools = el("div", { class: "tl-top-tools" }, accountPart(), linkButton(), settingsButton(theme.follow), theme.button);
  const host = element.querySelector(".tl-root");
  show(host, el("div", { class: "tl-top" },
    el("a", { class: "tl-brand", href: "/", "aria-label": "TriggerLens, start page" }, "Trigger", el("b", {}, "Lens")),
    about, tools), jobBar());
  makeRoom(tools);

  async function draw() {
    if (!state.case) { show(about, el("h1", { class: "tl-no-case" }, "No case is open.")); return; }
    const name = state.case;
    try {
      const opened = await getJSON(casePath(name));
      if (name !== state.case) return;
      document.title = `${opened.title} · TriggerLens`;
      const verdict = state.summary?.verdict.kind ?? opened.runs.find((run) => (opened.kind === "clip" ? run.method === SCAN && run.verdict : run.id === state.run))?.verdict;
      const facts = `${opened.model} · ${count(opened.samples)} samples · sha ${opened.hash.slice(0, 8)}`;
      show(about, el("h1", { title: `${opened.title}, ${facts}` }, opened.title), el("span", { class: "tl-sub" }, facts), verdict && chip(verdict));
      if (!state.run && opened.latest_run) set({ run: opened.latest_run });
    } catch (error) {
      show(about, el("span", { class: "tl-bad-text" }, `${error.message} ${error.remedy ?? ""}`));
    }
  }
  window.triggerlens = { state }; // the forms read which case is open
  watch(["case", "run", "summary", "finished"], draw);
  draw();
  listen();
  watchServer();
  followTabs();
  followMethods();
}
