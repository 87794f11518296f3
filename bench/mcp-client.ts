// An MCP client that costs next to nothing: lines of JSON-RPC that were made beforehand, and answers that are looked
// at, not parsed. The same for every server, so that a difference is the server's.
import type { Box, Environment, Started } from "./box.ts";
import { cpuSeconds } from "./box.ts";

export interface McpCommand {
  readonly command: readonly string[];
  readonly env?: Environment;
}

export interface McpRound {
  readonly perSecond: number;
  /** Processor time of the server for one call, microseconds. */
  readonly cpuMicros: number | undefined;
  /** Answers that were not the upstream's. */
  readonly failed: number;
}

const newline = 10;
const patienceMs = 30_000;

const initialize = line({
  id: 0,
  method: "initialize",
  params: {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "bench", version: "1" },
  },
});
const initialized = line({ method: "notifications/initialized" });

/** One `execute`; the plain server takes the same arguments. The id comes last, so that only it is made anew. */
const call = JSON.stringify({
  jsonrpc: "2.0",
  method: "tools/call",
  params: { name: "execute", arguments: { capability: "bench", method: "GET", path: "/v1/items" } },
}).slice(0, -1);
/** Stands in the upstream's answer, whichever way it is quoted. */
const proof = "itm_11abcdefghijk";

export class McpClient {
  readonly pid: number;
  readonly #server: Started;
  #take: (answer: Buffer) => void = () => {};
  #pieces: Buffer[] = [];
  #asked = 0;

  private constructor(box: Box, { command, env = {} }: McpCommand, core: number | undefined) {
    this.#server = box.start(command, {
      env,
      ...(core === undefined ? {} : { core }),
      onOutput: (bytes) => this.#read(bytes),
    });
    this.pid = this.#server.pid;
  }

  /** Starts a server, and says how many milliseconds went by until it had answered `initialize`. */
  static async start(
    box: Box,
    server: McpCommand,
    core?: number,
  ): Promise<{ readonly client: McpClient; readonly ms: number }> {
    const startedAt = performance.now();
    const client = new McpClient(box, server, core);
    const answer = client.#next();
    client.#write(initialize);
    const text = (await answer).toString();
    const ms = performance.now() - startedAt;
    if (!text.includes('"serverInfo"')) throw new Error(`initialize was answered with ${text.slice(0, 200)}`);
    client.#write(initialized);
    return { client, ms };
  }

  /** Keeps `inFlight` calls going for that long. */
  load(seconds: number, inFlight: number): Promise<McpRound> {
    return new Promise((done, failed) => {
      const cpu = cpuSeconds(this.pid);
      const startedAt = performance.now();
      const endsAt = startedAt + seconds * 1000;
      const late = setTimeout(
        () => failed(new Error("the server stopped answering")),
        seconds * 1000 + patienceMs,
      );
      let sent = 0;
      let answered = 0;
      let refused = 0;
      const ask = (): void => {
        sent += 1;
        this.#write(`${call},"id":${sent}}\n`);
      };
      this.#take = (answer) => {
        answered += 1;
        if (!answer.includes(proof)) refused += 1;
        const now = performance.now();
        if (now < endsAt) return ask();
        if (answered < sent) return;
        clearTimeout(late);
        this.#take = () => {};
        const after = cpuSeconds(this.pid);
        const perSecond = (answered * 1000) / (now - startedAt);
        const cpuMicros =
          cpu === undefined || after === undefined ? undefined : ((after - cpu) * 1e6) / answered;
        done({ perSecond, cpuMicros, failed: refused });
      };
      for (let index = 0; index < inFlight; index++) ask();
    });
  }

  /** One call of a tool; the line that answers it. */
  async call(name: string, input: object): Promise<string> {
    const answer = this.#next();
    this.#asked += 1;
    const params = { name, arguments: input };
    this.#write(line({ id: `call-${this.#asked}`, method: "tools/call", params }));
    return (await answer).toString();
  }

  /** The end of stdin is how a client takes its leave. */
  async stop(): Promise<void> {
    this.#server.child.stdin?.end();
    await this.#server.stop();
  }

  #write(text: string): void {
    this.#server.child.stdin?.write(text);
  }

  #next(): Promise<Buffer> {
    return new Promise((done, failed) => {
      const late = setTimeout(() => failed(new Error(`no answer: ${this.#server.output()}`)), patienceMs);
      this.#take = (answer) => {
        clearTimeout(late);
        done(answer);
      };
      void this.#server.ended.then((status) =>
        failed(new Error(`it ended with ${status}: ${this.#server.output()}`)),
      );
    });
  }

  #read(bytes: Buffer): void {
    for (let rest = bytes; ; ) {
      const end = rest.indexOf(newline);
      if (end < 0) {
        if (rest.length > 0) this.#pieces.push(rest);
        return;
      }
      const last = rest.subarray(0, end);
      const answer = this.#pieces.length === 0 ? last : Buffer.concat([...this.#pieces, last]);
      this.#pieces = [];
      rest = rest.subarray(end + 1);
      this.#take(answer);
    }
  }
}

function line(message: object): string {
  return `${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`;
}
