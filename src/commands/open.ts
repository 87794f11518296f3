import { Failure } from "../engine/failure.ts";
import { Home } from "../host/home.ts";
import type { Talk } from "./command.ts";
import { type Janee, wireUp } from "./wire-up.ts";

/** Opens the home, wires the engine up, does the work and closes everything again. */
export async function withJanee(
  talk: Talk,
  work: (janee: Janee) => Promise<number | Failure>,
  options: { readonly create?: boolean } = {},
): Promise<number | Failure> {
  const home = await Home.open(talk.environment, options.create ?? false);
  if (home instanceof Failure) return home;
  const janee = wireUp(home);
  if (janee instanceof Failure) return janee;
  try {
    return await work(janee);
  } finally {
    janee.close();
  }
}
