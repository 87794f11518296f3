import type { Listed } from "../engine/services/index.ts";
import { describeAuth, laterScheme } from "../engine/services/later.ts";
import { describeShape } from "../engine/services/shape.ts";
import { columns } from "./columns.ts";
import type { Command } from "./command.ts";

export const command: Command = {
  usage: "[text]",
  flags: {},
  positionals: { least: 0, most: 1 },
  notes: [
    "The text may be in a name, a title, a variable, a URL or a field of work. --json has all that is known.",
  ],
  async run(args, talk) {
    const { knownServices } = await import("../engine/services/index.ts");
    const text = (args.positionals[0] ?? "").toLowerCase();
    const found = [...knownServices.values()].filter((service) => haystack(service).includes(text));
    if (talk.json) {
      talk.printJson(found.map((service) => ({ ...service, available: !laterScheme(service.auth) })));
    } else if (found.length === 0) {
      talk.say("janee knows no such service");
      talk.say(
        "  → it can be added all the same: janee add NAME --base-url https://… --key-stdin; janee search alone lists the known ones",
      );
    } else if (found.length <= 3) {
      talk.print(found.map(inFull).join("\n\n"));
    } else {
      talk.print(columns(found.map(inShort)));
    }
    return 0;
  },
};

function haystack({ name, title, field, baseUrl, variables }: Listed): string {
  return [name, title, field, baseUrl, ...variables].join("\n").toLowerCase();
}

function inShort({ name, title, auth, policies, keyPage }: Listed): string[] {
  return [name, title, describeAuth(auth), Object.keys(policies).join(" "), keyPage];
}

function inFull(service: Listed): string {
  const { name, title, field, baseUrl, ownHost, auth, key, keyPage, docs, source, variables, policies } =
    service;
  const rows = [
    ["field", field],
    ["base URL", ownHost ? `yours, such as ${baseUrl}` : baseUrl],
    ["auth", describeAuth(auth)],
    ["get a key", keyPage],
    ...(key ? [["a key is", describeShape(key)]] : []),
    ["docs", docs],
    ["seen in", source],
    ...(variables.length > 0 ? [["variables", variables.join(", ")]] : []),
  ];
  const rules = Object.entries(policies).map(
    ([policy, texts]) => `  --policy ${policy}\n${texts.map((text) => `    ${text}`).join("\n")}`,
  );
  return [`${name}  ${title}`, columns(rows, "  "), ...rules].join("\n");
}
