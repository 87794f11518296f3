// The capability block that the flags of `janee add` describe.
import type { Capability } from "../engine/config.ts";
import type { Json } from "../engine/edit-config.ts";
import { Failure } from "../engine/failure.ts";
import { didYouMean } from "../engine/nearest.ts";
import { type Effect, parseRule } from "../engine/rule.ts";
import { splitRule } from "../engine/services/shape.ts";
import type { Arguments } from "./command.ts";

type RuleJson = Readonly<Record<string, string>>;

/** What `--policy` chooses from, as ordered rule texts. */
export interface Policies {
  readonly of: string;
  readonly lists: Readonly<Record<string, readonly string[]>>;
  /** Why they cannot be taken for this base URL. */
  readonly unfit?: Failure | undefined;
}

/** undefined: no flag says anything about rules. */
export function rulesFromFlags(args: Arguments, policies: Policies): RuleJson[] | undefined | Failure {
  const rules: RuleJson[] = [];
  for (const { name, value } of args.inOrder("allow", "deny", "ask")) {
    const parsed = parseRule(name as Effect, value);
    if (parsed instanceof Failure) {
      return new Failure("usage", `--${name}: ${parsed.message}`, {
        next: `such as --${name} "GET /v1/*", or "*"`,
      });
    }
    rules.push({ [name]: value });
  }
  const policy = args.flag("read-only") ? "read-only" : args.text("policy");
  if (policy !== undefined) {
    const found = policyNamed(policy, policies);
    return found instanceof Failure ? found : [...rules, ...found];
  }
  if (rules.length === 0) return undefined;
  if (rules.every((rule) => "deny" in rule)) {
    return new Failure("usage", "these rules allow nothing: give --allow or --ask as well", {
      next: 'such as --allow "GET /v1/*", or --policy no-delete',
    });
  }
  return "*" === rules.at(-1)?.deny ? rules : [...rules, { deny: "*" }];
}

function policyNamed(name: string, { of, lists, unfit }: Policies): RuleJson[] | Failure {
  const found = Object.hasOwn(lists, name) ? lists[name] : undefined;
  if (found) return unfit ?? found.map(splitRule).map(({ effect, pattern }) => ({ [effect]: pattern }));
  const names = Object.keys(lists);
  return new Failure("usage", `unknown policy "${name.slice(0, 40)}"${didYouMean(name, names)}`, {
    next: `for ${of} there are: ${names.join(", ")}`,
  });
}

/** The keys to set. An existing capability keeps what no flag names. */
export function capabilityBlock(
  args: Arguments,
  service: string,
  rules: RuleJson[] | undefined,
  existing: Capability | undefined,
): Record<string, Json> | Failure {
  const block: Record<string, Json> = {};
  if (!existing) block.service = service;
  const exec = args.flag("exec") || existing?.mode === "exec";
  const ttl = args.text("ttl");
  if (ttl !== undefined) block.ttl = ttl;
  else if (!existing) block.ttl = "1h";
  if (args.flag("auto-approve")) block.autoApprove = true;
  if (!exec) {
    const stray = ["allow-commands", "env-map", "timeout", "work-dir"].find((flag) => args.flag(flag));
    if (stray !== undefined) return new Failure("usage", `--${stray} goes with --exec only`);
    if (rules) block.rules = rules;
    else if (!existing) block.rules = [{ allow: "*" }];
    return block;
  }
  if (rules)
    return new Failure("usage", "rules are for HTTP: with --exec, say what may run with --allow-commands");
  return execBlock(args, block, existing);
}

/** A constant beside the credential is fine; a mapping that holds nothing else was meant otherwise. */
function withoutPlaceholder(mapped: Readonly<Record<string, Json>>): string | undefined {
  const names = Object.keys(mapped);
  const held = names.some((name) => String(mapped[name]).includes("{{"));
  // The name of a secret field without its braces is never meant as text.
  const bare = names.find((name) =>
    /^\{?(?:credential|key|token|password|secret)\}?$/i.test(String(mapped[name])),
  );
  return bare ?? (held ? undefined : names[0]);
}

function execBlock(
  args: Arguments,
  block: Record<string, Json>,
  existing: Capability | undefined,
): Record<string, Json> | Failure {
  const commands = args
    .text("allow-commands")
    ?.split(",")
    .map((name) => name.trim());
  if (!existing && !commands) return new Failure("usage", '--exec wants --allow-commands "a,b"');
  if (!existing) block.mode = "exec";
  if (commands) block.allowCommands = commands;
  const mapped: Record<string, Json> = {};
  for (const text of args.texts("env-map")) {
    const equals = text.indexOf("=");
    if (equals < 1)
      return new Failure("usage", '--env-map wants NAME={{credential}}, such as "API_KEY={{credential}}"');
    mapped[text.slice(0, equals)] = text.slice(equals + 1);
  }
  const unmapped = withoutPlaceholder(mapped);
  if (unmapped !== undefined) {
    return new Failure(
      "usage",
      `--env-map ${unmapped.slice(0, 64)}=… does not say where the credential goes`,
      {
        next: `write it with braces: --env-map "${unmapped.slice(0, 64)}={{credential}}"; other text is passed on as it stands`,
      },
    );
  }
  if (Object.keys(mapped).length > 0) block.envMap = mapped;
  const timeout = args.text("timeout");
  if (timeout !== undefined) block.timeout = timeout;
  const workDir = args.text("work-dir");
  if (workDir !== undefined) block.workDir = workDir;
  return block;
}
