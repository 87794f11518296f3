// The command of a run with its environment: the proxy, whom to trust, placeholders, and no key that is known.
import type { Caller } from "../engine/caller.ts";
import type { Config } from "../engine/config.ts";
import { fillWithPlaceholder } from "../engine/exec/environment.ts";
import { Failure } from "../engine/failure.ts";
import { visible } from "../engine/visible.ts";
import { type ChildEnd, runChild } from "../host/run/child.ts";
import { writeRunFiles } from "../host/run/folder.ts";
import { libc } from "../host/spawn/libc.ts";
import { runEnvironment } from "../surface/run/environment.ts";
import { nodeProxy } from "../surface/run/node-proxy.ts";
import type { Arguments, Talk } from "./command.ts";
import { authorityOf } from "./forward.ts";
import type { RunListener } from "./run-listener.ts";
import { tellMasks } from "./run-masks.ts";
import { knownSecrets, type LateSecrets } from "./run-secrets.ts";
import type { Janee } from "./wire-up.ts";

export interface Behind {
  readonly folder: string;
  readonly id: string;
  readonly token: string;
  readonly listener: RunListener;
  readonly caller: Caller;
  readonly names: readonly string[];
  readonly late: LateSecrets;
}

function mappedVariables(
  config: Config,
  { names, caller }: Behind,
  janee: Janee,
): ReadonlyMap<string, string> {
  const all = new Map<string, string>();
  for (const name of names) {
    const capability = config.capabilities.get(name);
    const service = config.services.get(capability?.service ?? "");
    if (!capability?.runMap || !service) continue;
    const stand = janee.placeholders.of(caller.owner, service);
    for (const [variable, value] of fillWithPlaceholder(capability.runMap, service.auth, stand)) {
      if (!all.has(variable)) all.set(variable, value);
    }
  }
  return all;
}

export async function runBehind(
  janee: Janee,
  talk: Talk,
  args: Arguments,
  on: Behind,
): Promise<ChildEnd | Failure> {
  const { config } = janee.home.current();
  const authority = await authorityOf(janee);
  if (authority instanceof Failure) return authority;
  const files = writeRunFiles(on.folder, talk.environment, authority.cert, nodeProxy);
  if (files instanceof Failure) return files;
  const store = config.stores.vault?.service;
  const services = [...config.services.values(), ...(store ? [store] : [])];
  const used = on.names.flatMap((name) => {
    const service = config.services.get(config.capabilities.get(name)?.service ?? "");
    return service ? [{ service, placeholder: janee.placeholders.of(on.caller.owner, service) }] : [];
  });
  const isSecret = await knownSecrets(janee, services);
  const { variables, withheld } = runEnvironment({
    parent: talk.environment,
    proxyUrl: `http://janee:${on.token}@127.0.0.1:${on.listener.port}`,
    id: on.id,
    pristine: args.flag("pristine"),
    services,
    used,
    mapped: mappedVariables(config, on, janee),
    isSecret,
    files,
  });
  await tellMasks(janee, talk, args, on.token);
  const calls = await libc();
  // Credentials are in this process: its command reads neither its environment nor its memory in /proc.
  calls.closeMemory();
  calls.keepDescriptors();
  if (withheld.length > 0) talk.say(`janee: kept from the command: ${withheld.map(visible).join(", ")}`);
  if (args.rest.some(isSecret))
    talk.say("janee: a key is in the arguments of the command, which sees it there");
  on.late.given(Object.entries(variables).filter(([name, value]) => talk.environment[name] === value));
  const end = await runChild(args.rest, variables);
  if (end.kind === "unstarted") talk.say(`janee: ${visible(args.rest[0] ?? "")}: ${end.why}`);
  return end;
}
