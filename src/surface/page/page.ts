// What janee itself says over HTTP, on Hono, fed by the same listener: one port, one reader.
import { Hono } from "hono";
import { collect, wholeBody } from "../../engine/bodies.ts";
import type { Reply } from "../../engine/call.ts";
import { Failure } from "../../engine/failure.ts";
import type { PageAccess } from "../../engine/page-access.ts";
import type { Body } from "../../engine/ports.ts";
import { field, type RequestHead } from "../../wire/http1.ts";
import { documentText, policyOf } from "./document.ts";
import type { People } from "./people.ts";

export interface PageParts {
  readonly version: string;
  readonly access: PageAccess;
  readonly people: People;
  /** A value that cannot be guessed, for one document. */
  readonly nonce: () => string;
}

export type Page = (head: RequestHead, body: Body) => Promise<Reply | Failure>;

type Variables = { bytes: Buffer };

const longestBody = 4096;

export function makePage(parts: PageParts): Page {
  const { version, access, people } = parts;
  const app = new Hono<{ Variables: Variables; Bindings: Variables }>();
  app.get("/_janee/health", (context) => context.json({ status: "ok", version }));
  for (const path of ["/_janee", "/_janee/"]) {
    app.get(path, (context) => {
      const nonce = parts.nonce();
      return context.html(documentText(nonce), 200, { "Content-Security-Policy": policyOf(nonce) });
    });
  }
  app.post("/_janee/api/enter", async (context) => {
    const { ticket } = read(context.env.bytes);
    const entered = access.enter(typeof ticket === "string" ? ticket : "");
    const refused = entered instanceof Failure ? entered : await people.entered();
    if (refused) throw new Refusal(refused);
    return context.json({ token: entered });
  });
  app.use("/_janee/api/*", async (context, next) => {
    if (!access.isIn(tokenIn(context.req.header("authorization")))) {
      throw new Refusal(new Failure("no_session", "this page is not let in", { next: "run janee open" }));
    }
    await next();
  });
  app.get("/_janee/api/state", (context) => context.json(people.state()));
  app.post("/_janee/api/approvals/:id", async (context) => {
    const { verdict } = read(context.env.bytes);
    return done(await people.decide(context.req.param("id"), verdict));
  });
  app.post("/_janee/api/sessions/:id/revoke", async (context) =>
    done(await people.revoke(context.req.param("id"))),
  );
  app.post("/_janee/api/revoke", async () => done(await people.revokeEverything()));
  app.post("/_janee/api/leave", (context) => {
    access.leave(tokenIn(context.req.header("authorization")));
    return done(undefined);
  });
  app.onError((error) => {
    throw error;
  });
  return (head, body) => answer(app, head, body);
}

/** A failure on its way through Hono. */
class Refusal extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

function done(failure: Failure | undefined): Response {
  if (failure) throw new Refusal(failure);
  return Response.json({ done: true });
}

async function answer(
  app: Hono<{ Variables: Variables; Bindings: Variables }>,
  head: RequestHead,
  body: Body,
): Promise<Reply | Failure> {
  const bytes = await collect(body, longestBody);
  if (bytes instanceof Failure) return bytes;
  const headers = new Headers(head.fields.map(({ name, value }): [string, string] => [name, value]));
  const request = new Request(`http://${head.host}${head.target}`, { method: head.method, headers });
  try {
    const response = await app.fetch(request, { bytes });
    if (response.status === 404) return new Failure("not_found", "there is nothing at this address");
    const fields = [...response.headers, ...guards].map(([name, value]) => field(name, value));
    return { status: response.status, fields, body: wholeBody(Buffer.from(await response.arrayBuffer())) };
  } catch (error) {
    if (error instanceof Refusal) return error.failure;
    throw error;
  }
}

const guards: readonly (readonly [string, string])[] = [
  ["X-Frame-Options", "DENY"],
  ["X-Content-Type-Options", "nosniff"],
  ["Referrer-Policy", "no-referrer"],
  ["Cross-Origin-Opener-Policy", "same-origin"],
  ["Cross-Origin-Resource-Policy", "same-origin"],
  ["Cache-Control", "no-store"],
];

/** No cookie: a browser sends those to every port of this machine, where an agent may listen. */
function tokenIn(authorization: string | undefined): string {
  return /^Bearer ([A-Za-z0-9_-]{43})$/.exec(authorization ?? "")?.[1] ?? "";
}

function read(bytes: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    if (typeof value === "object" && value !== null) return value as Readonly<Record<string, unknown>>;
  } catch {
    // Said below, as for any other value.
  }
  throw new Refusal(new Failure("bad_request", "expected a JSON object"));
}
