// The map without a pointer: a cursor that goes from point to point.

import { neighbour } from "./geometry.js";

const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Listen on a map's stage; see `sampleMap`. */
export function listenKeys(map) {
  const { stage, told } = map;

  function move(way) {
    if (map.cursor < 0) { map.go(map.middle()); return; }
    const next = neighbour(map.at, map.cursor, way, map.visible);
    if (next < 0) { told.say("There is no further point in this direction."); return; }
    map.go(next);
  }

  function pick(adding) {
    if (map.cursor < 0) { map.go(map.middle()); return; }
    const mask = new Uint8Array(map.points.n);
    mask[map.cursor] = 1;
    told.select(mask, adding);
  }

  stage.addEventListener("keydown", (event) => {
    if (!map.at || event.ctrlKey || event.metaKey || event.altKey) return;
    const actions = {
      " ": () => pick(event.shiftKey), Enter: () => pick(event.shiftKey), Escape: () => told.clear(),
      "+": () => map.scale(1.4), "=": () => map.scale(1.4), "-": () => map.scale(1 / 1.4), 0: () => map.reset(), Home: () => map.reset(),
    };
    const way = WAYS[event.key];
    if (!way && !actions[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    if (way) move(way); else actions[event.key]();
  });
}
