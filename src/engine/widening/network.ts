// The way to the services: proxies, authorities, and whoever gives out credentials.
import type { Config, NetworkSettings } from "../config.ts";
import { type Change, named, other, wider } from "./change.ts";
import { oneService } from "./service.ts";

export function networkChanges(old: Config, now: Config): Change[] {
  const found: Change[] = [];
  const [before, after] = [old.network, now.network];
  // Without a service there is no credential that could take another way.
  const change = old.services.size > 0 ? wider : other;
  const [from, to] = [proxyText(before), proxyText(after)];
  if (from !== to) found.push(change(`proxy ${from} → ${to}`));
  else if (before.proxy?.authorization !== after.proxy?.authorization) {
    found.push(other("proxy: user or password changed"));
  }
  if (before.noProxy.join() !== after.noProxy.join()) {
    found.push(
      change(`noProxy ${before.noProxy.join(", ") || "none"} → ${after.noProxy.join(", ") || "none"}`),
    );
  }
  if (before.caFile !== after.caFile) {
    found.push(change(`caFile ${before.caFile ?? "none"} → ${after.caFile ?? "none"}`));
  }
  if (before.unmatched !== after.unmatched) {
    const [old = "deny", next = "deny"] = [before.unmatched, after.unmatched];
    if (old !== next) found.push((next === "tunnel" ? wider : other)(`unmatched ${old} → ${next}`));
  }
  return named("network", found);
}

/** Whoever gives out credentials decides what is sent, and the secret that opens the store goes to its address. */
export function storeChanges(old: Config, now: Config): Change[] {
  const [before, after] = [old.stores.vault, now.stores.vault];
  if (!before)
    return after ? [other(`stores.vault: added, at ${after.service.base?.text ?? "no address"}`)] : [];
  if (!after) return [other("stores.vault: removed")];
  const found = oneService(before.service, after.service);
  const [from, to] = [loginText(before), loginText(after)];
  if (from !== to) found.push(wider(`${from} → ${to}`));
  return named("stores.vault", found);
}

function loginText({ login, namespace }: NonNullable<Config["stores"]["vault"]>): string {
  const role = login.type === "approle" ? login.roleId : login.type === "jwt" ? login.role : "";
  const mount = login.type === "token" ? "" : ` at ${login.mount} as ${role}`;
  return `login by ${login.type}${mount}${namespace === undefined ? "" : ` in ${namespace}`}`;
}

function proxyText({ proxy }: NetworkSettings): string {
  return proxy ? `http://${proxy.host}:${proxy.port}` : "none";
}
