// What a user would write in an afternoon, on Node and the official SDK v1: three tools, a header and a fetch.
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";

const [upstream, key] = process.argv.slice(2);
const server = new McpServer({ name: "plain", version: "1.0.0" });

server.registerTool("list_services", { description: "The services there are" }, () => said(["bench"]));

server.registerTool(
  "describe_service",
  { description: "One service", inputSchema: { service: z.string() } },
  ({ service }) => said({ service, baseUrl: `http://127.0.0.1:${upstream}` }),
);

server.registerTool(
  "execute",
  {
    description: "Sends one HTTP request to a service",
    inputSchema: {
      capability: z.string(),
      method: z.string(),
      path: z.string(),
      headers: z.record(z.string(), z.string()).optional(),
      body: z.string().optional(),
    },
  },
  async ({ method, path, headers, body }) => {
    const answer = await fetch(`http://127.0.0.1:${upstream}${path}`, {
      method,
      headers: { ...headers, authorization: `Bearer ${key}` },
      body,
    });
    return said({ status: answer.status, body: await answer.text() });
  },
);

function said(value) {
  return { content: [{ type: "text", text: JSON.stringify(value) }] };
}

await server.connect(new StdioServerTransport());
