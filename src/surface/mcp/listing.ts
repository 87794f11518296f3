// The tools as `tools/list` shows them.
import type { Tool } from "@modelcontextprotocol/server";
import { toJsonSchema } from "@valibot/to-json-schema";
import type { GenericSchema } from "valibot";
import { inputs, type ToolName } from "./arguments.ts";
import { outputs, refusal } from "./results.ts";

type Shown = Pick<Tool, "title" | "description" | "annotations">;

const shown: Readonly<Record<ToolName, Shown>> = {
  list_capabilities: {
    title: "List capabilities",
    description: "What this agent may ask for: services, rules, and whether a person has to approve.",
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
  request_access: {
    title: "Request access",
    description:
      "Opens a time-limited session of a capability, asking a person where one is needed. Asking again returns the same session.",
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  },
  execute: {
    title: "Send a request",
    description:
      "Sends one HTTP request to the service of a capability. janee adds the credential and checks the rules; the answer comes back scrubbed. Do not send credentials.",
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  },
  exec: {
    title: "Run a command",
    description:
      "Runs one command-line tool of a capability in exec mode, with the credential in its environment. Its output comes back scrubbed.",
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  },
  explain: {
    title: "Explain a decision",
    description: "Whether a request would be allowed, and the rule that decides. Sends nothing.",
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
  end_session: {
    title: "End a session",
    description: "Ends a session of this agent that is no longer needed.",
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  },
};

let listed: Tool[] | undefined;

export function listTools(): Tool[] {
  listed ??= (Object.keys(shown) as ToolName[]).map((name) => ({
    name,
    ...shown[name],
    inputSchema: jsonSchema(inputs[name]) as Tool["inputSchema"],
    outputSchema: answerSchema(outputs[name]) as NonNullable<Tool["outputSchema"]>,
  }));
  return listed;
}

/** An answer or a refusal: clients check what comes back against one schema, whichever it is. */
function answerSchema(output: GenericSchema): object {
  return { type: "object", anyOf: [jsonSchema(output), jsonSchema(refusal)] };
}

function jsonSchema(schema: GenericSchema): object {
  const { $schema: _, ...rest } = toJsonSchema(schema);
  return rest;
}
