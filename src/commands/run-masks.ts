// In GitHub Actions, the runner is told what its log must not show before anything else is printed.
import { schemeOf } from "../engine/credential/index.ts";
import { isMade } from "../engine/credential/scheme.ts";
import { Failure } from "../engine/failure.ts";
import { maskLines } from "../engine/masks.ts";
import { printsToRunner } from "../host/run/output.ts";
import type { Arguments, Talk } from "./command.ts";
import { asksOthers } from "./run-secrets.ts";
import type { Janee } from "./wire-up.ts";

/** `token`: it opens the proxy of this run. */
export async function tellMasks(janee: Janee, talk: Talk, args: Arguments, token: string): Promise<void> {
  if (talk.environment.GITHUB_ACTIONS !== "true") return;
  if (!args.flag("mask") && !printsToRunner()) {
    // In a file or in another program, these lines would be the very leak that they are to stop.
    talk.say(
      "janee: no values are masked, as the output does not go to the runner (--mask: print the lines all the same)",
    );
    return;
  }
  const secrets = [token, `janee:${token}`];
  for (const service of janee.home.current().config.services.values()) {
    const { auth } = service;
    if (asksOthers(service)) continue;
    const opened = await janee.home.open(service);
    if (opened instanceof Failure) continue;
    const scheme = schemeOf(auth.type);
    secrets.push(...[...opened.values()].map((secret) => secret.reveal()));
    if (!isMade(scheme)) secrets.push(...scheme.inject(auth, opened).redact);
  }
  for (const line of maskLines(secrets)) talk.print(line);
}
