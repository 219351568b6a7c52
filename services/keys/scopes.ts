/** What a key may do. `admin` makes keys, so it includes all the others: its holder could give them to himself. */
export type Scope = "serve" | "ingest" | "operate" | "admin";

/** What a route asks of its caller: nothing (`open`), any secret key (`view`), or a scope. */
export type Access = "open" | "view" | Scope;

export function grants(scopes: readonly Scope[], scope: Scope): boolean {
  return scopes.includes(scope) || scopes.includes("admin");
}
