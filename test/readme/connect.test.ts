import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { renderStanza } from "../../src/commands/clients/merge.ts";
import { clients } from "../../src/engine/clients.ts";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");

test("the README shows the stanza for Claude Desktop as janee prints it", () => {
  const client = clients["claude-desktop"];
  assert.ok(client);
  const text = renderStanza(client, client.stdio({ command: "/usr/local/bin/janee", args: ["mcp"] }));
  assert.ok(readme.includes(`\`\`\`json\n${text.trimEnd()}\n\`\`\``), text);
});

test("the README names every client, and whether it has an HTTP form", () => {
  for (const [name, { title, http, page }] of Object.entries(clients)) {
    const row = readme.split("\n").find((line) => line.startsWith("|") && line.includes(`\`${name}\``));
    assert.ok(row?.includes(title) && row.includes(page), `${name} in the table of clients`);
    assert.equal(/\| no +\|/.test(row ?? ""), typeof http === "string", `${name}: HTTP`);
  }
});
