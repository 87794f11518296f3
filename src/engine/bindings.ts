// A config from elsewhere (`run --config`) may come from whoever can change a repository. It names variables, and the
// person who starts janee says for each where its value may go: nothing in the file can send it to another place.
import type { Config, Service } from "./config.ts";
import { schemeOf } from "./credential/index.ts";
import { isMade, type StoredSecret } from "./credential/scheme.ts";
import { Failure } from "./failure.ts";
import { visible } from "./visible.ts";

/** Variable → the origins that its value may go to. */
export type Bindings = ReadonlyMap<string, ReadonlySet<string>>;

/** `NAME=https://api.example.com`, each once or, for several origins, more often. */
export function readBindings(texts: readonly string[]): Bindings | Failure {
  const bindings = new Map<string, Set<string>>();
  for (const text of texts) {
    const [, name = "", url = ""] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(text) ?? [];
    const origin = originIn(url);
    if (name === "" || origin === undefined) {
      return new Failure("usage", "--bind wants a variable and an origin, without path, user or query", {
        next: "such as: --bind STRIPE_KEY=https://api.stripe.com",
      });
    }
    bindings.set(name, (bindings.get(name) ?? new Set()).add(origin));
  }
  return bindings;
}

function originIn(text: string): string | undefined {
  if (!/^https?:\/\/[^/?#@\\\s]+\/?$/i.test(text) || !URL.canParse(text)) return undefined;
  return new URL(text).origin;
}

/** What of a config from elsewhere must not be: the first of it. */
export function refuseElsewhere(config: Config, bindings: Bindings): Failure | undefined {
  const { network, services, stores } = config;
  if (stores.vault) {
    return new Failure("config_invalid", "stores: a config from elsewhere takes variables and nothing else", {
      next: "have the runner put the secret into a variable, and write env:NAME",
    });
  }
  if (network.caFile !== undefined) return trusts("network.caFile");
  for (const service of services.values()) {
    const refused = refuseService(service, bindings);
    if (refused) return refused;
    if (network.proxy && service.base?.scheme === "http") {
      return new Failure(
        "config_invalid",
        `"${service.name}" is in the clear, and network.proxy would see it`,
        {
          next: "leave network.proxy out, or use https://",
        },
      );
    }
  }
  return undefined;
}

function refuseService(service: Service, bindings: Bindings): Failure | undefined {
  const { name, auth } = service;
  if (service.caFile !== undefined) return trusts(`services.${name}.caFile`);
  for (const [field, stored] of auth.secret) {
    const place = `services.${name}.auth.${field}`;
    const variable = variableOf(stored);
    if (variable === undefined) {
      return new Failure(
        "config_invalid",
        `${place}: a config from elsewhere takes a variable and nothing else`,
        {
          next: "write env:NAME there, and say where its value may go: --bind NAME=https://…",
        },
      );
    }
    const origins = originsOf(service);
    if (origins.length === 0)
      return new Failure("config_invalid", `services.${name} has no baseUrl to bind to`);
    const bound = bindings.get(variable);
    const open = origins.find((origin) => !bound?.has(origin));
    if (open === undefined) continue;
    const others = bound ? `, and is bound to ${[...bound].join(", ")}` : ", and is bound to nothing";
    return new Failure("origin_mismatch", `${place}: ${variable} would go to ${visible(open)}${others}`, {
      next: `if it may go there, add: --bind ${variable}=${visible(open)}`,
    });
  }
  return undefined;
}

/** With a root of its own choice, a file could have anyone take the place of an origin. */
function trusts(place: string): Failure {
  return new Failure("config_invalid", `${place}: a config from elsewhere cannot say whom to trust`, {
    next: "leave it out, and name the file on the command line: --ca-file FILE",
  });
}

/** undefined: it is no reference to a variable. */
export function variableOf(stored: StoredSecret): string | undefined {
  return stored.kind === "reference" ? /^env:(.+)$/s.exec(stored.text)?.[1]?.trim() : undefined;
}

/** Where the secrets of a service go: to itself, and to the addresses that its `auth` names. */
function originsOf({ base, auth }: Service): readonly string[] {
  if (!base) return [];
  const scheme = schemeOf(auth.type);
  const urls = isMade(scheme) ? scheme.fields.filter(({ kind }) => kind === "url") : [];
  const named = urls
    .flatMap((field) => auth.open.get(field.name) ?? [])
    .filter((url) => /^https?:/i.test(url));
  return [`${base.scheme}://${base.authority}`, ...named.map((url) => new URL(url).origin)];
}
