"use strict";
/* Comforts only: without a script everything is there, unsorted and without a pointer. */

for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  if (body.rows.length < 2) continue;
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => {
        const cell = row.cells[column];
        return cell.dataset.sort === undefined ? cell.textContent.trim() : Number(cell.dataset.sort);
      };
      const order = (one, two) => {
        const a = key(one), b = key(two);
        if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1; // what is missing comes last
        const found = typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true });
        return down ? -found : found;
      };
      body.append(...[...body.rows].sort(order));
    });
  });
}

for (const source of document.querySelectorAll("script[data-for]")) {
  const figure = document.getElementById(source.dataset.for);
  const { left, right, labels } = JSON.parse(source.textContent);
  const drawing = figure.querySelector("svg"), guide = drawing.querySelector(".guide");
  const readout = figure.querySelector(".readout"), rest = readout.textContent;
  const width = drawing.viewBox.baseVal.width;
  let at = -1;
  const tell = (place) => {
    at = place < 0 ? -1 : Math.min(labels.length - 1, place);
    readout.textContent = at < 0 ? rest : labels[at];
    const x = width * (left + (right - left) * (at + 0.5) / labels.length);
    guide.setAttribute("x1", x);
    guide.setAttribute("x2", x);
    guide.classList.toggle("on", at >= 0);
  };
  drawing.setAttribute("tabindex", "0");
  drawing.addEventListener("pointermove", (event) => {
    const box = drawing.getBoundingClientRect();
    const share = ((event.clientX - box.left) / box.width - left) / (right - left);
    tell(share < 0 || share > 1 ? -1 : Math.floor(share * labels.length));
  });
  drawing.addEventListener("pointerleave", () => tell(-1));
  drawing.addEventListener("blur", () => tell(-1));
  drawing.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    tell(Math.max(0, at + step));
  });
}
