import type { InteractionLog } from "../../models/data/interaction-log.ts";
import type { Ladder } from "../../services/serving/routes/ladder.ts";

/** What to try next, ready to paste. */
export function curlLines(
  url: string,
  { live, phases }: Ladder,
  log: InteractionLog,
  stateFolder: string,
): string {
  const user = log.users.idAt(log.userIndex[log.userIndex.length - 1]);
  const item = log.items.idAt(log.itemIndex[log.itemIndex.length - 1]);
  const other = phases
    .flatMap(({ versions }) => versions)
    .find(({ version, state }) => version !== live?.version && state !== "QUARANTINED");
  const key = `-H "Authorization: Bearer $(cat ${stateFolder}/admin-key)"`;
  const auth = `${key} -H "content-type: application/json"`;
  const lines = [
    "Try",
    `  curl -s '${url}/recommend?userId=${user}&k=5' ${key}   # someone we know, which takes a key`,
    `  curl -s '${url}/recommend?userId=nobody&k=5'              # someone we do not: source says "popular"`,
    `  curl -s ${url}/recommend -H 'content-type: application/json' -d '{"history":["${item}"],"k":5}'   # a session`,
    `  curl -s ${url}/ladder                                    # every version and its verdict; ${url}/docs for all routes`,
  ];
  if (live !== null && other !== undefined) {
    lines.push(
      `  curl -s ${url}/models/${other.version}/promote ${auth} -d '{"expectedLive":"${live.version}","reason":"trying it","force":true}'`,
      `  curl -s ${url}/rollback ${auth} -d '{"reason":"and back"}'`,
    );
  }
  return lines.join("\n");
}
