// What git is told when it asks for a user and a password: once each, and only for the service's own origin.
import type { Service } from "../config.ts";
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
  const answered = new Set<string>();
  return (prompt) => {
    const [, what, address] = prompts.exec(prompt) ?? [];
    if (what === undefined || address === undefined || answered.has(what)) return undefined;
    if (originOf(address) !== `${base.scheme}://${base.authority}`) return undefined;
    answered.add(what);
    return what === "Username" ? pair.user : pair.password;
  };
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
