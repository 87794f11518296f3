// The clients that `test/e2e/real-clients.test.ts` has seen at work behind `janee run`, from the record that it writes.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface SeenClient {
  readonly client: string;
  readonly version: string;
  readonly what: string;
}

export const seenClientsFile = fileURLToPath(
  new URL("../../test/support/clients/seen.json", import.meta.url),
);

export function seenClients(): readonly SeenClient[] {
  if (!existsSync(seenClientsFile)) return [];
  return JSON.parse(readFileSync(seenClientsFile, "utf8")) as SeenClient[];
}

export function clientsTable(): string {
  const rows = seenClients().map(({ client, version, what }) => `| ${client} | ${version} | ${what} |`);
  return ["| client | seen | what |", "| --- | --- | --- |", ...rows].join("\n");
}
