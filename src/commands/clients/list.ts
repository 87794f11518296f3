// The clients, where their files are, and whether janee is in.
import { Failure } from "../../engine/failure.ts";
import { surroundings } from "../../host/client-file.ts";
import { columns } from "../columns.ts";
import type { Arguments, Talk } from "../command.ts";
import { type Scanned, scanClients } from "./scan.ts";
import { isJanee } from "./stale.ts";

export function listClients(args: Arguments, talk: Talk): number | Failure {
  const given = ["write", "http", "project", "file", "capability", "agent"].find((flag) => args.flag(flag));
  if (given)
    return new Failure("usage", `--${given} wants a client: janee connect <client>`, {
      next: "janee connect",
    });
  const scanned = scanClients(surroundings(talk.environment), process.cwd());
  // Of several possible files the one that is there, else the last: that one would be made.
  const shown = scanned.filter((one, index) => {
    if (one.servers !== undefined) return true;
    if (one.project) return false;
    const others = scanned.filter(({ name, project }) => name === one.name && !project);
    return (
      others.every(({ servers }) => servers === undefined) && scanned.indexOf(others.at(-1) ?? one) === index
    );
  });
  if (talk.json) {
    talk.printJson(
      shown.map((one) => ({
        name: one.name,
        title: one.client.title,
        file: one.file,
        project: one.project,
        exists: one.servers !== undefined,
        janee: hasJanee(one),
        ...(one.servers instanceof Failure && { problem: one.servers.message }),
      })),
    );
  } else {
    talk.print(columns(shown.map((one) => [one.name, one.client.title, stateOf(one), one.file])));
  }
  return 0;
}

function hasJanee({ servers }: Scanned): boolean {
  return servers !== undefined && !(servers instanceof Failure) && servers.some(isJanee);
}

function stateOf(one: Scanned): string {
  if (one.servers === undefined) return "no file";
  if (one.servers instanceof Failure) return "not readable";
  return `${hasJanee(one) ? "janee is in" : "without janee"}${one.project ? " (project)" : ""}`;
}
