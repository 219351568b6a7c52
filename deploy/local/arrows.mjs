/** `npm run arrows`: prints each room's files and imports, and exits with 1 where the house plan does not hold. */
import { arrowsBetweenRooms, faultsOf, LAYERS, looseFiles, readHouse, roomOf } from "./house-plan.mjs";

const house = readHouse();
const arrows = arrowsBetweenRooms(house);
const loose = looseFiles(house);
const rooms = [...new Set(house.files.map(roomOf))];

for (const layer of LAYERS) {
  const own = rooms.filter((room) => room.startsWith(`${layer}/`));
  console.log(
    `${layer}/  ${loose.get(layer) ?? 0} loose files, ${own.filter((room) => !room.endsWith(".ts")).length} folders`,
  );
  for (const room of own) {
    const files = house.files.filter((file) => roomOf(file) === room).length;
    const imports = [...(arrows.get(room) ?? [])].sort(([, a], [, b]) => b - a);
    const size = room.endsWith(".ts") ? "" : ` (${files} ${files === 1 ? "file" : "files"})`;
    console.log(`  ${room}${size}`);
    if (imports.length > 0) console.log(`    → ${imports.map(([to, count]) => `${to} ${count}`).join(", ")}`);
  }
}
const total = [...arrows.values()].reduce((sum, to) => sum + to.size, 0);
console.log(`\n${house.files.length} files, ${house.imports.length} imports, ${total} arrows between rooms`);

const faults = faultsOf(house);
for (const fault of faults) console.error(fault);
console.log(
  faults.length === 0
    ? "No arrow upward, no circle."
    : `${faults.length} faults; CONTRIBUTING.md has the plan.`,
);
process.exitCode = faults.length === 0 ? 0 : 1;
