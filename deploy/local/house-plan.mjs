/**
 * The house plan of CONTRIBUTING as rules that can be checked: what imports what, by room. Built-ins only.
 *
 * A room is a folder of a layer with the folders inside it (models/gate). A file that lies loose in a layer is a room
 * of its own (models/recipe.ts). An import of types counts as well: what it names must be understood first.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, posix, sep } from "node:path";
import { ROOT } from "./shell.mjs";

/** From the bottom to the top: a layer imports itself and the layers before it. */
export const LAYERS = ["models", "services", "jobs", "deploy"];

/** Most source files that may lie loose in a layer: with more, nobody finds their way. */
export const MOST_LOOSE_FILES = { models: 8, jobs: 7 };

/** Another language, and what the build writes. */
const OTHERS = ["models/kernels/assembly/", "models/kernels/generated/"];

const IMPORT = /(?:\bfrom|\bimport|\bimport\()\s*"(\.[^"]+)"/g;

/** Every source file below `root` and every import of one by another: paths from the root, with slashes. */
export function readHouse(root = ROOT) {
  const files = LAYERS.flatMap((layer) =>
    readdirSync(join(root, layer), { recursive: true })
      .map((name) => `${layer}/${name.split(sep).join("/")}`)
      .filter((path) => path.endsWith(".ts") && !OTHERS.some((folder) => path.startsWith(folder))),
  ).sort();
  const imports = files.flatMap((from) =>
    [...readFileSync(join(root, from), "utf8").matchAll(IMPORT)].map(([, path]) => ({
      from,
      to: posix.join(posix.dirname(from), path),
    })),
  );
  return { files, imports };
}

/** The room of a file: models/gate/guardrails/speed.ts stands in models/gate. */
export function roomOf(path) {
  return path.split("/").slice(0, 2).join("/");
}

/** The imports from one room to another: a map from room to a map from room to their number. */
export function arrowsBetweenRooms({ imports }) {
  const arrows = new Map();
  for (const { from, to } of imports) {
    const [here, there] = [roomOf(from), roomOf(to)];
    if (here === there) continue;
    if (!arrows.has(here)) arrows.set(here, new Map());
    arrows.get(here).set(there, (arrows.get(here).get(there) ?? 0) + 1);
  }
  return arrows;
}

/** Source files that lie loose in each folder. */
export function looseFiles({ files }) {
  const counts = new Map();
  for (const file of files) counts.set(posix.dirname(file), (counts.get(posix.dirname(file)) ?? 0) + 1);
  return counts;
}

/** What breaks the plan, a sentence each. */
export function faultsOf(house) {
  return [...upwardArrows(house), ...circles(house), ...crowds(house)];
}

function upwardArrows({ imports }) {
  const heightOf = (path) => LAYERS.indexOf(path.split("/")[0]);
  return imports
    .filter(({ from, to }) => heightOf(to) > heightOf(from))
    .map(({ from, to }) => `arrow upward: ${from} imports ${to}`);
}

function crowds(house) {
  const counts = looseFiles(house);
  return Object.entries(MOST_LOOSE_FILES)
    .filter(([folder, most]) => counts.get(folder) > most)
    .map(([folder, most]) => `${folder}/ has ${counts.get(folder)} loose files, expected ${most} at most`);
}

/** Rooms that lead back to themselves, with the imports that do it. */
function circles(house) {
  return strongComponents(arrowsBetweenRooms(house)).map((rooms) => {
    const imports = house.imports
      .filter(({ from, to }) => roomOf(from) !== roomOf(to))
      .filter(({ from, to }) => rooms.includes(roomOf(from)) && rooms.includes(roomOf(to)))
      .map(({ from, to }) => `\n    ${from} imports ${to}`);
    return `circle of ${rooms.join(", ")}:${imports.join("")}`;
  });
}

/** Tarjan's algorithm (1972): groups of more than one node, each reachable from every other of its group. */
function strongComponents(arrows) {
  const order = new Map();
  const lowest = new Map();
  const open = [];
  const found = [];
  const visit = (node) => {
    const mine = order.size;
    order.set(node, mine);
    lowest.set(node, mine);
    open.push(node);
    for (const next of arrows.get(node)?.keys() ?? []) {
      if (!order.has(next)) visit(next);
      if (open.includes(next)) lowest.set(node, Math.min(lowest.get(node), lowest.get(next)));
    }
    if (lowest.get(node) < mine) return;
    const group = open.splice(open.indexOf(node));
    if (group.length > 1) found.push(group.sort());
  };
  for (const node of arrows.keys()) if (!order.has(node)) visit(node);
  return found;
}
