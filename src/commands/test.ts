import { collect } from "../engine/bodies.ts";
import type { Capability, Config } from "../engine/config.ts";
import { Failure, FailureError } from "../engine/failure.ts";
import { type HeaderField, Lifeline, type Policy } from "../engine/ports.ts";
import { parseRule, RuleList } from "../engine/rule.ts";
import type { KnownService } from "../engine/services/shape.ts";
import { Home } from "../host/home.ts";
import type { Command } from "./command.ts";
import { exitCode } from "./exit-code.ts";
import { unknownService } from "./set.ts";
import { wireUp } from "./wire-up.ts";

/** A name that no config can hold. */
const trial = "_test";
const mostBody = 1024 * 1024;

export const command: Command = {
  usage: "<service> [--path /v1/…]",
  flags: {
    path: {
      type: "string",
      value: "PATH",
      help: "what to GET (default: a harmless path of a known service, else /)",
    },
  },
  positionals: { least: 1, most: 1 },
  async run(args, talk) {
    const home = await Home.open(talk.environment, false);
    if (home instanceof Failure) return home;
    const name = args.positionals[0] ?? "";
    const { config } = home.current();
    if (!config.services.has(name)) return unknownService(name, [...config.services.keys()]);
    const janee = wireUp(home, trialPolicy(home, name));
    if (janee instanceof Failure) return janee;
    const { knownAt } = await import("../engine/services/index.ts");
    const request = harmless(knownAt(name, config.services.get(name)?.base?.text));
    const path = args.text("path") ?? request.path;
    const started = performance.now();
    try {
      const reply = await janee.broker.handle({
        ...{ surface: "cli", peer: "person", by: "person", capability: trial, method: "GET", target: path },
        ...{ fields: request.fields, body: { kind: "empty" }, lifeline: new Lifeline() },
      });
      if (reply instanceof Failure) return reply;
      const body = await collect(reply.body, mostBody);
      if (body instanceof Failure) return body;
      const milliseconds = Math.round(performance.now() - started);
      const fine = reply.status < 400;
      const said = reply.notice === undefined ? {} : { notice: reply.notice };
      if (talk.json)
        talk.printJson({ service: name, path, status: reply.status, milliseconds, ok: fine, ...said });
      else talk.print(`${name}: GET ${path} answered ${reply.status} in ${milliseconds} ms`);
      if (!fine && !talk.json) talk.say(hintFor(reply.status, name));
      return fine ? 0 : exitCode("upstream_closed");
    } catch (error) {
      if (error instanceof FailureError) return error.failure;
      throw error;
    } finally {
      janee.close();
    }
  },
};

interface Harmless {
  readonly path: string;
  readonly fields: readonly HeaderField[];
}

/** What the directory has for the service, less what of the path its base URL holds already. */
function harmless(there: { readonly service: KnownService; readonly prefix: string } | undefined): Harmless {
  const headers = { "User-Agent": "janee", ...there?.service.testHeaders };
  const fields = Object.entries(headers).map(([key, value]) => ({
    key: key.toLowerCase(),
    name: key,
    value,
  }));
  const path = there?.service.test ?? "/";
  const prefix = there?.prefix ?? "";
  return { path: prefix !== "" && path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path, fields };
}

function hintFor(status: number, name: string): string {
  if (status === 401)
    return `  → janee allowed this, the service refused the credential: janee set ${name}; janee test ${name}`;
  if (status === 403)
    return `  → the service knows the credential and does not let it do this: see what it may do there, or janee set ${name}`;
  return "  → the service was reached; choose another --path if that is not what you expected";
}

/** The config with one more capability: GET only, for a person, for the length of this command. */
function trialPolicy(home: Home, service: string): Policy {
  const allow = parseRule("allow", "GET *");
  if (allow instanceof Failure) throw new Error(allow.message);
  const capability: Capability = {
    ...{ name: trial, service, mode: "http", description: undefined, ttlMs: 60_000, autoApprove: true },
    ...{ approval: "any", requireReason: false, limit: undefined, allowedAgents: undefined },
    ...{ rules: new RuleList([allow]), exec: undefined },
  };
  return {
    current() {
      const { config, generation } = home.current();
      const capabilities = new Map([...config.capabilities, [trial, capability]]);
      const trialConfig: Config = { ...config, capabilities };
      return { config: trialConfig, generation };
    },
  };
}
