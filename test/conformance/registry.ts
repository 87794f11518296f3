// What the conformance suite calls by name: tools, resources and prompts that janee has not, and need not have. They
// stand where janee's own tools stand, so that what lies around those is asked the rest of the protocol too.
import {
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  type ContentBlock,
  createRequestStateCodec,
  type ElicitRequestFormParams,
  type GetPromptResult,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  type ReadResourceResult,
  ResourceNotFoundError,
  Server,
  type ServerContext,
  type Tool,
} from "@modelcontextprotocol/server";
import { pause } from "../support/wait.ts";

type Form = ElicitRequestFormParams["requestedSchema"];
type Answered<Result> = Result | InputRequiredResult;
type Arguments = Readonly<Record<string, unknown>>;

interface FixtureTool {
  readonly inputSchema?: Tool["inputSchema"];
  readonly call: (context: ServerContext, given: Arguments) => Promise<Answered<CallToolResult>>;
}

interface FixturePrompt {
  readonly arguments: readonly string[];
  readonly get: (context: ServerContext, given: Arguments) => Answered<GetPromptResult>;
}

const stepMs = 50;
const png =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==";
const wav = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";

const states = createRequestStateCodec<{ readonly round: number }>({
  key: crypto.getRandomValues(new Uint8Array(32)),
  ttlSeconds: 60,
});

const image: ContentBlock = { type: "image", data: png, mimeType: "image/png" };
const text = (words: string): ContentBlock => ({ type: "text", text: words });
const said = (words: string): CallToolResult => ({ content: [text(words)] });
const embedded = (uri: string, mimeType: string, words: string): ContentBlock => ({
  type: "resource",
  resource: { uri, mimeType, text: words },
});
const always = (...content: ContentBlock[]): FixtureTool => ({ call: async () => ({ content }) });

const oneField = (name: string, type: "string" | "boolean"): Form => ({
  type: "object",
  properties: { [name]: type === "string" ? { type } : { type } },
  required: [name],
});
const ask = (message: string, requestedSchema: Form) => inputRequired.elicit({ message, requestedSchema });
const sample = (words: string) =>
  inputRequired.createMessage({
    messages: [{ role: "user", content: { type: "text", text: words } }],
    maxTokens: 100,
  });

/** What a person answered with "accept"; undefined where there is no such answer yet. */
function accepted({ mcpReq }: ServerContext, key: string): Arguments | undefined {
  const answer = inputResponse(mcpReq.inputResponses, key);
  return answer.kind === "elicit" && answer.action === "accept" ? answer.content : undefined;
}

function declares({ mcpReq }: ServerContext, capability: string): boolean {
  const envelope = mcpReq.envelope as Readonly<Record<string, unknown>> | undefined;
  const declared = envelope?.[CLIENT_CAPABILITIES_META_KEY];
  return typeof declared === "object" && declared !== null && capability in declared;
}

/** Puts a form to a client of 2025, and says what came back. */
function form(begin: string, message: string | undefined, requestedSchema: Form): FixtureTool {
  return {
    call: async ({ mcpReq }, given) => {
      const words = message ?? String(given.message);
      const { action, content } = await mcpReq.elicitInput({ mode: "form", message: words, requestedSchema });
      return said(`${begin}action=${action}, content=${JSON.stringify(content ?? {})}`);
    },
  };
}

const named = ["First", "Second", "Third"];
const options = ["option1", "option2", "option3"];
const titled = (word: string) =>
  named.map((name, index) => ({ const: `value${index + 1}`, title: `${name} ${word}` }));

const tools: Readonly<Record<string, FixtureTool>> = {
  test_simple_text: always(text("This is a simple text response for testing.")),
  test_image_content: always(image),
  test_audio_content: always({ type: "audio", data: wav, mimeType: "audio/wav" }),
  test_embedded_resource: always(
    embedded("test://embedded-resource", "text/plain", "This is an embedded resource content."),
  ),
  test_multiple_content_types: always(
    text("Multiple content types test:"),
    image,
    embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
  ),
  test_error_handling: {
    call: async () => ({ ...said("This tool intentionally returns an error for testing"), isError: true }),
  },
  test_tool_with_logging: {
    call: async ({ mcpReq }) => {
      for (const words of ["Tool execution started", "Tool processing data", "Tool execution completed"]) {
        await mcpReq.log("info", words);
        await pause(stepMs);
      }
      return said("logged");
    },
  },
  test_logging_tool: {
    call: async ({ mcpReq }) => {
      await mcpReq.log("info", "only for those who asked for it");
      return said("logged");
    },
  },
  test_tool_with_progress: {
    call: async ({ mcpReq }) => {
      const progressToken = mcpReq._meta?.progressToken;
      for (const progress of [0, 50, 100]) {
        if (progressToken !== undefined) {
          const params = { progressToken, progress, total: 100 };
          await mcpReq.notify({ method: "notifications/progress", params });
        }
        await pause(stepMs);
      }
      return said("done");
    },
  },
  test_sampling: {
    inputSchema: { type: "object", properties: { prompt: { type: "string" } }, required: ["prompt"] },
    call: async ({ mcpReq }, given) => {
      const { content } = await mcpReq.requestSampling({
        messages: [{ role: "user", content: { type: "text", text: String(given.prompt) } }],
        maxTokens: 100,
      });
      return said(`LLM response: ${JSON.stringify(content)}`);
    },
  },
  test_elicitation: {
    ...form("User response: ", undefined, {
      type: "object",
      properties: {
        username: { type: "string", description: "User's response" },
        email: { type: "string", description: "User's email address" },
      },
      required: ["username", "email"],
    }),
    inputSchema: { type: "object", properties: { message: { type: "string" } }, required: ["message"] },
  },
  test_elicitation_sep1034_defaults: form("Elicitation completed: ", "Look these over", {
    type: "object",
    properties: {
      name: { type: "string", default: "John Doe" },
      age: { type: "integer", default: 30 },
      score: { type: "number", default: 95.5 },
      status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
      verified: { type: "boolean", default: true },
    },
    required: [],
  }),
  test_elicitation_sep1330_enums: form("Elicitation completed: ", "Choose", {
    type: "object",
    properties: {
      untitledSingle: { type: "string", enum: options },
      titledSingle: { type: "string", oneOf: titled("Option") },
      legacyEnum: {
        type: "string",
        enum: ["opt1", "opt2", "opt3"],
        enumNames: ["Option One", "Option Two", "Option Three"],
      },
      untitledMulti: { type: "array", items: { type: "string", enum: options } },
      titledMulti: { type: "array", items: { anyOf: titled("Choice") } },
    },
    required: [],
  }),
  json_schema_2020_12_tool: {
    inputSchema: {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      $defs: {
        address: {
          $anchor: "addressDef",
          type: "object",
          properties: { street: { type: "string" }, city: { type: "string" } },
        },
      },
      properties: {
        name: { type: "string" },
        address: { $ref: "#/$defs/address" },
        contactMethod: { type: "string", enum: ["phone", "email"] },
        phone: { type: "string" },
        email: { type: "string" },
      },
      allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
      if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { required: ["phone"] },
      else: { required: ["email"] },
      additionalProperties: false,
    },
    call: async () => said("ok"),
  },
  test_missing_capability: {
    call: async (context) => {
      if (!declares(context, "sampling")) {
        throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { sampling: {} } });
      }
      return said("ok");
    },
  },
  test_streaming_elicitation: {
    call: async (context) =>
      accepted(context, "confirm")
        ? said("confirmed")
        : inputRequired({ inputRequests: { confirm: ask("Go on?", oneField("ok", "boolean")) } }),
  },
  test_input_required_result_elicitation: {
    call: async (context) => {
      const name = accepted(context, "user_name")?.name;
      if (typeof name === "string") return said(`Hello, ${name}!`);
      return inputRequired({
        inputRequests: { user_name: ask("What is your name?", oneField("name", "string")) },
      });
    },
  },
  test_input_required_result_sampling: {
    call: async ({ mcpReq }) => {
      const answer = inputResponse(mcpReq.inputResponses, "capital_question");
      if (answer.kind === "sampling") return said(JSON.stringify(answer.result.content));
      return inputRequired({ inputRequests: { capital_question: sample("What is the capital of France?") } });
    },
  },
  test_input_required_result_list_roots: {
    call: async ({ mcpReq }) => {
      const answer = inputResponse(mcpReq.inputResponses, "client_roots");
      if (answer.kind === "roots") return said(answer.roots.map(({ uri }) => uri).join(" "));
      return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
    },
  },
  test_input_required_result_request_state: {
    call: async (context) => {
      if (accepted(context, "confirm") && context.mcpReq.requestState()) return said("state-ok");
      return inputRequired({
        inputRequests: { confirm: ask("Please confirm", oneField("ok", "boolean")) },
        requestState: await states.mint({ round: 1 }, context),
      });
    },
  },
  test_input_required_result_tampered_state: {
    call: async (context) => {
      if (accepted(context, "confirm") && context.mcpReq.requestState()) return said("untouched");
      return inputRequired({
        inputRequests: { confirm: ask("Please confirm", oneField("ok", "boolean")) },
        requestState: await states.mint({ round: 1 }, context),
      });
    },
  },
  test_input_required_result_multiple_inputs: {
    call: async (context) => {
      const { inputResponses } = context.mcpReq;
      const kinds = ["user_name", "greeting", "client_roots"].map((key) =>
        inputResponse(inputResponses, key),
      );
      if (kinds.every(({ kind }) => kind !== "missing")) return said("all three have come");
      return inputRequired({
        inputRequests: {
          user_name: ask("What is your name?", oneField("name", "string")),
          greeting: sample("Generate a greeting"),
          client_roots: inputRequired.listRoots(),
        },
        requestState: await states.mint({ round: 1 }, context),
      });
    },
  },
  test_input_required_result_multi_round: {
    call: async (context) => {
      const round = context.mcpReq.requestState<{ round: number }>()?.round ?? 0;
      const next = async (key: string, words: string, field: string) =>
        inputRequired({
          inputRequests: { [key]: ask(words, oneField(field, "string")) },
          requestState: await states.mint({ round: round + 1 }, context),
        });
      if (round === 0) return next("step1", "Step 1: What is your name?", "name");
      if (round === 1) return next("step2", "Step 2: What is your favorite color?", "color");
      return said(`The color is ${String(accepted(context, "step2")?.color)}`);
    },
  },
  test_input_required_result_capabilities: {
    call: async (context) => {
      const inputRequests = {
        ...(declares(context, "sampling") ? { sampled: sample("Say hello") } : {}),
        ...(declares(context, "elicitation") ? { asked: ask("Go on?", oneField("ok", "boolean")) } : {}),
      };
      return inputRequired({ inputRequests });
    },
  },
};

const spoken = (...content: ContentBlock[]): GetPromptResult => ({
  messages: content.map((one) => ({ role: "user", content: one })),
});

const prompts: Readonly<Record<string, FixturePrompt>> = {
  test_simple_prompt: {
    arguments: [],
    get: () => spoken(text("This is a simple prompt for testing.")),
  },
  test_prompt_with_arguments: {
    arguments: ["arg1", "arg2"],
    get: (_, { arg1, arg2 }) => spoken(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  },
  test_prompt_with_embedded_resource: {
    arguments: ["resourceUri"],
    get: (_, { resourceUri }) =>
      spoken(
        embedded(String(resourceUri), "text/plain", "Embedded resource content for testing."),
        text("Please process the embedded resource above."),
      ),
  },
  test_prompt_with_image: {
    arguments: [],
    get: () => spoken(image, text("Please analyze the image above.")),
  },
  test_input_required_result_prompt: {
    arguments: [],
    get: (context) => {
      const given = accepted(context, "user_context");
      if (given) return spoken(text(`Context: ${String(given.context)}`));
      return inputRequired({
        inputRequests: {
          user_context: ask("What context should the prompt use?", oneField("context", "string")),
        },
      });
    },
  },
};

const resources = [
  { uri: "test://static-text", name: "static-text", description: "A text", mimeType: "text/plain" },
  { uri: "test://static-binary", name: "static-binary", description: "An image", mimeType: "image/png" },
  { uri: "test://watched-resource", name: "watched-resource", description: "A text", mimeType: "text/plain" },
];

function readResource(uri: string): ReadResourceResult {
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
  if (id !== undefined) {
    const data = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` });
    return { contents: [{ uri, mimeType: "application/json", text: data }] };
  }
  if (uri === "test://static-binary") return { contents: [{ uri, mimeType: "image/png", blob: png }] };
  if (!resources.some((one) => one.uri === uri)) throw new ResourceNotFoundError(uri);
  return {
    contents: [{ uri, mimeType: "text/plain", text: "This is the content of the static text resource." }],
  };
}

export function makeFixtureServer(): Server {
  const server = new Server(
    { name: "janee-conformance", version: "0" },
    {
      capabilities: {
        tools: {},
        prompts: {},
        completions: {},
        logging: {},
        resources: { subscribe: true },
      },
      requestState: { verify: (state, context) => states.verify(state, context) },
      inputRequired: { legacyShim: false },
    },
  );
  server.setRequestHandler("tools/list", () => ({
    tools: Object.entries(tools).map(([name, { inputSchema }]) => ({
      name,
      description: "For the conformance suite",
      inputSchema: inputSchema ?? { type: "object" },
    })),
  }));
  server.setRequestHandler("tools/call", async ({ params }, context) => {
    const tool = Object.hasOwn(tools, params.name) ? tools[params.name] : undefined;
    if (!tool) throw new ProtocolError(ProtocolErrorCode.InvalidParams, "there is no such tool");
    return tool.call(context, params.arguments ?? {});
  });
  server.setRequestHandler("prompts/list", () => ({
    prompts: Object.entries(prompts).map(([name, prompt]) => ({
      name,
      description: "For the conformance suite",
      arguments: prompt.arguments.map((one) => ({ name: one, description: one, required: true })),
    })),
  }));
  server.setRequestHandler("prompts/get", ({ params }, context) => {
    const prompt = Object.hasOwn(prompts, params.name) ? prompts[params.name] : undefined;
    if (!prompt) throw new ProtocolError(ProtocolErrorCode.InvalidParams, "there is no such prompt");
    return prompt.get(context, params.arguments ?? {});
  });
  server.setRequestHandler("completion/complete", () => ({
    completion: { values: ["paris", "park", "party"], total: 3, hasMore: false },
  }));
  server.setRequestHandler("resources/list", () => ({ resources }));
  server.setRequestHandler("resources/templates/list", () => ({
    resourceTemplates: [
      { uriTemplate: "test://template/{id}/data", name: "template", mimeType: "application/json" },
    ],
  }));
  server.setRequestHandler("resources/read", ({ params }) => readResource(params.uri));
  server.setRequestHandler("resources/subscribe", () => ({}));
  server.setRequestHandler("resources/unsubscribe", () => ({}));
  return server;
}
