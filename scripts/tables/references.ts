// The README's table of references, from the table that the config is checked with.
import { referenceForms } from "../../src/engine/reference.ts";

export function referencesTable(): string {
  const rows = Object.values(referenceForms).map(({ form, example, followed, docs }) => {
    const what = docs === undefined ? followed : `${followed} ([docs](${docs}))`;
    return `| \`${form}\` | \`${example}\` | ${what} |`;
  });
  return ["| reference | example | leads to |", "| --- | --- | --- |", ...rows].join("\n");
}
