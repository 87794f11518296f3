// Which tables there are, by file, and where each stands: between `<!-- name -->` and `<!-- /name -->`.
import { clientsTable } from "./clients.ts";
import { configKeys } from "./config-keys.ts";
import { referencesTable } from "./references.ts";
import { schemesTable } from "./schemes.ts";
import { servicesTables } from "./services.ts";

export function tables(): ReadonlyMap<string, ReadonlyMap<string, string>> {
  return new Map([
    [
      "README.md",
      new Map([
        ["schemes", schemesTable()],
        ["references", referencesTable()],
        ["clients", clientsTable()],
      ]),
    ],
    ["docs/config.md", new Map([["keys", configKeys()]])],
    ["docs/services.md", new Map([["services", servicesTables()]])],
  ]);
}

/** The text with each table in its place; one without a place is an error. */
export function withTables(text: string, wanted: ReadonlyMap<string, string>): string {
  let filled = text;
  for (const [name, table] of wanted) {
    const place = new RegExp(`<!-- ${name} -->[\\s\\S]*?<!-- /${name} -->`);
    if (!place.test(filled)) throw new Error(`there is no place for the table "${name}"`);
    filled = filled.replace(place, () => `<!-- ${name} -->\n\n${table}\n\n<!-- /${name} -->`);
  }
  return filled;
}

/** The cells without the blanks that a formatter pads them with. */
export function unpadded(text: string): string {
  return text.replace(/ *\| */g, "|").replace(/\|[-| ]+\|$/gm, (rule) => rule.replace(/-+/g, "-"));
}
