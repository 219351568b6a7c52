import { type Command, Option } from "commander";
import { adminKey, loadConfig } from "../../../services/config.ts";
import type { KeyView } from "../../../services/keys/types.ts";
import { wholeNumber } from "../../terminal/arguments.ts";
import { type OutputOptions, print } from "../../terminal/output.ts";
import { table } from "../../terminal/table.ts";
import { connect, type ServiceOptions, withService } from "../service.ts";

type MadeKey = KeyView & { readonly key: string };

interface CreateOptions extends ServiceOptions {
  readonly name: string;
  readonly scopes?: string;
  readonly publishable?: boolean;
  readonly origins?: string;
  readonly perMinute?: number;
}

/** Keys are printed, never taken as arguments: what stands on a command line can be read by everybody on the machine. */
export function keysVerb(program: Command): void {
  const keys = program
    .command("keys")
    .description("who may use the service: make, list, rotate and revoke keys while it runs");
  addInit(keys);
  addCreate(keys);
  addRotate(keys);
  withService(keys.command("list").description("every key, without what it could be made from")).action(
    async (options: ServiceOptions) => {
      const api = await connect(options);
      const { keys: views } = await api.get<{ keys: readonly KeyView[] }>("/keys");
      print(views, options, () => tableOf(views));
    },
  );
  withService(keys.command("revoke <id>").description("end a key, at once and for good")).action(
    async (id: string, options: ServiceOptions) => {
      const api = await connect(options);
      const view = await api.delete<KeyView>(`/keys/${encodeURIComponent(id)}`);
      print(view, options, () => `revoked ${view.id} (${view.name})`);
    },
  );
}

function addInit(keys: Command): void {
  keys
    .command("init")
    .description("make the operator's own key, before the first start where others can connect")
    .option("--json", "print JSON only")
    .action(async (options: OutputOptions) => {
      const { stateFolder } = loadConfig(process.env);
      await adminKey(stateFolder);
      const file = `${stateFolder}/admin-key`;
      print({ file }, options, () => `the operator's key is in ${file}, readable by its owner only`);
    });
}

function addCreate(keys: Command): void {
  const command = keys
    .command("create")
    .description("a new key, printed once")
    .requiredOption("--name <who>", "who uses it")
    .option("--scopes <list>", "what a server's key may do: serve, ingest, operate, admin, by commas")
    .addOption(new Option("--publishable", "a browser's key: it only gets answers").conflicts("scopes"))
    .option(
      "--origins <list>",
      "pages that may use a publishable key, such as https://shop.example, by commas",
    )
    .option("--per-minute <n>", "requests it may send a minute, at each replica", wholeNumber);
  withService(command).action(async (options: CreateOptions) => {
    const api = await connect(options);
    const made = await api.post<MadeKey>("/keys", {
      name: options.name,
      kind: options.publishable === true ? "publishable" : "secret",
      ...(options.scopes === undefined ? {} : { scopes: options.scopes.split(",") }),
      ...(options.origins === undefined ? {} : { origins: options.origins.split(",") }),
      ...(options.perMinute === undefined ? {} : { requestsPerMinute: options.perMinute }),
    });
    print(made, options, () => made.key);
  });
}

function addRotate(keys: Command): void {
  const command = keys
    .command("rotate <id>")
    .description("a new secret under the same id, printed once; the one before works a while longer")
    .option("--overlap <seconds>", "how much longer (default 3600; 0 ends it at once)", wholeNumber);
  withService(command).action(async (id: string, options: ServiceOptions & { readonly overlap?: number }) => {
    const api = await connect(options);
    const body = options.overlap === undefined ? {} : { overlapSeconds: options.overlap };
    const made = await api.post<MadeKey>(`/keys/${encodeURIComponent(id)}/rotate`, body);
    print(made, options, () => made.key);
  });
}

function tableOf(views: readonly KeyView[]): string {
  return table(
    ["id", "name", "kind", "may", "a minute", "made", "state"],
    views.map((view) => [
      view.id,
      view.name,
      view.kind,
      view.kind === "publishable" ? `serve on ${view.origins.join(", ")}` : view.scopes.join(", "),
      String(view.requestsPerMinute),
      view.createdAt,
      view.revokedAt === null ? "in use" : `revoked ${view.revokedAt}`,
    ]),
  );
}
