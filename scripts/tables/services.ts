// The tables of known services, one a field of work, from the directory.
import { fields } from "../../src/engine/services/index.ts";
import { describeAuth } from "../../src/engine/services/later.ts";

const head = ["name", "service", "base URL", "auth", "policies", "seen in"];

export function servicesTables(): string {
  const tables = fields.map(({ field, services }) => {
    const rows = services.map(({ name, title, docs, baseUrl, ownHost, auth, policies, source }) => [
      `\`${name}\``,
      `[${title}](${docs})`,
      ownHost ? `yours, such as \`${baseUrl}\`` : `\`${baseUrl}\``,
      describeAuth(auth),
      Object.keys(policies).join(", "),
      `[${new URL(source).hostname}](${source})`,
    ]);
    return `## ${field[0]?.toUpperCase()}${field.slice(1)}\n\n${table([head, ...rows])}`;
  });
  return tables.join("\n\n");
}

function table([first = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(first), line(first.map(() => "---")), ...rows.map(line)].join("\n");
}
