import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Which code made an artifact: the package's version and the commit it was built from, where git knows it. */
export const CODE: { readonly version: string; readonly git: string } = Object.freeze({
  version: packageVersion(),
  git: commit(),
});

function packageVersion(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

function commit(): string {
  try {
    const cwd = new URL("../..", import.meta.url);
    return execFileSync("git", ["rev-parse", "--short=12", "HEAD"], {
      cwd,
      stdio: ["ignore", "pipe", "ignore"],
    })
      .toString()
      .trim();
  } catch {
    return "unknown";
  }
}
