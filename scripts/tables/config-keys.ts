// docs/config.md: every key of config.yaml, from the schema that editors use and a test holds to the reader.
import { configSchema } from "../../src/engine/config-schema.ts";

interface Node {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly description?: string;
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Node | boolean;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly items?: Node;
}

export function configKeys(): string {
  const root = configSchema() as Node;
  const rows = Object.entries(root.properties ?? {}).flatMap(([name, node]) => keysBelow(name, node));
  return ["| key | what stands there |", "| --- | --- |", ...rows].join("\n");
}

/** `name.*` is whatever name the file's author chooses. */
function keysBelow(path: string, node: Node): string[] {
  const map = [node, ...(node.anyOf ?? [])].find(
    (one) => one.properties || typeof one.additionalProperties === "object",
  );
  if (!map) return [row(path, node)];
  const named =
    typeof map.additionalProperties === "object" ? keysBelow(`${path}.*`, map.additionalProperties) : [];
  const own = Object.entries(map.properties ?? {}).flatMap(([name, below]) => {
    const need = map.required?.includes(name)
      ? { ...below, description: `${textOf(below)} (required)` }
      : below;
    return name === "auth"
      ? [row(`${path}.auth`, { description: below.description ?? "see the table of schemes in the README" })]
      : keysBelow(`${path}.${name}`, need);
  });
  return [...own, ...(map.properties ? [] : named.length > 0 && !isLeaf(map) ? named : [row(path, node)])];
}

function isLeaf({ additionalProperties }: Node): boolean {
  return (
    typeof additionalProperties === "object" &&
    !additionalProperties.properties &&
    !additionalProperties.anyOf
  );
}

function row(path: string, node: Node): string {
  return `| \`${path}\` | ${textOf(node).replaceAll("|", "\\|")} |`;
}

function textOf(node: Node): string {
  const parts = [node.description ?? kindOf(node)];
  if (node.default !== undefined) parts.push(`default \`${String(node.default)}\``);
  return parts.join("; ");
}

function kindOf(node: Node): string {
  if (node.enum) return `one of ${node.enum.map((one) => `\`${String(one)}\``).join(", ")}`;
  if (node.anyOf) return node.anyOf.map((one) => textOf(one)).join(", or ");
  if (node.type === "array") return `a list: ${node.items ? textOf(node.items) : "texts"}`;
  if (node.type === "boolean") return "true or false";
  return node.pattern ? `text that matches \`${node.pattern}\`` : "text";
}
