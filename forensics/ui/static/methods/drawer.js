// The drawer "Run a method": opened from either tab, closed with Esc; the forms in it are Gradio's.

import { el, show, whenThere } from "../core/dom.js";
import { state } from "../core/store.js";
import { closeDrawer } from "./listing.js";

const OPEN = "tl-drawer-open";
const SETTLING = "tl-settling";
const QUIET = 250; // ms without a change, and then a moment without work, after which a form stands
const idle = window.requestIdleCallback ?? setTimeout;
const drawer = () => document.querySelector("#run-drawer");

/** Gradio builds what is folded when it is unfolded, some of it twice, and the second time forgets what was written meanwhile: hide it until it stands. */
function settle(part) {
  if (part.classList.contains(SETTLING)) return;
  part.classList.add(SETTLING);
  let changes = 0; // a busy machine builds late: only a wait that saw no further change counts
  const done = () => { watcher.disconnect(); part.classList.remove(SETTLING); };
  const wait = () => {
    const seen = changes += 1;
    setTimeout(() => idle(() => { if (seen === changes) done(); }), QUIET);
  };
  const watcher = new MutationObserver(wait);
  watcher.observe(part, { childList: true, subtree: true });
  wait();
}

/** Open the form of a method and close the others; those that cannot examine this case are not offered. */
function unfold(method) {
  const kind = (name) => state.methods?.find((line) => line.name === name)?.kind === "repair";
  const repairs = kind(method); // repairs and methods that look for evidence are not mixed
  for (const part of drawer().querySelectorAll(":scope > [id^=run-]:not(#run-head)")) {
    const offered = !state.methods || state.methods.some((line) => part.id === `run-${line.name}` && (line.kind === "repair") === repairs);
    part.style.display = offered ? "" : "none";
    const label = part.querySelector(":scope > .label-wrap, :scope > button");
    if (label && label.classList.contains("open") !== (part.id === `run-${method}`)) label.click();
  }
}

/** Build the drawer's head into `element`. */
export function mount({ element }) {
  let from = null;
  const close = el("button", { type: "button", class: "tl-ghost", id: "run-close", onclick: closeDrawer }, "Close (Esc)");
  show(element.querySelector(".tl-root"), el("div", { class: "tl-card-head" },
    el("div", {}, el("h2", {}, "Run a method"), el("p", { class: "tl-sub" }, "Each has defaults that need no change.")), close));
  whenThere("#run-drawer", (box) => {
    box.setAttribute("role", "dialog");
    box.setAttribute("aria-label", "Run a method");
    box.addEventListener("click", (event) => {
      const label = event.target.closest(".label-wrap");
      if (label && !label.classList.contains("open")) settle(label.parentElement);
    }, true);
  });

  document.addEventListener("tl-drawer", ({ detail: method }) => {
    const open = method !== null;
    if (open) from = document.activeElement;
    document.body.classList.toggle(OPEN, open);
    if (!open) { from?.focus?.(); from = null; return; }
    unfold(method);
    close.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.body.classList.contains(OPEN)) { event.stopPropagation(); closeDrawer(); }
  }, true);
}
