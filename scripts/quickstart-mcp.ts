// The MCP act of the quickstart: a real client in the place of an agent's, and a person who is asked through it.
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

export interface Stage {
  readonly janee: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly say: (text: string) => void;
  readonly expect: (claim: string, holds: boolean) => void;
}

interface Answer {
  readonly status?: number;
  readonly body?: string;
  readonly code?: string;
}

export async function mcpAct({ janee, environment, say, expect }: Stage, key: string): Promise<void> {
  const answers = ["once", "deny"];
  let asked = 0;
  const client = new Client(
    { name: "quickstart", version: "1" },
    { capabilities: { elicitation: { form: {} } } },
  );
  client.setRequestHandler("elicitation/create", async ({ params }) => {
    say(`   ┌ ${params.message.replaceAll("\n", "\n   │ ")}`);
    const decision = answers[asked] ?? "deny";
    asked += 1;
    say(`   └ the person answers: ${decision}`);
    return { action: "accept" as const, content: { decision } };
  });
  const call = async (args: Record<string, unknown>): Promise<Answer> => {
    say(`\n> execute ${JSON.stringify(args)}`);
    const { structuredContent } = await client.callTool({ name: "execute", arguments: args });
    say(`   ${JSON.stringify(structuredContent)}`);
    return structuredContent as Answer;
  };
  say("\n$ janee mcp   # started by the client, from its config");
  await client.connect(new StdioClientTransport({ command: janee, args: ["mcp"], env: { ...environment } }));
  try {
    const read = await call({ capability: "shop", method: "GET", path: "/v1/echo" });
    expect(
      "the tool call went through, and the echo was scrubbed",
      read.status === 200 && !read.body?.includes(key),
    );
    const order = { capability: "shop", method: "POST", path: "/v1/orders", body: { item: "tea" } };
    expect("after a yes it was sent", (await call(order)).status === 200);
    const declined = await call({ ...order, body: { item: "gold" } });
    expect("after a no it was not", declined.code === "approval_declined");
    await call({ ...order, body: { item: "gold" } });
    expect("and the person is not asked again", asked === 2);
  } finally {
    await client.close();
  }
}
