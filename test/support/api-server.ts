// A vendor's API on https that wants the real key on every request, and answers as the vendors' SDKs expect.
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Certificate } from "./certificates.ts";

export interface ApiServer {
  readonly port: number;
  /** Of each request: the host, the method, the target, and whether the key was right. */
  readonly asked: { readonly host: string; readonly line: string; readonly authorized: boolean }[];
  stop(): Promise<void>;
}

const message = {
  ...{
    id: "m1",
    type: "message",
    role: "assistant",
    model: "m",
    stop_reason: "end_turn",
    stop_sequence: null,
  },
  content: [{ type: "text", text: "hello" }],
  usage: { input_tokens: 1, output_tokens: 1 },
};
const completion = {
  ...{ id: "1", object: "chat.completion", created: 1, model: "m" },
  choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "hello" } }],
};
const issues = [
  { number: 1, title: "hello" },
  { number: 2, title: "hello" },
];
const issueNodes = issues.map((issue) => ({
  ...{ ...issue, state: "OPEN", updatedAt: "2026-01-01T00:00:00Z", labels: { nodes: [], totalCount: 0 } },
}));
const graph = {
  createIssue: { issue: { id: "I_1", url: "https://github.com/o/repo/issues/3" } },
  repository: {
    ...{ id: "R_1", name: "repo", owner: { id: "U_1", login: "o" }, hasIssuesEnabled: true },
    ...{ viewerPermission: "WRITE", defaultBranchRef: { name: "main" }, parent: null },
    issues: { totalCount: 2, nodes: issueNodes, pageInfo: { hasNextPage: false, endCursor: "" } },
  },
};
const words = ["hel", "lo"];

function event(data: unknown, name?: string): string {
  return `${name === undefined ? "" : `event: ${name}\n`}data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;
}

function openAiEvents(): string[] {
  const chunk = (content: string) => ({
    ...{ id: "1", object: "chat.completion.chunk", created: 1, model: "m" },
    choices: [{ index: 0, delta: { content } }],
  });
  return [...words.map((word) => event(chunk(word))), event("[DONE]")];
}

function anthropicEvents(): string[] {
  const of = (type: string, more: object): string => event({ type, ...more }, type);
  return [
    of("message_start", { message: { ...message, content: [] } }),
    of("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
    ...words.map((text) => of("content_block_delta", { index: 0, delta: { type: "text_delta", text } })),
    of("content_block_stop", { index: 0 }),
    of("message_delta", {
      delta: { stop_reason: "end_turn", stop_sequence: null },
      usage: { output_tokens: 2 },
    }),
    of("message_stop", {}),
  ];
}

export async function startApi(certificate: Certificate, key: string): Promise<ApiServer> {
  const asked: { host: string; line: string; authorized: boolean }[] = [];
  const server = createServer({ key: certificate.key, cert: certificate.cert }, (request, response) => {
    const { authorization, host = "", "x-api-key": apiKey } = request.headers;
    const authorized = authorization === `Bearer ${key}` || apiKey === key;
    asked.push({ host, line: `${request.method} ${request.url}`, authorized });
    let body = "";
    request.on("data", (bytes: Buffer) => {
      body += bytes.toString();
    });
    request.on("end", () => {
      if (authorized) void answer(request, response, body);
      else
        response
          .writeHead(401, { "content-type": "application/json" })
          .end('{"error":{"message":"wrong key"}}');
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    stop: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, body: string): Promise<void> {
  const path = request.url?.split("?")[0];
  const streams = /"stream":\s*true/.test(body);
  const events = path === "/v1/messages" ? anthropicEvents() : openAiEvents();
  if (streams) {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const one of events) {
      response.write(one);
      await new Promise((done) => setTimeout(done, 5));
    }
    response.end();
    return;
  }
  const bodies: Readonly<Record<string, unknown>> = {
    "/v1/messages": message,
    "/v1/chat/completions": completion,
    "/user": { login: "hello" },
    "/graphql": { data: graph },
    "/repos/o/repo/issues": { number: 3, title: "hello", html_url: "https://github.com/o/repo/issues/3" },
    "/v1/balance": { object: "balance", available: [{ amount: 4200, currency: "eur" }] },
  };
  const page = Number(new URL(request.url ?? "", "https://x").searchParams.get("page") ?? 1);
  const more = { link: `<https://${request.headers.host}${path}?page=2&per_page=1>; rel="next"` };
  const isList = path === "/repos/o/repo/issues" && request.method === "GET";
  response.writeHead(200, { "content-type": "application/json", ...(isList && page === 1 ? more : {}) });
  response.end(JSON.stringify((isList ? [issues[page - 1]] : bodies[path ?? ""]) ?? { said: "hello" }));
}
