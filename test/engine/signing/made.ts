// A credential that is made from a config's `auth:` block, with the hashes that the host has.
import assert from "node:assert/strict";
import { schemeOf } from "../../../src/engine/credential/index.ts";
import {
  type Credential,
  type CredentialTools,
  isMade,
  type MadeScheme,
  type Placed,
  type Unsigned,
} from "../../../src/engine/credential/scheme.ts";
import { Failure } from "../../../src/engine/failure.ts";
import type { Body, HeaderField, Service } from "../../../src/engine/ports.ts";
import { Secret } from "../../../src/engine/secret.ts";
import { readTarget } from "../../../src/engine/target.ts";
import { digest } from "../../../src/host/digest.ts";
import { read } from "../config-sample.ts";

export interface Made {
  readonly service: Service;
  readonly scheme: MadeScheme;
  readonly credential: Credential;
}

export function serviceFor(auth: string, url: string, ...more: string[]): Service {
  const lines = [`baseUrl: ${JSON.stringify(url)}`, `auth: ${auth}`, ...more];
  const service = read(
    ["services:", "  s:", ...lines.map((line) => `    ${line}`), ""].join("\n"),
  ).config.services.get("s");
  return service ?? assert.fail("no service");
}

/** `random`: what every byte of a nonce is, or the bytes themselves. */
export async function made(
  auth: string,
  url: string,
  secrets: Readonly<Record<string, string>>,
  random: number | Buffer = 7,
  ...more: string[]
): Promise<Made> {
  const service = serviceFor(auth, url, ...more);
  const scheme = schemeOf(service.auth.type);
  assert.ok(isMade(scheme));
  const opened = new Map(Object.entries(secrets).map(([name, text]) => [name, new Secret(text)]));
  const entropy = {
    bytes: (count: number) => (typeof random === "number" ? new Uint8Array(count).fill(random) : random),
  };
  const credential = await scheme.make(service, opened, { digest, entropy } as unknown as CredentialTools);
  if (credential instanceof Failure) assert.fail(credential.message);
  return { service, scheme, credential };
}

export function fieldsOf(headers: Readonly<Record<string, string>>): HeaderField[] {
  return Object.entries(headers).map(([name, value]) => ({ name, key: name.toLowerCase(), value }));
}

export function bodyOf(bytes: string | Buffer | undefined): Body {
  if (bytes === undefined || bytes.length === 0) return { kind: "empty" };
  return { kind: "whole", bytes: Buffer.from(bytes as string) };
}

export interface Ask {
  readonly method?: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | Body;
  readonly now?: number;
}

/** The request as the pipeline gives it to the scheme. */
export function unsigned({ service }: Pick<Made, "service">, ask: Ask): Unsigned {
  const { base } = service;
  const target = readTarget(ask.target, { allowEmptySegments: service.allowEmptySegments });
  assert.ok(base && !(target instanceof Failure), `${ask.target}: ${(target as Failure).message}`);
  const { body } = ask;
  const isBody = typeof body === "object" && "kind" in body;
  return {
    method: ask.method ?? "GET",
    ...{ base, target: { path: `${base.prefix}${target.path}`, query: target.query } },
    fields: fieldsOf(ask.headers ?? {}),
    body: isBody ? body : bodyOf(body),
    now: ask.now ?? 0,
  };
}

export function signed(one: Made, ask: Ask): Placed {
  const placed = one.credential.sign(unsigned(one, ask));
  if (placed instanceof Failure) assert.fail(placed.message);
  return placed;
}

export function headerOf({ headers }: Placed, name: string): string {
  return headers.find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1] ?? "";
}

export function numbered(text: string): number {
  return Date.parse(text);
}
