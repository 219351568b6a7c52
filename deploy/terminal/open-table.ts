import { signed } from "../../models/evaluation/signed.ts";
import { aboutMoreUsers, atThisRate, percent } from "../../models/gate/explain-words.ts";
import type { Look } from "../../services/shadow/looks.ts";
import { table, wrapped } from "./table.ts";

/** What the judge has not decided yet: a row a comparison, and why later attempts are asked for more. */
export function openTable(looks: readonly Look[]): string[] {
  const open = looks.filter(({ about, verdict }) => about === "shadow" && verdict === "hold");
  if (open.length === 0) return [];
  const rows = open.map(({ challenger, users, standing }) => [
    challenger,
    String(users),
    standing === undefined ? "–" : signed(standing.lift),
    standing === undefined ? "–" : `${percent(standing.confidence)} (try ${standing.attempt})`,
    standing === undefined ? "users to judge by" : needs(standing),
  ]);
  const isAskedMore = open.some(({ standing }) => (standing?.attempt ?? 1) > 1);
  return [
    "",
    `Open, against ${[...new Set(open.map(({ baseline }) => baseline))].join(", ")}`,
    table(["challenger", "users", "lift", "to be proven at", "still needs"], rows),
    ...(isAskedMore
      ? [
          wrapped(
            "Each attempt at the same baseline takes its part of α, so the next must be proven more surely.",
          ),
        ]
      : []),
  ];
}

/** A proven lift may still wait, for a guardrail or for a simpler challenger; its sentence says for what. */
function needs({ moreUsers, usersPerDay }: NonNullable<Look["standing"]>): string {
  if (moreUsers === null) return "another lift: no number of users settles this one";
  if (moreUsers === 0) return "nothing for its lift; see its verdict";
  return `${aboutMoreUsers(moreUsers)}${atThisRate(moreUsers, usersPerDay)}`;
}
