import type { Command } from "commander";
import { PhasewiseError } from "../../../services/errors.ts";
import { withDuckDb } from "../../../services/interactions/duckdb.ts";
import { readCatalogueTable } from "../../../services/interactions/import/catalogue-table.ts";
import type { ApiClient } from "../../client/api-client.ts";
import { print } from "../../terminal/output.ts";
import { connect, type ServiceOptions, withService } from "../service.ts";

/** Items in one request. */
const BATCH = 500;

export function itemsVerb(program: Command): void {
  const items = program
    .command("items")
    .description("change items of a running service, in effect within a second");
  for (const [name, available, words] of [
    ["hide", false, "keep items out of every list"],
    ["restore", true, "let hidden items back into lists"],
  ] as const) {
    const command = items.command(`${name} <item...>`).description(words);
    withService(command).action(async (ids: readonly string[], options: ServiceOptions) => {
      const done = await put(
        await connect(options),
        ids.map((itemId) => ({ itemId, available })),
      );
      print(done, options, () => `${done.items} items ${available ? "restored" : "hidden"}`);
    });
  }
  const load = items
    .command("load <file>")
    .description("add or change titles, genres and years from a table of items");
  withService(load).action(async (file: string, options: ServiceOptions) => {
    const read = await withDuckDb((connection) => readCatalogueTable(connection, file, () => true));
    if (read === null) {
      throw new PhasewiseError(
        "INVALID_DATA",
        `${file}: expected a table with ids and titles or genres of items, got none; name its columns id, title, genres, year`,
      );
    }
    const changes = Array.from(read.catalogue, ([itemId, info]) => ({ itemId, ...info }));
    const done = await put(await connect(options), changes);
    print(done, options, () => `${done.items} items changed; ${read.explained}`);
  });
}

async function put(api: ApiClient, items: readonly object[]): Promise<{ readonly items: number }> {
  let changed = 0;
  for (let from = 0; from < items.length; from += BATCH) {
    const body = { items: items.slice(from, from + BATCH) };
    changed += (await api.put<{ items: number }>("/items", body)).items;
  }
  return { items: changed };
}
