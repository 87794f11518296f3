// The licences of everything in this executable; scripts/compile.ts puts them in, as the bundler saw the parts.
import type { Command } from "./command.ts";

interface Part {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly text: string;
}

declare const JANEE_LICENSES: readonly Part[] | undefined;

const fromSource = "janee is under the MIT licence: LICENSE; its packages carry theirs in node_modules";

function shown({ name, version, license, text }: Part): string {
  return `## ${name} ${version}: ${license}\n\n${text}\n`;
}

export const command: Command = {
  usage: "",
  flags: {},
  positionals: { least: 0, most: 0 },
  async run(_args, talk) {
    const parts = typeof JANEE_LICENSES === "undefined" ? [] : JANEE_LICENSES;
    if (talk.json) talk.printJson(parts);
    else talk.print(parts.length === 0 ? fromSource : parts.map(shown).join("\n"));
    return 0;
  },
};
