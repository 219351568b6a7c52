import { writeFile } from "node:fs/promises";
import { type ExportedFactors, exportFactors } from "../models/exchange/export-factors.ts";
import { PhasewiseError } from "../services/errors.ts";
import { itemIdsCsv } from "../services/interactions/item-ids.ts";
import type { JobContext } from "./context.ts";

export interface ExportRequest {
  readonly version: string;
  /** Where the safetensors file goes. */
  readonly factors: string;
  /** Where the item ids go, CSV. */
  readonly items: string;
}

export interface ExportedModel {
  readonly version: string;
  readonly items: number;
  readonly d: number;
  readonly bytes: number;
}

/** Item factors for another installation, or another library: the two files that `import-model` takes. */
export async function exportModel(
  { artifacts }: Pick<JobContext, "artifacts">,
  { version, factors, items }: ExportRequest,
): Promise<ExportedModel> {
  const { model, manifest } = await artifacts.load(version);
  const { file, itemIds, d } = exported(() => exportFactors(model, manifest.data.through));
  await writeFile(factors, file);
  await writeFile(items, itemIdsCsv(itemIds));
  return { version, items: itemIds.length, d, bytes: file.length };
}

function exported(work: () => ExportedFactors): ExportedFactors {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError) throw new PhasewiseError("INVALID_DATA", error.message, {}, error);
    throw error;
  }
}
