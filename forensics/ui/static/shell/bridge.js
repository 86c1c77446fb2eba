// What the forms (Gradio) tell the page: a case was opened, a scan was started, something is wrong.

import { alertOf } from "../core/alert.js";
import { forget, casePath } from "../core/api.js";
import { show } from "../core/dom.js";
import { FRESH, set, state } from "../core/store.js";
import { followRun } from "../methods/listing.js";

/** Follow the value of the component in `element`: {version, case, run, tab, started, method, error, remedy}. */
export function mount({ element, props, watch }) {
  const host = element.querySelector(".tl-root");
  let seen = null;
  function follow() {
    const said = props.value;
    if (!said || said.version === seen) return;
    seen = said.version;
    show(host, said.error ? alertOf({ message: said.error, remedy: said.remedy }) : null);
    if (said.error) return;
    if (said.started) {
      if (said.case === state.case) followRun(said); // else somebody has opened another case meanwhile
      return;
    }
    if (said.case) {
      forget(casePath(said.case));
      set({ ...(said.case === state.case ? {} : FRESH), case: said.case, run: said.run ?? null, tab: said.tab ?? state.tab });
    }
  }
  watch("value", follow);
  follow();
}
