import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

/** `script` of util-linux gives a command a terminal of its own. */
export const hasTerminal: boolean = /util-linux/.test(
  spawnSync("script", ["--version"], { encoding: "utf8" }).stdout ?? "",
);

/** Runs a command on a terminal, and types `answer` once `question` stands there. Resolves to all that was shown. */
export async function onTerminal(
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  question: RegExp,
  answer: string,
): Promise<{ readonly code: number | null; readonly shown: string }> {
  const quoted = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  const child = spawn("script", ["--quiet", "--return", "--command", quoted, "/dev/null"], {
    env,
    stdio: ["pipe", "pipe", "ignore"],
  });
  let shown = "";
  let asked = false;
  child.stdout.on("data", (chunk) => {
    shown += String(chunk);
    if (asked || !question.test(shown)) return;
    asked = true;
    child.stdin.write(`${answer}\n`);
  });
  await once(child, "close");
  return { code: child.exitCode, shown };
}
