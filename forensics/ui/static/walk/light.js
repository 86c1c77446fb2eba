// Light up the control that a step is about; it never covers or blocks anything.

const CLASS = "tl-walk-here";
let lit = null;

const visible = (node) => node && node.getClientRects().length > 0;

function shine(node) {
  if (lit === node) return;
  lit?.classList.remove(CLASS);
  lit = node;
  lit?.classList.add(CLASS);
}

/** Mark the control where it is on the page, else the tab that leads to it. */
export function lightUp(step, tab) {
  const target = step.point ? document.querySelector(step.point) : null;
  const button = document.querySelector(`#tab-${step.tab}-button`);
  shine(tab === step.tab && visible(target) ? target : tab === step.tab ? null : button);
}

export const lightOff = () => shine(null);

/** Bring the control to where it can be seen. */
export function bringIn(step) {
  const target = step.point ? document.querySelector(step.point) : null;
  if (visible(target)) target.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}
