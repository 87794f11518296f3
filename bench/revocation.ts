// While the load runs, another process revokes a session that is in use: its next request must fail.
import { setTimeout as sleep } from "node:timers/promises";
import type { JaneeHome } from "./home.ts";
import { loadCore } from "./load.ts";

/** `refused`, or what happened instead. */
export async function revokeInMidRun(home: JaneeHome, port: number, afterMs: number): Promise<string> {
  const { token, session } = home.grant(loadCore);
  const ask = async (): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${port}/bench/v1/probe`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const text = await answer.text();
    return `${answer.status} ${/"code":"(\w+)"/.exec(text)?.[1] ?? ""}`.trim();
  };
  for (const end = performance.now() + afterMs; performance.now() < end; await sleep(50)) {
    const answer = await ask();
    if (answer !== "200") return `the probe got ${answer} before the revocation`;
  }
  home.run(["revoke", session], loadCore);
  const next = await ask();
  return next === "403 session_revoked" ? "refused" : `NOT refused: ${next}`;
}
