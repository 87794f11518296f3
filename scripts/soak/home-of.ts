// Opens a home from inside, as the commands do.
import { type Janee, wireUp } from "../../src/commands/wire-up.ts";
import { Failure } from "../../src/engine/failure.ts";
import { Home } from "../../src/host/home.ts";

export function must<T>(result: T | Failure): T {
  if (result instanceof Failure) throw new Error(`${result.code}: ${result.message}`);
  return result;
}

export async function openHome(environment: Readonly<Record<string, string | undefined>>): Promise<Home> {
  return must(await Home.open(environment, true));
}

export async function openJanee(environment: Readonly<Record<string, string | undefined>>): Promise<Janee> {
  return must(wireUp(await openHome(environment)));
}
