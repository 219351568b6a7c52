import type { Command } from "commander";
import type { ItemInfo } from "../../../models/data/interaction-log.ts";
import { PhasewiseError } from "../../../services/errors.ts";
import { withDuckDb } from "../../../services/interactions/duckdb.ts";
import { readCatalogueTable } from "../../../services/interactions/import/catalogue-table.ts";
import type { ItemView } from "../../../services/serving/routes/items.ts";
import type { ApiClient } from "../../client/api-client.ts";
import { print } from "../../terminal/output.ts";
import { connect, type ServiceOptions, withService } from "../service.ts";

/** Items in one request. */
const BATCH = 500;

export function itemsVerb(program: Command): void {
  const items = program
    .command("items")
    .description("show and change items of a running service, in effect within a second");
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
  withService(
    items.command("show <item>").description("what is known of an item, and whether lists hold it"),
  ).action(async (id: string, options: ServiceOptions) => {
    const api = await connect(options);
    const item = await api.get<ItemView>(`/items/${encodeURIComponent(id)}`);
    print(item, options, () => described(item));
  });
  withService(
    items
      .command("export")
      .description("every item as it is known now, a JSON line each; items load reads it back"),
  ).action(async (options: ServiceOptions) => {
    const api = await connect(options);
    for (let from = 0, total = 1; from < total; from += BATCH) {
      const page = await api.get<{ items: readonly ItemView[]; total: number }>(
        `/items?from=${from}&limit=${BATCH}`,
      );
      ({ total } = page);
      for (const { hidden: _, scored: __, ...item } of page.items)
        process.stdout.write(`${JSON.stringify(item)}\n`);
    }
  });
  const load = items
    .command("load <file>")
    .description(
      "add or change items from a table: id, title, genres, year, available, available_from, available_until; other columns become attributes",
    );
  withService(load).action(async (file: string, options: ServiceOptions) => {
    const read = await withDuckDb((connection) => readCatalogueTable(connection, file, () => true));
    if (read === null) {
      throw new PhasewiseError(
        "INVALID_DATA",
        `${file}: expected a table with ids and titles, genres or attributes of items, got none; name its columns id, title, genres, year`,
      );
    }
    const done = await put(await connect(options), Array.from(read.catalogue, changeOf));
    print(done, options, () => `${done.items} items changed; ${read.explained}`);
  });
}

function changeOf([itemId, { title, availability, ...info }]: [string, ItemInfo]): object {
  return {
    itemId,
    ...info,
    // A table without titles leaves those that are known.
    ...(title === itemId ? {} : { title }),
    ...(availability?.available === undefined ? {} : { available: availability.available }),
    ...(availability?.from === undefined ? {} : { availableFrom: availability.from }),
    ...(availability?.until === undefined ? {} : { availableUntil: availability.until }),
  };
}

function described(item: ItemView): string {
  const {
    itemId,
    title,
    genres,
    year,
    attributes,
    available,
    availableFrom,
    availableUntil,
    hidden,
    scored,
  } = item;
  const bounds = [
    ...(available ? [] : ["hidden by an operator"]),
    ...(availableFrom === null ? [] : [`from ${availableFrom}`]),
    ...(availableUntil === null ? [] : [`until ${availableUntil}`]),
  ];
  return [
    `${itemId}: ${title}${year === null ? "" : ` (${year})`}`,
    `genres: ${genres.join(", ") || "none"}`,
    ...Object.entries(attributes).map(([name, value]) => `${name}: ${String(value)}`),
    `availability: ${bounds.join(", ") || "always"}; lists ${hidden ? "leave it out" : "may hold it"} now`,
    scored === true
      ? "the live model has learnt of it"
      : "the live model has not learnt of it: lists hold it after feedback and the next training",
  ].join("\n");
}

/** Bytes of one request: the service takes a megabyte. */
const BATCH_BYTES = 800_000;

async function put(api: ApiClient, items: readonly object[]): Promise<{ readonly items: number }> {
  let changed = 0;
  let batch: object[] = [];
  let bytes = 0;
  const send = async (): Promise<void> => {
    if (batch.length > 0) changed += (await api.put<{ items: number }>("/items", { items: batch })).items;
    [batch, bytes] = [[], 0];
  };
  for (const item of items) {
    const size = Buffer.byteLength(JSON.stringify(item));
    if (batch.length === BATCH || bytes + size > BATCH_BYTES) await send();
    batch.push(item);
    bytes += size;
  }
  await send();
  return { items: changed };
}
