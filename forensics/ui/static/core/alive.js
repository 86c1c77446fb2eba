// Notice that the server was started anew: the forms (Gradio) then need a fresh page.
//
// What is open stands in the address bar, so nothing is lost by loading the page again.

import { getJSON } from "./api.js";

const PACE = 5000;
let known = null;

async function look() {
  if (document.visibilityState !== "visible") return;
  try {
    const { server } = await getJSON("/api/alive");
    if (known !== null && server !== known) location.reload();
    known = server;
  } catch { /* it is away: the job bar says so, and the next look may find it again */ }
}

/** Look every few seconds, and when the page comes back to the front. */
export function watchServer() {
  look();
  setInterval(look, PACE);
  document.addEventListener("visibilitychange", look);
}
