// A git server over https that asks for a password: node's https in front of git's own http-backend.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Certificate } from "./certificates.ts";

export interface GitServer {
  readonly origin: string;
  /** Every `Authorization` that came, "" for none. */
  readonly authorizations: string[];
  /** Called while a request that was let in is held. */
  whileServing: () => void;
  /** Where requests that were let in are sent instead. */
  redirectTo: string | undefined;
  /** git, in the repository that is served. */
  git(...args: string[]): string;
  stop(): Promise<void>;
}

/** Serves `/repo.git` to `x-access-token` with a password that is right, and below `/api/` what `api` serves. */
export async function startGitServer(
  folder: string,
  certificate: Certificate,
  password: string | ((text: string) => boolean),
  api?: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<GitServer> {
  const root = join(folder, "served");
  const work = join(folder, "seed");
  const bare = join(root, "repo.git");
  for (const one of [folder, root, work]) mkdirSync(one, { recursive: true });
  const env = { PATH: process.env.PATH, HOME: folder, GIT_CONFIG_NOSYSTEM: "1" };
  const run = (cwd: string, args: readonly string[]): string => {
    const who = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
    return execFileSync("git", [...who, ...args], { cwd, env, stdio: "pipe" }).toString("utf8");
  };
  run(work, ["init", "-q", "-b", "main"]);
  writeFileSync(join(work, "file"), "content\n");
  run(work, ["add", "file"]);
  run(work, ["commit", "-qm", "first"]);
  run(folder, ["clone", "-q", "--bare", work, bare]);
  run(bare, ["config", "http.receivepack", "true"]);

  const isRight = (authorization: string): boolean => {
    const [user, given = ""] = Buffer.from(authorization.replace("Basic ", ""), "base64")
      .toString()
      .split(":");
    if (user !== "x-access-token") return false;
    return typeof password === "string" ? given === password : password(given);
  };
  const server = createServer({ key: certificate.key, cert: certificate.cert }, (request, response) => {
    if (api && request.url?.startsWith("/api/")) return api(request, response);
    const { authorization = "" } = request.headers;
    started.authorizations.push(authorization);
    if (!isRight(authorization)) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="test"' }).end();
      return;
    }
    started.whileServing();
    if (started.redirectTo !== undefined) {
      response.writeHead(302, { location: `${started.redirectTo}${request.url}` }).end();
      return;
    }
    backend(request, response, { ...env, GIT_PROJECT_ROOT: root });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const started: GitServer = {
    origin: `https://localhost:${(server.address() as AddressInfo).port}`,
    authorizations: [],
    whileServing: () => {},
    redirectTo: undefined,
    git: (...args) => run(bare, args),
    stop: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
  return started;
}

/** RFC 3875: the request in variables and on stdin, the answer with a head of its own. */
function backend(
  request: IncomingMessage,
  response: ServerResponse,
  env: Readonly<Record<string, string | undefined>>,
): void {
  const { pathname, search } = new URL(request.url ?? "/", "https://x");
  const child = spawn("git", ["http-backend"], {
    env: {
      ...env,
      GIT_HTTP_EXPORT_ALL: "1",
      REQUEST_METHOD: request.method ?? "",
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      REMOTE_USER: "x-access-token",
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.stdin.on("error", () => {});
  request.pipe(child.stdin);
  const out: Buffer[] = [];
  child.stdout.on("data", (bytes: Buffer) => out.push(bytes));
  child.on("close", () => {
    const all = Buffer.concat(out);
    const end = all.indexOf("\r\n\r\n");
    const fields = all
      .subarray(0, end)
      .toString("latin1")
      .split("\r\n")
      .map((line) => line.split(": ") as [string, string]);
    const status = fields.find(([name]) => name === "Status")?.[1] ?? "200";
    response.writeHead(Number.parseInt(status, 10), Object.fromEntries(fields));
    response.end(all.subarray(end + 4));
  });
}
