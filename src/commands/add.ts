import type { Service } from "../engine/config.ts";
import { longestUnwarnedMs, longLived } from "../engine/config-capability.ts";
import { schemeOf } from "../engine/credential/index.ts";
import { isMade } from "../engine/credential/scheme.ts";
import type { Edit, Json } from "../engine/edit-config.ts";
import { Failure } from "../engine/failure.ts";
import type { ReadConfig } from "../engine/read-config.ts";
import { laterScheme, whyLater } from "../engine/services/later.ts";
import type { KnownService } from "../engine/services/shape.ts";
import type { Vault } from "../engine/vault.ts";
import { askLine, isInteractive } from "../host/terminal.ts";
import type { Arguments, Command, Talk } from "./command.ts";
import {
  type AuthBlock,
  type AuthShape,
  credentialFlags,
  credentialKind,
  givesCredential,
  isNamed,
  readAuth,
  shapeFromFlags,
} from "./credential-flags.ts";
import { slipInAdd } from "./flag-slips.ts";
import { doubtAbout, withKnownFlags, withPrefix } from "./known-credential.ts";
import { withJanee } from "./open.ts";
import { applyChange } from "./policy-change.ts";
import { capabilityBlock, rulesFromFlags } from "./policy-flags.ts";
import { reachFlags, reachFrom } from "./reach-flags.ts";

export const command: Command = {
  usage: "<service> [flags]",
  flags: {
    "base-url": { type: "string", short: "u", value: "URL", help: "where the service lives" },
    ...reachFlags,
    ...credentialFlags,
    capability: { type: "string", value: "NAME", help: "name of the capability (default: the service's)" },
    ttl: { type: "string", value: "1h", help: "how long a session lasts (default 1h)" },
    "auto-approve": { type: "boolean", help: "sessions need no person's yes" },
    allow: { type: "string", value: "RULE", multiple: true, help: 'such as "GET /v1/*"' },
    deny: { type: "string", value: "RULE", multiple: true, help: 'such as "DELETE *"' },
    ask: { type: "string", value: "RULE", multiple: true, help: "a person confirms each such request" },
    "read-only": { type: "boolean", help: "allow what only reads: --policy read-only" },
    policy: {
      type: "string",
      value: "NAME",
      help: "read-only, no-delete, or one of the service's own (janee search)",
    },
    exec: { type: "boolean", help: "a command-line tool instead of HTTP" },
    "allow-commands": { type: "string", value: '"a,b"', help: "with --exec: what may run" },
    "env-map": {
      type: "string",
      value: "NAME={{credential}}",
      multiple: true,
      help: "with --exec: how the credential reaches the tool",
    },
    timeout: { type: "string", value: "30s", help: "with --exec: longest run (default 30s)" },
    "work-dir": { type: "string", value: "DIR", help: "with --exec: where it runs" },
  },
  positionals: { least: 1, most: 1 },
  notes: ["Rules are tried in the order given; the first match wins. janee search shows known services."],
  run: async (args, talk) =>
    slipInAdd(args) ?? (await withJanee(talk, (janee) => add(janee, args, talk), { create: true })),
};

async function add(
  janee: Parameters<Parameters<typeof withJanee>[1]>[0],
  args: Arguments,
  talk: Talk,
): Promise<number | Failure> {
  const name = args.positionals[0] ?? "";
  const { config } = janee.home.current();
  const existing = config.services.get(name);
  // Only here: no other command pays for the directory when it starts.
  const { knownAt, ownerOf, policiesOf } = await import("../engine/services/index.ts");
  const there = knownAt(name, args.text("base-url") ?? existing?.base?.text);
  const known = there?.service;
  const exec = args.flag("exec");
  const rules = rulesFromFlags(args, {
    ...{ of: known?.title ?? "a service that janee does not know", lists: policiesOf(known) },
    unfit: there && unfitPolicies(there.service, there.prefix, existing ?? args.text("base-url")),
  });
  if (rules instanceof Failure) return rules;
  const chosen = shapeFromFlags(args);
  if (chosen instanceof Failure) return chosen;
  // A tool that takes its key from the environment wants the key itself, however the API carries it.
  const bare = exec && args.text("base-url") === undefined;
  const byDirectory = !chosen && !existing && !bare;
  const later = byDirectory && known && laterScheme(known.auth);
  if (later) {
    const { why, next } = whyLater(known, later);
    return new Failure("usage", why, { next });
  }
  const filled = byDirectory ? withKnownFlags(args, known) : args;
  const shape = chosen ?? (existing ? shapeOf(existing) : shapeFromFlags(filled)) ?? { type: "bearer" };
  if (shape instanceof Failure) return shape;
  const baseUrl = await chooseBaseUrl(args, existing, known, exec);
  if (baseUrl instanceof Failure) return baseUrl;
  const reach = reachFrom(args, baseUrl ?? existing?.base?.text);
  if (reach instanceof Failure) return reach;
  const newCredential = !existing || givesCredential(args);
  const given = newCredential ? await readAuth(filled, talk, shape, name, true) : undefined;
  if (given instanceof Failure) return given;
  const auth = given && !chosen && !bare ? withPrefix(known, given) : given;
  const doubt = auth && doubtAbout(known, auth, ownerOf);
  const capabilityName = args.text("capability") ?? name;
  const owner = config.capabilities.get(capabilityName)?.service;
  if (owner !== undefined && owner !== name) {
    return new Failure("usage", `the capability "${capabilityName}" belongs to the service "${owner}"`, {
      next: "choose another name with --capability",
    });
  }
  const capability = capabilityBlock(args, name, rules, config.capabilities.get(capabilityName));
  if (capability instanceof Failure) return capability;

  const done = await applyChange(janee, talk, {
    command: `add ${name}`,
    credential: credentialKind(auth),
    plan: (read, vault) => [
      ...serviceEdits(read, vault, name, { ...(baseUrl !== undefined && { baseUrl }), ...reach }, auth),
      ...Object.entries(capability).map(
        ([key, value]): Edit => ({ path: ["capabilities", capabilityName, key], value }),
      ),
    ],
  });
  if (done instanceof Failure) return done;
  if (doubt !== undefined) {
    talk.say(`janee: warning: ${doubt}; it was taken as it is\n  → if it is not right: janee set ${name}`);
  }
  const ttlMs = janee.home.current().config.capabilities.get(capabilityName)?.ttlMs ?? 0;
  if (args.text("ttl") !== undefined && ttlMs > longestUnwarnedMs) {
    talk.say(`janee: warning: ${longLived(capabilityName)}`);
  }
  if (talk.json)
    talk.printJson({ service: name, capability: capabilityName, ...(doubt && { warning: doubt }) });
  else {
    talk.print(`${existing ? "updated" : "added"} ${name}, capability ${capabilityName}`);
    if (exec)
      talk.say(
        `  → try it: janee exec ${capabilityName} -- COMMAND; janee list shows where commands are found`,
      );
    else talk.say(`  → try it: janee test ${name}; then: janee serve, and janee grant ${capabilityName}`);
  }
  return 0;
}

/** The rules of the directory name whole paths; under a base URL with more or less of the path, they would miss. */
function unfitPolicies(
  known: KnownService,
  prefix: string,
  given: Service | string | undefined,
): Failure | undefined {
  const expected = known.baseUrl.replace(/^https:\/\/[^/]*/, "");
  if (given === undefined || prefix === expected) return undefined;
  return new Failure("usage", `the policies of ${known.name} go by paths below ${known.baseUrl}`, {
    next: `give ${expected === "" ? "a base URL without a path" : `a base URL that ends in ${expected}`}, or rules with --allow`,
  });
}

/** How an existing service authenticates: a new key takes the old one's place. */
export function shapeOf(service: Service | undefined): AuthShape {
  const type = service?.auth.type;
  const scheme = type === undefined ? undefined : schemeOf(type);
  if (scheme && isMade(scheme)) return { type: "made", scheme };
  const names = [...(service?.auth.secret.keys() ?? [])].map((field) => field.slice(field.indexOf(".") + 1));
  if (isNamed(type)) return { type, names };
  return { type: type === "basic" ? "basic" : "bearer" };
}

async function chooseBaseUrl(
  args: Arguments,
  existing: Service | undefined,
  known: KnownService | undefined,
  exec: boolean,
): Promise<string | undefined | Failure> {
  const given = args.text("base-url");
  if (given !== undefined || exec) return given;
  if (existing) return undefined;
  if (known && !known.ownHost) return known.baseUrl;
  if (known && !isInteractive()) {
    return new Failure("usage", `${known.title}: each customer has a host of their own`, {
      next: `give yours, such as --base-url ${known.baseUrl}`,
    });
  }
  if (!isInteractive()) {
    return new Failure("usage", "janee does not know this service: its base URL is missing", {
      next: "give it with --base-url https://…; janee search shows the known ones",
    });
  }
  const example = known ? ` (such as ${known.baseUrl})` : "";
  return (await askLine(`base URL${example}: `)) || new Failure("usage", "cancelled: nothing was changed");
}

/** A credential that stays is opened under its old binding and sealed again under what the service becomes. */
function serviceEdits(
  read: ReadConfig,
  vault: Vault,
  name: string,
  fields: Readonly<Record<string, Json>>,
  auth: AuthBlock | undefined,
): Edit[] {
  const edits: Edit[] = [];
  const existing = read.config.services.get(name);
  for (const [key, value] of Object.entries(fields)) edits.push({ path: ["services", name, key], value });
  if (auth) edits.push({ path: ["services", name, "auth"], value: authJson(auth) });
  else if (existing && Object.keys(fields).length > 0) edits.push(...resealed(read, vault, existing));
  return edits;
}

export function resealed(read: ReadConfig, vault: Vault, service: Service): Edit[] {
  const edits: Edit[] = [];
  for (const [field, stored] of service.auth.secret) {
    if (stored.kind !== "sealed") continue;
    const opened = vault.open(service, field, stored.text);
    const path = read.secretPaths.get(`${service.name}/${field}`);
    if (!(opened instanceof Failure) && path) edits.push({ path, value: opened.reveal() });
  }
  return edits;
}

export function authJson(auth: AuthBlock): Json {
  const block: Record<string, Json> = { type: auth.type, ...auth.open };
  for (const [field, value] of Object.entries(auth.secret)) {
    const dot = field.indexOf(".");
    if (dot < 0) block[field] = value;
    else {
      const group = field.slice(0, dot);
      block[group] = { ...(block[group] as Record<string, Json> | undefined), [field.slice(dot + 1)]: value };
    }
  }
  return block;
}
