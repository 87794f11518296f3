// The forward proxy: CONNECT and absolute-form. What it takes becomes the same Call as on the reverse proxy.
import type { Reply } from "../../engine/call.ts";
import {
  destinationOf,
  type Origin,
  originText,
  type Reach,
  reaches,
  readAuthority,
  refuseOrigin,
} from "../../engine/destination.ts";
import { Failure } from "../../engine/failure.ts";
import type { Body, Lifeline } from "../../engine/ports.ts";
import type { RequestHead } from "../../wire/http1.ts";
import { failureReply, writeReply } from "../answer.ts";
import { asked, exchange, refuse, type Served, upgrading } from "../exchange.ts";
import { isOwnAuthority } from "../foreign.ts";
import type { Forward, Proxied } from "./face.ts";
import { serveIntercepted } from "./intercepted.ts";
import { readProxyAuthorization } from "./proxy-authorization.ts";
import { serveTunnel } from "./tunnel.ts";

export interface Forwarding extends Served {
  readonly forward: Forward;
}

/** Someone who may use the proxy, and where they want to go. */
export interface Bound {
  readonly proxied: Proxied;
  readonly origin: Origin;
}

/** `CONNECT host:443`: TLS ends here where a capability is; elsewhere it is refused, or a tunnel without a key. */
export async function serveConnect(on: Forwarding, head: RequestHead): Promise<boolean | "handed over"> {
  const { incoming, face, forward } = on;
  const bound = bind(on, head, "https");
  if (bound instanceof Failure) return refuseAndGoOn(on, bound, head);
  const { config } = face.policy.current();
  const reach = reachOf(on, bound.proxied);
  if (!reach) return refuseAndGoOn(on, unknownToken(), head);
  // Before the tunnel stands nothing can come through it: such bytes would be read by nobody's rules.
  if (incoming.hasMore) {
    return refuse(on, tooEarly(), head);
  }
  if (reaches(config, reach, bound.origin)) return serveIntercepted(on, bound, head);
  const isMeant = (): boolean => forward.unmatched() === "tunnel" && !isService(on, bound.origin);
  const passage = isMeant() ? face.broker.passageFor(bound.proxied.by) : undefined;
  if (passage) return serveTunnel(on, head, bound.origin, { passage, isMeant });
  return refuseAndGoOn(on, refuseOrigin(config, reach, bound.origin), head);
}

/** `GET http://host/path`: for services in the clear, which are on this machine or were allowed to be. */
export async function serveAbsolute(on: Forwarding, head: RequestHead): Promise<boolean> {
  const bound = bind(on, head, "http");
  if (bound instanceof Failure) {
    return bound.code === "proxy_token_needed" && head.framing.kind === "none"
      ? refuseAndGoOn(on, bound, head)
      : refuse(on, bound, head);
  }
  return exchange(on, head, (body, lifeline) => forwardRequest(on, bound, head, body, lifeline));
}

/** The request becomes a Call: from here on it is one like any other. */
export async function forwardRequest(
  on: Forwarding,
  { proxied, origin }: Bound,
  head: RequestHead,
  body: Body,
  lifeline: Lifeline,
): Promise<Reply | Failure> {
  const { connection, face, surface } = on;
  const reach = reachOf(on, proxied);
  const { config } = face.policy.current();
  const found = reach ? destinationOf(config, reach, origin, head.target) : unknownToken();
  if (found instanceof Failure) {
    await face.broker.refuseUnread(surface, connection.peer, found, head.method, asked(head));
    return found;
  }
  return face.broker.handle({
    surface,
    peer: connection.peer,
    by: proxied.by,
    capability: found.capability,
    method: head.method,
    target: found.target,
    fields: head.fields,
    body,
    ...upgrading(head),
    lifeline,
  });
}

function bind(on: Forwarding, head: RequestHead, scheme: Origin["scheme"]): Bound | Failure {
  const { face, forward } = on;
  if (head.fields.some(({ key }) => key === "origin" || key === "sec-fetch-site")) {
    return new Failure("foreign_origin", "pages are not served");
  }
  const proxied = readProxyAuthorization(head.fields, forward, face.policy.current().config);
  if (proxied instanceof Failure) return proxied;
  const authority = head.authority ?? "";
  if (isOwnAuthority(authority, face.own)) {
    return new Failure("host_not_allowed", "this is janee itself, which is not reached through itself", {
      next: "add its address to NO_PROXY",
    });
  }
  const origin = readAuthority(authority, scheme);
  if (!origin) return new Failure("host_not_allowed", "this is no address that a capability can be at");
  const host = readAuthority(head.host, scheme);
  // Some clients leave the port out of the Host of a CONNECT.
  const same = host && host.host === origin.host && (host.port === origin.port || !/:\d+$/.test(head.host));
  return same ? { proxied, origin } : misdirected(origin);
}

export function tooEarly(): Failure {
  return new Failure("bad_request", "bytes came before the tunnel stood");
}

export function misdirected(origin: Origin): Failure {
  return new Failure("misdirected", `this connection is for ${originText(origin)} and no other host`);
}

function unknownToken(): Failure {
  return new Failure("proxy_token_needed", "this session token is not known", {
    next: "ask the person for a session",
  });
}

function reachOf({ face }: Forwarding, { by, only }: Proxied): Reach | undefined {
  const reach = face.broker.reachOf(by);
  if (!reach || only === undefined) return reach;
  return { ...reach, capabilities: reach.capabilities.filter((name) => name === only) };
}

/** The address of a service is not for tunnels, whose capabilities it may be. */
function isService({ face }: Forwarding, { host }: Origin): boolean {
  return [...face.policy.current().config.services.values()].some(({ base }) => base?.host === host);
}

/** The connection stays: clients ask first without a token (RFC 9110 section 11.7.1). */
async function refuseAndGoOn(on: Forwarding, failure: Failure, head: RequestHead): Promise<boolean> {
  const { connection, face, surface } = on;
  await face.broker.refuseUnread(surface, connection.peer, failure, head.method, asked(head));
  const manner = { method: head.method, minor: head.minor, keepAlive: head.keepAlive };
  return writeReply(connection, failureReply(failure), manner);
}
