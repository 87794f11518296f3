// What git is told when it asks for a user and a password: once each, and only for the service's own origin.
import type { BaseUrl, Service } from "../config.ts";
import type { OpenedSecrets } from "../credential/scheme.ts";

/** Code hosts take any user beside a token; this one is what GitHub documents for its apps. */
const tokenUser = "x-access-token";

const prompts = /^(Username|Password) for '([^']+)': ?$/;

/** undefined: the service has no origin to be bound to, so nothing is answered. */
export function askpassOf(
  service: Service,
  secrets: OpenedSecrets,
): ((prompt: string) => string | undefined) | undefined {
  const { base } = service;
  const pair = base && pairOf(service, secrets);
  if (!base || !pair) return undefined;
  const origins = gitOriginsOf(base);
  const answered = new Set<string>();
  return (prompt) => {
    const [, what, address] = prompts.exec(prompt) ?? [];
    if (what === undefined || address === undefined || answered.has(what)) return undefined;
    if (!origins.includes(originOf(address) ?? "")) return undefined;
    answered.add(what);
    return what === "Username" ? pair.user : pair.password;
  };
}

/** Hosts whose repositories lie beside their API, under the same tokens. */
const repositoriesOf: ReadonlyMap<string, string> = new Map([
  ["https://api.github.com", "https://github.com"],
  ["https://api.bitbucket.org", "https://bitbucket.org"],
]);

function gitOriginsOf(base: BaseUrl): readonly string[] {
  const own = `${base.scheme}://${base.authority}`;
  const beside = repositoriesOf.get(own);
  return beside === undefined ? [own] : [own, beside];
}

function originOf(address: string): string | undefined {
  return URL.canParse(address) ? new URL(address).origin : undefined;
}

function pairOf(
  { auth }: Service,
  secrets: OpenedSecrets,
): { readonly user: string; readonly password: string } | undefined {
  const [only, second] = [...secrets.values()];
  if (!only || second) return undefined;
  const text = only.reveal();
  const colon = auth.type === "basic" && secrets.has("key") ? text.indexOf(":") : -1;
  if (colon >= 0) return { user: text.slice(0, colon), password: text.slice(colon + 1) };
  return { user: auth.open.get("username") ?? tokenUser, password: text };
}
