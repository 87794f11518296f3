// Text in, text out: janee's stanza in a client's file, with everything else as it was.
import type { Client } from "../../engine/clients.ts";
import { Failure } from "../../engine/failure.ts";
import { entryOf, type Stanza, serverName, serversPath, valueAt } from "../../engine/stanza.ts";
import { invalid, top } from "./invalid.ts";
import { mergeJson } from "./merge-json.ts";
import { mergeToml } from "./merge-toml.ts";
import { mergeYaml } from "./merge-yaml.ts";
import { parseClientFile } from "./parse.ts";
import { same, withValue } from "./same.ts";

/** The very same text: there was nothing to do. */
export function mergeStanza(client: Client, text: string, file: string, stanza: Stanza): string | Failure {
  const root = parseClientFile(client.format, withoutMark(text), file);
  if (root instanceof Failure) return root;
  const path = [...serversPath(client, root), serverName];
  const before = valueAt(root, path);
  const entry = entryOf(client, before, stanza);
  if (same(before, entry) && !client.input) return text;
  const task = { text, file, root, path, entry };
  const merged =
    client.format === "toml"
      ? mergeToml(task)
      : client.format === "yaml"
        ? mergeYaml(task)
        : mergeJson(client, task);
  if (merged instanceof Failure || merged === text) return merged;
  // What is written is read again first: it must say what it should, and nothing else may have changed.
  const after = parseClientFile(client.format, withoutMark(merged), file);
  const expected = withInput(client, withValue(root, path, entry), after);
  if (after instanceof Failure || !same(after, expected)) {
    const what =
      "the file is written in a way that janee cannot edit without changing more than its own stanza";
    return invalid(file, what, top, `put it in by hand: janee connect prints it`);
  }
  return merged;
}

/** How the stanza looks in a file that holds nothing else. */
export function renderStanza(client: Client, stanza: Stanza): string {
  const text = mergeStanza(client, "", client.title, stanza);
  if (text instanceof Failure) throw new Error(`no stanza for ${client.title}: ${text.message}`);
  return text;
}

/** The client's list of inputs may have one more, at its end. */
function withInput(client: Client, expected: unknown, after: unknown): unknown {
  const list = client.input && valueAt(after, [client.input.list]);
  if (!client.input || !Array.isArray(list) || !same(list.at(-1), client.input.entry)) return expected;
  const before = valueAt(expected, [client.input.list]);
  const known: readonly unknown[] = Array.isArray(before) ? before : [];
  const added = known.length + 1 === list.length;
  return added ? withValue(expected, [client.input.list], [...known, client.input.entry]) : expected;
}

function withoutMark(text: string): string {
  return text.replace(/^\uFEFF/, "");
}
