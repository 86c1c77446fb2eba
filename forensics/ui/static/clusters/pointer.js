// What a pointer does on the map: lasso, box, pan, zoom, click, hover.

import { box, lassoed, nearest } from "./geometry.js";

const REACH = 14; // pixels around a point that pick it
const PACE = 50; // milliseconds between looks for the point under the pointer
const STILL = 4; // pixels that a click may move
const STEP = 3; // pixels between two corners of a lasso

/** Listen on a map's stage; see `sampleMap`. */
export function listenPointer(map) {
  const { stage, told } = map;
  let start = null;
  let kind = null;
  let last = 0;
  let waiting = null;

  const place = (event) => {
    const area = stage.getBoundingClientRect();
    return [event.clientX - area.left, event.clientY - area.top];
  };

  function hover(x, y) {
    const found = map.at ? nearest(map.at, x, y, REACH, map.visible) : -1;
    if (found !== map.hover) { map.hover = found; map.draw(1); }
    told.hover(found, x, y);
  }

  function leave() {
    clearTimeout(waiting);
    if (map.hover >= 0) { map.hover = -1; map.draw(1); }
    told.hover(-1, 0, 0);
  }

  stage.addEventListener("pointerdown", (event) => {
    if (!map.at || event.button > 1) return;
    start = place(event);
    kind = event.button === 1 || map.mode === "pan" ? "pan" : map.mode;
    map.gesture = [start];
    stage.setPointerCapture(event.pointerId);
    leave();
  });

  stage.addEventListener("pointermove", (event) => {
    const [x, y] = place(event);
    if (!start) {
      clearTimeout(waiting);
      const early = event.timeStamp - last < PACE; // but where the pointer comes to rest counts
      if (early) { waiting = setTimeout(() => { if (!start) hover(x, y); }, PACE); return; }
      last = event.timeStamp;
      hover(x, y);
      return;
    }
    if (kind === "pan") {
      const [ax, ay] = map.gesture[0];
      map.gesture = [[x, y]];
      map.pan(x - ax, y - ay);
      return;
    }
    const [ax, ay] = map.gesture[map.gesture.length - 1];
    if (kind === "box") map.gesture = box(start, [x, y]);
    else if (Math.hypot(x - ax, y - ay) >= STEP) map.gesture.push([x, y]);
    map.draw(1);
  });

  function click(x, y, adding) {
    const found = nearest(map.at, x, y, REACH, map.visible);
    if (found < 0) { if (!adding) told.clear(); return; }
    map.go(found);
    const mask = new Uint8Array(map.points.n);
    mask[found] = 1;
    told.select(mask, adding);
  }

  stage.addEventListener("pointerup", (event) => {
    if (!start) return;
    const [x, y] = place(event);
    const still = Math.hypot(x - start[0], y - start[1]) < STILL && map.gesture.length < 4;
    const corners = map.gesture;
    map.gesture = null;
    const [was, adding] = [kind, event.shiftKey];
    start = kind = null;
    map.draw(1);
    if (still) { if (event.button === 0) click(x, y, adding); return; }
    if (was === "pan") return;
    if (corners.length < 3) { told.say("Too short: draw around the points you want."); return; }
    const mask = lassoed(corners, map.at, map.visible);
    if (!mask.includes(1)) { told.say("There is no visible point inside; the selection stays as it was."); return; }
    told.select(mask, adding);
  });

  stage.addEventListener("pointercancel", () => { start = kind = null; map.gesture = null; map.draw(1); });
  stage.addEventListener("pointerleave", () => { if (!start) leave(); });
  stage.addEventListener("dblclick", (event) => { event.preventDefault(); map.reset(); });
  stage.addEventListener("wheel", (event) => {
    if (!map.at) return;
    event.preventDefault();
    map.scale(Math.exp(-event.deltaY * (event.deltaMode ? 0.06 : 0.0016)), ...place(event));
  }, { passive: false });
}
