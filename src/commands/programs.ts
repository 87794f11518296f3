// Where the commands of a capability in exec mode are found, as `list` and `doctor` show it.
import type { Capability } from "../engine/config.ts";
import { Failure } from "../engine/failure.ts";
import type { Spawner } from "../engine/ports.ts";

export interface Located {
  readonly command: string;
  readonly program: string | Failure;
}

export function programsOf({ exec }: Capability, spawner: Spawner): Located[] {
  return (exec?.allowCommands ?? []).map((command) => {
    const sha256 = exec?.sha256.get(command);
    const outside = exec?.workDir === undefined ? undefined : spawner.folder(exec.workDir, undefined);
    const bounds = { outside: typeof outside === "string" ? [outside] : [] };
    const found = spawner.find(command, { ...bounds, ...(sha256 === undefined ? {} : { sha256 }) });
    return { command, program: found instanceof Failure ? found : found.path };
  });
}
