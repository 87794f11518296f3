import { Failure } from "../engine/failure.ts";
import { Home } from "../host/home.ts";
import type { Talk } from "./command.ts";
import { type Janee, type WiredMore, wireUp } from "./wire-up.ts";

/**
 * Opens the home, wires the engine up, does the work and closes everything again. `create`: a home that is missing is
 * made. `toStop`: a config that cannot be read is no hindrance.
 */
export async function withJanee(
  talk: Talk,
  work: (janee: Janee) => Promise<number | Failure>,
  options: WiredMore & { readonly create?: boolean; readonly toStop?: boolean } = {},
): Promise<number | Failure> {
  const { environment } = talk;
  const home = options.toStop
    ? await Home.openToStop(environment)
    : await Home.open(environment, options.create ?? false);
  if (home instanceof Failure) return home;
  const janee = wireUp(home, home, options);
  if (janee instanceof Failure) return janee;
  try {
    return await work(janee);
  } finally {
    janee.close();
  }
}
