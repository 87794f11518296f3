// A stand-in for GitHub that verifies: the app's JWT by its public key, times, and every installation token it gave out.
import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { jwtVerify } from "jose";

export interface Issued {
  readonly token: string;
  readonly endsAt: number;
  readonly permissions: Readonly<Record<string, string>>;
  readonly repositories: readonly string[];
  withdrawn: boolean;
}

/** A request for a token, as it came. */
export interface Asked {
  readonly path: string;
  readonly body: string;
  readonly jwt: string;
  readonly headers: IncomingMessage["headers"];
}

export interface GithubStandIn {
  readonly origin: string;
  readonly asked: Asked[];
  /** Whether a token is good at this moment. */
  isLive(token: string): boolean;
  /** For a server of another kind that has the API below a prefix. */
  serve(prefix: string): (request: IncomingMessage, response: ServerResponse) => void;
  /** PKCS#1, as GitHub hands it out. */
  readonly pem: string;
  readonly issued: Issued[];
  /** Requests for a token that were refused, by why. */
  readonly refused: string[];
  /** Of the next tokens. */
  lifeSeconds: number;
  failures: number;
  /** What those are answered with. */
  failWith: number;
  stop(): Promise<void>;
}

export const appId = "4242";
export const installationId = "77";

export async function startGithub(): Promise<GithubStandIn> {
  const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const standIn = {
    origin: "",
    asked: [] as Asked[],
    isLive: (token: string) => liveAmong(standIn.issued, token) !== undefined,
    serve: (prefix: string) => (request: IncomingMessage, response: ServerResponse) => {
      answer(standIn, prefix, pair.publicKey, request, response).catch(() => response.destroy());
    },
    pem: pair.privateKey.export({ type: "pkcs1", format: "pem" }).toString(),
    issued: [] as Issued[],
    refused: [] as string[],
    lifeSeconds: 3600,
    failures: 0,
    failWith: 500,
    stop: async (): Promise<void> => {},
  };
  const server: Server = createServer((request, response) => {
    standIn.serve("")(request, response);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  standIn.origin = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
  standIn.stop = async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  };
  return standIn;
}

function liveAmong(issued: readonly Issued[], token: string): Issued | undefined {
  return issued.find((one) => one.token === token && !one.withdrawn && Date.now() < one.endsAt);
}

async function answer(
  standIn: Omit<GithubStandIn, "origin">,
  prefix: string,
  publicKey: KeyObject,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const reply = (status: number, body: unknown): void => {
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
  };
  const [scheme, credential = ""] = (request.headers.authorization ?? "").split(" ");
  const url = request.url ?? "";
  if (!url.startsWith(`${prefix}/`)) return reply(404, { message: "Not Found" });
  const path = url.slice(prefix.length);
  if (request.method === "POST" && path === `/app/installations/${installationId}/access_tokens`) {
    const body = Buffer.concat(chunks).toString();
    standIn.asked.push({ path, body, jwt: credential, headers: request.headers });
    const problem = await problemInJwt(scheme ?? "", credential, publicKey);
    if (problem !== undefined) {
      standIn.refused.push(problem);
      return reply(401, { message: problem });
    }
    if (standIn.failures > 0) {
      standIn.failures -= 1;
      return reply(standIn.failWith, { message: "try again" });
    }
    const wish = JSON.parse(body || "{}") as Partial<Issued>;
    const issued: Issued = {
      token: `ghs_FAKE${randomBytes(18).toString("hex")}`,
      endsAt: Date.now() + standIn.lifeSeconds * 1000,
      permissions: wish.permissions ?? { contents: "write", issues: "write" },
      repositories: wish.repositories ?? [],
      withdrawn: false,
    };
    standIn.issued.push(issued);
    return reply(201, { token: issued.token, expires_at: new Date(issued.endsAt).toISOString() });
  }
  const held = liveAmong(standIn.issued, credential);
  if (scheme !== "Bearer" || !held) {
    return reply(401, { message: "Bad credentials" });
  }
  if (request.method === "DELETE" && path === "/installation/token") {
    held.withdrawn = true;
    response.writeHead(204).end();
    return;
  }
  const writes = request.method !== "GET" && request.method !== "HEAD";
  if (writes && held.permissions.issues !== "write")
    return reply(403, { message: "Resource not accessible" });
  reply(200, { path, echo: request.headers.authorization });
}

/** https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app */
async function problemInJwt(scheme: string, text: string, publicKey: KeyObject): Promise<string | undefined> {
  if (scheme !== "Bearer") return "no bearer";
  try {
    const { payload } = await jwtVerify(text, publicKey, { algorithms: ["RS256"] });
    const now = Date.now() / 1000;
    if (payload.iss !== appId) return "wrong issuer";
    if ((payload.iat ?? now) > now) return "issued in the future";
    if ((payload.exp ?? 0) - (payload.iat ?? 0) > 600 || (payload.exp ?? 0) > now + 600)
      return "too long a life";
    return undefined;
  } catch {
    return "bad signature";
  }
}
