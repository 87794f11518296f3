// The README's table of credential schemes, from the code that reads, asks for and uses them.
import { flagOf } from "../../src/commands/made-flags.ts";
import { isSecret } from "../../src/engine/config-made.ts";
import { fixedSchemes, madeSchemes } from "../../src/engine/credential/index.ts";
import type { AuthField } from "../../src/engine/credential/scheme.ts";

export function schemesTable(): string {
  const fixed = fixedSchemes.map(({ type, title, page, forms }) => {
    return row(type, title, page, forms.map((form) => `\`${form}\``).join(" or "));
  });
  const made = madeSchemes.map(({ type, title, page, fields }) =>
    row(
      ...([type, title, page] as const),
      fields
        .filter((field) => field.renewed !== "alone")
        .map(fieldText)
        .join("; "),
    ),
  );
  const head = [
    "| `auth.type` | what it is | keys of `auth`, and the flag of `janee add` where it differs |",
    "| --- | --- | --- |",
  ];
  return [...head, ...fixed, ...made].join("\n");
}

function row(type: string, title: string, page: string, keys: string): string {
  return `| \`${type}\` | [${title}](${page}) | ${keys} |`;
}

function fieldText(field: AuthField): string {
  const marks = [isSecret(field) ? "secret" : "", field.required ? "" : "optional"].filter(
    (mark) => mark !== "",
  );
  const flag = flagOf(field) === field.name ? "" : ` (\`--${flagOf(field)}\`)`;
  const note = marks.length === 0 ? "" : `, ${marks.join(", ")}`;
  return `\`${field.name}\`${flag}: ${field.expected}${note}`;
}
