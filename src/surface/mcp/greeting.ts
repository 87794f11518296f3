// The answer to a handshake, in the very bytes that the SDK answers with: it is given before the SDK is there. Of what
// a client may write, only what is plainly right is known here; anything else is the SDK's to judge.
import { capabilities, identity, instructions } from "./identity.ts";

/** Revisions that begin with `initialize`; one that is asked for and served is the one that is spoken. */
export const legacyVersions = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05", "2024-10-07"];
/** Revisions without a handshake: their clients ask what there is by `server/discover`. */
export const modernVersions = ["2026-07-28"];

const meta = "io.modelcontextprotocol/";

export interface Greeting {
  readonly id: string | number;
  readonly answer: object;
}

export function greetingFor(message: unknown, version: string): Greeting | undefined {
  if (isInitialize(message)) {
    const { id, params } = message as { id: Greeting["id"]; params: { protocolVersion: string } };
    const { protocolVersion } = params;
    const result = { protocolVersion, capabilities, serverInfo: identity(version), instructions };
    return { id, answer: { result, jsonrpc: "2.0", id } };
  }
  if (isDiscover(message)) {
    const { id } = message as { id: Greeting["id"] };
    const shown = { supportedVersions: modernVersions, capabilities, instructions };
    const fresh = { resultType: "complete", ttlMs: 0, cacheScope: "private" };
    const result = { ...shown, ...fresh, _meta: { [`${meta}serverInfo`]: identity(version) } };
    return { id, answer: { result, jsonrpc: "2.0", id } };
  }
  return undefined;
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";
const isFlag: Check = (value) => typeof value === "boolean";
const isId: Check = (value) => isText(value) || Number.isSafeInteger(value);
const oneOf = (values: readonly unknown[]): Check => {
  return (value) => values.includes(value);
};
const listOf = (item: Check): Check => {
  return (value) => Array.isArray(value) && value.every(item);
};

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** All that must be there, what may be there, and nothing else. */
function shape(must: Readonly<Record<string, Check>>, may: Readonly<Record<string, Check>> = {}): Check {
  const known = new Map(Object.entries({ ...must, ...may }));
  return (value) =>
    isRecord(value) &&
    Object.keys(must).every((name) => Object.hasOwn(value, name)) &&
    Object.entries(value).every(([name, item]) => known.get(name)?.(item) === true);
}

/** `1e999` is a number in JSON, and infinite. */
const isJson: Check = (value) => {
  if (typeof value === "number") return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isJson);
  return isRecord(value) ? isOpen(value) : true;
};
const isOpen: Check = (value) =>
  isRecord(value) && !Object.hasOwn(value, "__proto__") && Object.values(value).every(isJson);
const isOpenByName: Check = (value) => isOpen(value) && Object.values(value as object).every(isOpen);

const isIcon = shape(
  { src: isText },
  { mimeType: isText, sizes: listOf(isText), theme: oneOf(["light", "dark"]) },
);
const isClientInfo = shape(
  { name: isText, version: isText },
  { title: isText, websiteUrl: isText, description: isText, icons: listOf(isIcon) },
);
const isClientCapabilities = shape(
  {},
  {
    roots: shape({}, { listChanged: isFlag }),
    sampling: shape({}, { context: isOpen, tools: isOpen }),
    elicitation: shape({}, { form: shape({}, { applyDefaults: isFlag }), url: isOpen }),
    experimental: isOpenByName,
    extensions: isOpenByName,
  },
);

const message = { jsonrpc: oneOf(["2.0"]), id: isId };
const isInitialize = shape({
  ...message,
  method: oneOf(["initialize"]),
  params: shape({
    protocolVersion: oneOf(legacyVersions),
    capabilities: isClientCapabilities,
    clientInfo: isClientInfo,
  }),
});
const isDiscover = shape({
  ...message,
  method: oneOf(["server/discover"]),
  params: shape({
    _meta: shape({
      [`${meta}protocolVersion`]: oneOf(modernVersions),
      [`${meta}clientInfo`]: isClientInfo,
      [`${meta}clientCapabilities`]: isClientCapabilities,
    }),
  }),
});
