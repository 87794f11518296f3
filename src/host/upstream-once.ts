// One request of janee's own, on a connection of its own: the same dialling, TLS and strict reading as for services.
import { collect } from "../engine/bodies.ts";
import type { Config, Service } from "../engine/config.ts";
import { Failure } from "../engine/failure.ts";
import { Lifeline } from "../engine/ports.ts";
import { field } from "../wire/http1.ts";
import { dial } from "./dial.ts";
import { PooledConnection } from "./upstream-connection.ts";

const longestAnswer = 1024 * 1024;

export interface OwnRequest {
  readonly method: "GET" | "POST";
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export async function askOnce(
  service: Service,
  network: Config["network"],
  request: OwnRequest,
  patienceMs: number,
): Promise<{ readonly status: number; readonly text: string } | Failure> {
  const lifeline = new Lifeline();
  const where = service.base?.authority ?? service.name;
  const late = setTimeout(() => {
    lifeline.cut(new Failure("upstream_timeout", `${where} did not answer in time`));
  }, patienceMs);
  try {
    const socket = await dial(service, network, undefined);
    if (socket instanceof Failure) return socket;
    const connection = new PooledConnection(socket, service, (ended) => ended.destroy());
    const { method, target, headers, body } = request;
    const fields = Object.entries({ ...headers, Connection: "close" }).map(([name, value]) =>
      field(name, value),
    );
    const reply = await connection.send(
      {
        method,
        target,
        fields,
        body: body === undefined ? { kind: "empty" } : { kind: "whole", bytes: Buffer.from(body) },
      },
      lifeline,
    );
    if (reply instanceof Failure) return reply;
    const bytes = await collect(reply.body, longestAnswer);
    return bytes instanceof Failure ? bytes : { status: reply.status, text: bytes.toString("utf8") };
  } finally {
    clearTimeout(late);
  }
}
