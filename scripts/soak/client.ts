// The official MCP client, with a person behind it who says yes.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import type { Environment } from "../../bench/box.ts";
import { binary } from "../../bench/home.ts";

const answersWithinMs = 120_000;

export type Told = Readonly<Record<string, unknown>>;

export class SoakClient {
  readonly #client: Client;
  readonly #pid: () => number;

  private constructor(client: Client, pid: () => number) {
    this.#client = client;
    this.#pid = pid;
  }

  /** With a `janee mcp` of its own. */
  static async stdio(environment: Environment): Promise<SoakClient> {
    const transport = new StdioClientTransport({
      ...{ command: binary(), args: ["mcp"], env: { ...environment }, stderr: "ignore" },
    });
    const client = new Client(
      { name: "soak", version: "1" },
      { capabilities: { elicitation: { form: {} } } },
    );
    client.setRequestHandler("elicitation/create", async ({ params }) => {
      const { requestedSchema } = params as {
        requestedSchema?: { properties?: { decision?: { enum?: string[] } } };
      };
      return {
        action: "accept",
        content: { decision: requestedSchema?.properties?.decision?.enum?.[0] ?? "" },
      };
    });
    await client.connect(transport);
    return new SoakClient(client, () => transport.pid ?? 0);
  }

  static async http(port: number, token: string): Promise<SoakClient> {
    const transport = new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}/mcp`), {
      requestInit: { headers: { Authorization: `Bearer ${token}` } },
    });
    const client = new Client({ name: "soak", version: "1" });
    await client.connect(transport as Parameters<Client["connect"]>[0]);
    return new SoakClient(client, () => 0);
  }

  get pid(): number {
    return this.#pid();
  }

  /** What the tool answered, a refusal too. */
  async call(name: string, input: Told): Promise<Told> {
    const answer = await this.#client.callTool(
      { name, arguments: { ...input } },
      { timeout: answersWithinMs },
    );
    return (answer.structuredContent ?? {}) as Told;
  }

  exec(capability: string, command: readonly string[]): Promise<Told> {
    return this.call("exec", { capability, command });
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}
