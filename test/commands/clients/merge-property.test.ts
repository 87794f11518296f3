// Whatever else stands in a client's file: janee's stanza goes in, is changed and comes back, and nothing else moves.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { stringify as stringifyToml } from "smol-toml";
import { stringify as stringifyYaml } from "yaml";
import { mergeStanza } from "../../../src/commands/clients/merge.ts";
import { type Client, clients } from "../../../src/engine/clients.ts";
import { Failure } from "../../../src/engine/failure.ts";
import type { Stanza } from "../../../src/engine/stanza.ts";

const limit = { timeout: 60_000 };
const ours = new Set([
  "__proto__",
  "janee",
  "servers",
  ...Object.values(clients).flatMap(({ servers }) => servers),
]);

const key = fc
  .oneof(
    fc.string({ minLength: 1, unit: "grapheme" }),
    fc.constantFrom("a b", "#", '"', "env", "args", "[x]"),
  )
  .filter((name) => !ours.has(name));
const nasty = fc.constantFrom(
  "# no",
  "// no",
  "/* x */",
  "]",
  "[mcp_servers.janee]",
  "'''",
  '"""',
  "- x",
  "a: b",
  "|",
  "\n x\n",
);
const leaf = fc.oneof(fc.string({ unit: "grapheme" }), nasty, fc.integer(), fc.boolean());
const table = fc.dictionary(
  key,
  fc.oneof(leaf, fc.array(leaf, { maxLength: 3 }), fc.dictionary(key, leaf, { maxKeys: 3 })),
  { maxKeys: 4 },
);
const file = fc.record({
  other: table,
  servers: fc.option(fc.dictionary(key, table, { maxKeys: 3 }), { nil: undefined }),
  last: fc.boolean(),
  indent: fc.constantFrom(0, 2, 4, "\t"),
  crlf: fc.boolean(),
});

function written(
  client: Client,
  { other, servers, last, indent, crlf }: typeof file extends fc.Arbitrary<infer T> ? T : never,
): string {
  const own = servers === undefined ? {} : { [client.servers[0] ?? ""]: servers };
  const root = last ? { ...other, ...own } : { ...own, ...other };
  if (client.format === "yaml") return stringifyYaml(root, { indent: indent === 4 ? 4 : 2 });
  const text = client.format === "toml" ? stringifyToml(root) : JSON.stringify(root, undefined, indent);
  return crlf ? text.replaceAll("\n", "\r\n") : text;
}

function merged(client: Client, text: string, stanza: Stanza): string {
  const result = mergeStanza(client, text, "/f", stanza);
  assert.ok(!(result instanceof Failure), result instanceof Failure ? `${result.message}\n${text}` : "");
  return result;
}

for (const [name, client] of Object.entries(clients)) {
  test(`${name}: a stanza comes and changes in any file, and everything else stays`, limit, () => {
    const first = client.stdio({ command: "/x", args: ["mcp"] });
    const second = client.stdio({
      command: "/y",
      args: ["mcp", "--agent", "q"],
      environment: { JANEE_HOME: "/h" },
    });
    fc.assert(
      fc.property(file, (given) => {
        const text = written(client, given);
        const once = merged(client, text, first);
        const changed = merged(client, once, second);
        const back = merged(client, changed, first);
        assert.equal(merged(client, back, first), back);
        assert.equal(merged(client, changed, second), changed);
        // In its order and with its layout, but for commas and the space around them.
        const kept = [...text.replace(/[\s,]/g, "")];
        let found = 0;
        for (const character of once.replace(/[\s,]/g, "")) if (character === kept[found]) found += 1;
        const empty = given.servers !== undefined && Object.keys(given.servers).length === 0;
        if (!(empty && client.format === "yaml"))
          assert.ok(found === kept.length || text.trim() === "{}", once);
      }),
      { numRuns: client.format === "yaml" ? 40 : 100 },
    );
  });
}
