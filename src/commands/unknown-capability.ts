import { Failure } from "../engine/failure.ts";
import { didYouMean } from "../engine/nearest.ts";

export function unknownCapability(name: string, names: readonly string[]): Failure {
  const known = names.length === 0 ? "none yet: janee add <service>" : names.join(", ");
  const shown = name.slice(0, 64);
  return new Failure("unknown_capability", `there is no capability "${shown}"${didYouMean(name, names)}`, {
    next: `known capabilities: ${known}`,
  });
}
