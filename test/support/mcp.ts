// MCP clients for the tests: the official one, in both eras, over stdio and over HTTP; and one that writes bytes as it is
// told and shows the lines that come back.
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { type Home, janeeCommand } from "./janee.ts";
import { Overdue, until, within } from "./wait.ts";

/** 2025-11-25 with `initialize`, or 2026-07-28 without. */
export type Era = "legacy" | "modern";
export const eras: readonly Era[] = ["legacy", "modern"];

type Nothing = Readonly<Record<string, never>>;

/** What a person is shown. */
export interface Question {
  readonly message: string;
  readonly choices: readonly string[];
  readonly requestedSchema: unknown;
}

export type Elicited =
  | { readonly action: "accept"; readonly content: Readonly<Record<string, string>> }
  | { readonly action: "decline" | "cancel" };

/** One tool call's end: an answer, a refusal, or an error of the protocol. */
export interface Told {
  readonly isError: boolean;
  readonly content: Readonly<Record<string, unknown>>;
  /** The refusal's code, or `protocol -32602`. */
  readonly code: string;
  readonly text: string;
}

export interface AgentOptions {
  readonly era: Era;
  /** Absent: forms. */
  readonly elicitation?: { readonly form?: Nothing; readonly url?: Nothing } | "none";
  readonly arguments?: readonly string[];
  readonly name?: string;
  /** Of a process of its own, beside what every janee gets. */
  readonly env?: Readonly<Record<string, string>>;
}

export const yes = (question: Question): Elicited => ({
  action: "accept",
  content: { decision: question.choices[0] ?? "" },
});
export const say = (decision: string) => (): Elicited => ({ action: "accept", content: { decision } });

export class Agent {
  readonly client: Client;
  /** Every question that was put, in order. */
  readonly asked: Question[] = [];
  answer: (question: Question) => Elicited | Promise<Elicited> = yes;
  /** Everything that janee has told this client, for a look whether it holds what it must not. */
  heard = "";
  #pid: () => number;
  #closed = false;

  private constructor(client: Client, pid: () => number) {
    this.client = client;
    this.#pid = pid;
  }

  static async #connect(
    options: AgentOptions,
    transport: Parameters<Client["connect"]>[0],
    pid: () => number,
  ): Promise<Agent> {
    const { era, elicitation = { form: {} }, name = "tester" } = options;
    const client = new Client(
      { name, version: "1" },
      {
        capabilities: elicitation === "none" ? {} : { elicitation },
        ...(era === "modern" ? { versionNegotiation: { mode: "auto" as const } } : {}),
      },
    );
    const agent = new Agent(client, pid);
    if (elicitation !== "none" && "form" in elicitation) {
      client.setRequestHandler("elicitation/create", async ({ params }) => {
        const shown = params as { message: string; requestedSchema?: { properties?: object } };
        agent.heard += JSON.stringify(params);
        const { decision } = (shown.requestedSchema?.properties ?? {}) as { decision?: { enum?: string[] } };
        const question = {
          message: shown.message,
          choices: decision?.enum ?? [],
          requestedSchema: shown.requestedSchema,
        };
        agent.asked.push(question);
        return (await agent.answer(question)) as { action: "decline" };
      });
    }
    await within(20_000, client.connect(transport), "the connection to janee");
    return agent;
  }

  /** A `janee mcp` of its own. */
  static stdio(home: Home, options: AgentOptions): Promise<Agent> {
    const [command = "", ...before] = janeeCommand();
    const transport = new StdioClientTransport({
      command,
      args: [...before, "mcp", ...(options.arguments ?? [])],
      env: home.environment(options.env),
      cwd: home.beside,
      stderr: "pipe",
    });
    transport.stderr?.on("data", (bytes: Buffer) => {
      home.printed += bytes.toString("utf8");
    });
    return Agent.#connect(options, transport, () => transport.pid ?? 0);
  }

  static http(port: number, token: string, options: AgentOptions): Promise<Agent> {
    const headers = { Authorization: `Bearer ${token}` };
    const url = new URL(`http://127.0.0.1:${port}/mcp`);
    const transport = new StreamableHTTPClientTransport(url, { requestInit: { headers } });
    return Agent.#connect(options, transport as Parameters<Client["connect"]>[0], () => 0);
  }

  get pid(): number {
    return this.#pid();
  }

  async call(
    name: string,
    input: Readonly<Record<string, unknown>> = {},
    options: { readonly signal?: AbortSignal; readonly onprogress?: (at: { progress: number }) => void } = {},
  ): Promise<Told> {
    try {
      const work = this.client.callTool({ name, arguments: { ...input } }, { timeout: 60_000, ...options });
      const result = await within(40_000, work, `the answer to ${name}`);
      const content = (result.structuredContent ?? {}) as Record<string, unknown>;
      const text = JSON.stringify(result);
      this.heard += text;
      return { isError: result.isError === true, content, code: String(content.code ?? ""), text };
    } catch (error) {
      if (error instanceof Overdue) throw error;
      const { code, message } = error as { code?: unknown; message?: string };
      const text = String(message);
      this.heard += text;
      return { isError: true, content: {}, code: `protocol ${String(code)}`, text };
    }
  }

  execute(capability: string, path: string, more: Readonly<Record<string, unknown>> = {}): Promise<Told> {
    return this.call("execute", { capability, method: "GET", path, ...more });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await within(10_000, this.client.close(), "the end of the client").catch(() => {});
  }
}

/** `200`, or the code of the refusal. */
export function verdict({ isError, content, code }: Told): string {
  return isError ? code : String(content.status ?? "ok");
}

export interface Message {
  readonly jsonrpc?: string;
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: number; readonly message: string };
}

/** `janee mcp` with its bare stdin and stdout. */
export class Lines {
  readonly #child: ChildProcess;
  #rest = "";
  readonly messages: Message[] = [];
  /** Lines on stdout that are no JSON object. */
  readonly strange: string[] = [];
  stderr = "";
  ended = false;
  status: number | null = null;

  constructor(
    home: Home,
    options: { readonly arguments?: readonly string[]; readonly silent?: boolean } = {},
  ) {
    const [command = "", ...before] = janeeCommand();
    this.#child = spawn(command, [...before, "mcp", ...(options.arguments ?? [])], {
      cwd: home.beside,
      env: home.environment(),
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child.stdin?.on("error", () => {});
    this.#child.stderr?.on("data", (bytes: Buffer) => {
      this.stderr += bytes.toString("utf8");
    });
    this.#child.on("exit", (status) => {
      this.ended = true;
      this.status = status;
    });
    if (!options.silent) this.listen();
  }

  /** Begins to read stdout. Until then, what janee writes stays in the pipe. */
  listen(): void {
    this.#child.stdout?.setEncoding("utf8");
    this.#child.stdout?.on("data", (text: string) => {
      const lines = (this.#rest + text).split("\n");
      this.#rest = lines.pop() ?? "";
      for (const line of lines) this.#take(line);
    });
  }

  #take(line: string): void {
    try {
      const message = JSON.parse(line) as Message;
      if (message.jsonrpc === "2.0") this.messages.push(message);
      else this.strange.push(line);
    } catch {
      this.strange.push(line);
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  write(bytes: string | Buffer): this {
    this.#child.stdin?.write(bytes);
    return this;
  }

  send(message: object): this {
    return this.write(`${JSON.stringify(message)}\n`);
  }

  /** Resolves when the pipe has taken it. */
  flush(bytes: Buffer): Promise<void> {
    return new Promise((done) => {
      this.#child.stdin?.write(bytes, () => done());
    });
  }

  end(): void {
    this.#child.stdin?.end();
  }

  signal(name: NodeJS.Signals): void {
    if (!this.ended) process.kill(this.pid, name);
  }

  /** The greeting of 2025-11-25. */
  async initialize(capabilities: object = {}): Promise<Message> {
    this.send({
      jsonrpc: "2.0",
      id: "init",
      method: "initialize",
      params: { protocolVersion: "2025-11-25", capabilities, clientInfo: { name: "raw", version: "1" } },
    });
    const answer = await this.answer("init", 20_000);
    this.send({ jsonrpc: "2.0", method: "notifications/initialized" });
    return answer;
  }

  call(id: string | number, name: string, input: object): this {
    return this.send({ jsonrpc: "2.0", id, method: "tools/call", params: { name, arguments: input } });
  }

  answer(id: string | number, milliseconds = 10_000): Promise<Message> {
    return until(milliseconds, `the answer to ${id}`, () =>
      this.messages.find((message) => message.id === id && message.method === undefined),
    );
  }

  /** The next message that nobody has looked at yet. */
  async next(milliseconds = 10_000): Promise<Message> {
    const message = await until(milliseconds, "a message", () => this.messages[0]);
    this.messages.shift();
    return message;
  }

  untilEnded(milliseconds: number): Promise<true> {
    return until(milliseconds, "the end of janee mcp", () => this.ended);
  }

  async dispose(): Promise<void> {
    if (this.ended) return;
    process.kill(this.pid, "SIGKILL");
    await this.untilEnded(5_000);
  }
}

/** 0 where the system does not say. */
export function residentMebibytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
