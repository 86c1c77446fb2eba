// Build elements. Text always becomes a text node: nothing in this app is ever parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

function apply(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "disabled" || name === "checked") node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
}

function fill(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

/** Make an HTML element; strings among the children become text nodes. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  apply(node, attributes);
  return fill(node, children);
}

/** Make an SVG element. */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  apply(node, attributes);
  return fill(node, children);
}

const NAMES = ["id", "data-value", "data-row", "data-index", "data-place", "aria-label"]; // the first one that a control has tells it

/** What finds a control in a node again once it is drawn anew: its name, in its group, and which of several it is. */
function finder(node, control) {
  const named = (one, name) => `[${name}="${CSS.escape(one.getAttribute(name))}"]`;
  const name = NAMES.find((one) => control.getAttribute(one));
  if (!name) return () => null;
  const group = name !== "id" && control.parentElement?.closest("[role=group][aria-label]");
  const all = () => [...node.querySelectorAll(`${group ? named(group, "aria-label") : ""} ${control.localName}${named(control, name)}`)];
  const which = all().indexOf(control);
  return () => all()[which];
}

/** A control, or where it cannot be pressed now (the end of the pages) the nearest one beside it that can. */
function pressable(control) {
  if (!control?.disabled) return control;
  const all = [...control.parentNode.children];
  const away = (one) => Math.abs(all.indexOf(one) - all.indexOf(control));
  return all.filter((one) => one.matches("button:enabled")).sort((a, b) => away(a) - away(b))[0];
}

/** Draw anew what stands in a node. The control in it that had the focus has it again, and a field its caret. */
export function keepFocus(node, draw) {
  const held = node.contains(document.activeElement) ? document.activeElement : null;
  const find = held && finder(node, held);
  const [from, to] = [held?.selectionStart, held?.selectionEnd];
  draw();
  const now = held?.isConnected ? held : held && pressable(find());
  if (!now || now === document.activeElement) return;
  now.focus({ preventScroll: true });
  if (Number.isInteger(from)) now.setSelectionRange(from, to);
}

/** Replace everything inside a node; whoever had the focus there keeps it. */
export function show(node, ...children) {
  keepFocus(node, () => { node.replaceChildren(); fill(node, children); });
  return node;
}

/** A card with a title line; `tools` stand at the right of the title. */
export function card(title, { subtitle = "", tools = [], label = title, className = "" } = {}, ...children) {
  const heading = el("header", { class: "tl-card-head" },
    el("div", {}, el("h3", {}, title), subtitle && el("p", { class: "tl-sub" }, subtitle)),
    el("div", { class: "tl-tools" }, tools));
  return el("section", { class: `tl-card ${className}`, "aria-label": label }, heading, children);
}

/** A group of buttons of which exactly one is pressed. */
export function segmented(label, choices, chosen, choose) {
  return el("div", { class: "tl-segmented", role: "group", "aria-label": label },
    choices.map(([value, text, title]) => el("button", {
      type: "button", "aria-pressed": String(value === chosen), title,
      "data-value": value, onclick: () => choose(value),
    }, text)));
}

/** A state with nothing to draw: what is missing, and what to do about it. */
export function empty(title, advice, ...actions) {
  return el("div", { class: "tl-empty" }, el("strong", {}, title), el("p", {}, advice), actions);
}

/** A picture, or words in its place where there is none or it cannot be read. */
export function picture(address, problem = "no picture") {
  const instead = () => el("span", { class: "tl-no-picture" }, problem);
  if (!address) return instead();
  const image = el("img", { src: address, alt: "", decoding: "async", fetchpriority: "low" });
  image.addEventListener("error", () => image.replaceWith(instead()));
  return image;
}

/** Call back with an element once it is on the page: Gradio may mount it after the panel that needs it. Returns what gives up. */
export function whenThere(selector, callback) {
  const found = document.querySelector(selector);
  if (found) { callback(found); return () => {}; }
  const watcher = new MutationObserver(() => {
    const node = document.querySelector(selector);
    if (!node) return;
    watcher.disconnect();
    callback(node);
  });
  watcher.observe(document.body, { childList: true, subtree: true });
  return () => watcher.disconnect();
}
