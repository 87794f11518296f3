import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { Failure } from "../engine/failure.ts";
import type { Environment } from "./keyring.ts";

export function homePath(environment: Environment): string | Failure {
  const named = environment.JANEE_HOME;
  if (named === undefined || named === "") return join(homedir(), ".janee");
  if (isAbsolute(named)) return named;
  return new Failure("usage", "JANEE_HOME must be an absolute path", {
    next: "set it to the whole path of a folder",
  });
}
