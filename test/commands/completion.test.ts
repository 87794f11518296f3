// The words that janee offers to a shell, and a shell that asks for them.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { positionals } from "../../src/commands/completion.ts";
import { commandNames, everyCommand } from "../../src/commands/index.ts";
import { type Home, inHome, janeeCommand } from "../support/janee.ts";

const limit = { timeout: 60_000 };
const config = `services:
  stripe: { baseUrl: "https://api.stripe.example", auth: { type: bearer, key: env:KEY } }
capabilities:
  stripe-readonly: { service: stripe }
  stripe-refunds: { service: stripe }
`;

async function offered(home: Home, ...words: string[]): Promise<string[]> {
  const { stdout } = await home.do(["completion", "--words", "--", ...words]);
  return stdout.split("\n").filter((word) => word !== "");
}

test("commands, flags, names out of the config and words of a command are offered", limit, () =>
  inHome(async (home) => {
    assert.deepEqual(
      await offered(home, "grant", ""),
      [],
      "without a home there is nothing to offer, and no error",
    );
    home.writeConfig(config);
    assert.deepEqual(await offered(home, "gra"), ["grant"]);
    assert.ok((await offered(home, "")).length > 20);
    assert.deepEqual(await offered(home, "grant", ""), ["stripe-readonly", "stripe-refunds"]);
    assert.deepEqual(await offered(home, "grant", "stripe-ref"), ["stripe-refunds"]);
    assert.deepEqual(await offered(home, "grant", "--tt"), ["--ttl"]);
    assert.deepEqual(await offered(home, "grant", "--ttl", "1h", "stripe-ref"), ["stripe-refunds"]);
    assert.deepEqual(await offered(home, "grant", "--ttl", ""), []);
    assert.deepEqual(await offered(home, "revoke", "--capability", "stripe-rea"), ["stripe-readonly"]);
    assert.deepEqual(await offered(home, "set", ""), ["stripe"]);
    assert.deepEqual(await offered(home, "rm", "stripe-re"), ["stripe-readonly", "stripe-refunds"]);
    assert.deepEqual(await offered(home, "why", "stripe-readonly", "PU"), ["PUT"]);
    assert.deepEqual(await offered(home, "agent", ""), ["add", "list", "rm"]);
    assert.deepEqual(await offered(home, "exec", "stripe", "--", "l"), []);
    assert.deepEqual(await offered(home, "nonsense", ""), []);
  }),
);

test("a config that does not parse is nobody's error while a word is typed", limit, () =>
  inHome(async (home) => {
    home.writeConfig("services: [");
    assert.deepEqual(await offered(home, "set", ""), []);
    assert.deepEqual(await offered(home, "se"), ["search", "serve", "sessions", "set"]);
  }),
);

test("a config in a layout of its own is completed as well", limit, () =>
  inHome(async (home) => {
    const auth = "auth: { type: bearer, key: env:KEY }";
    home.writeConfig(
      `{ services: { "stripe": { baseUrl: "https://s.example", ${auth} } }, capabilities: { refunds: { service: stripe } } }`,
    );
    assert.deepEqual(await offered(home, "grant", ""), ["refunds"]);
    assert.deepEqual(await offered(home, "rm", ""), ["refunds", "stripe"]);
  }),
);

test("each command that takes a name or a word says which", async () => {
  const free = ["approve", "deny", "revoke", "search", "test", "run", "mcp"];
  for (const { name, command } of await everyCommand()) {
    if (command.positionals.most === 0 || free.includes(name)) continue;
    assert.ok(Object.hasOwn(positionals, name), `completion knows nothing of what follows "${name}"`);
  }
  for (const name of ["test", "set"]) assert.ok(commandNames.includes(name));
});

test("bash gets them by the script", limit, () =>
  inHome(async (home) => {
    home.writeConfig(config);
    const folder = join(home.beside, "bin");
    mkdirSync(folder);
    const words = janeeCommand().map((word) => `'${word}'`);
    writeFileSync(join(folder, "janee"), `#!/bin/sh\nexec ${words.join(" ")} "$@"\n`);
    chmodSync(join(folder, "janee"), 0o755);
    const { stdout: script } = await home.do(["completion", "bash"]);
    const complete = (...line: string[]): string => {
      const quoted = line.map((word) => `'${word}'`).join(" ");
      const code = `${script}\nCOMP_WORDS=(${quoted}); COMP_CWORD=${line.length - 1}; _janee; printf '%s ' "\${COMPREPLY[@]}"`;
      const env = home.environment({ PATH: `${folder}${delimiter}${process.env.PATH ?? ""}` });
      return execFileSync("bash", ["--norc", "-c", code], { env, encoding: "utf8" }).trim();
    };
    assert.equal(complete("janee", "grant", "stripe-ref"), "stripe-refunds");
    assert.equal(complete("janee", "grant", ""), "stripe-readonly stripe-refunds");
    assert.equal(complete("janee", "appro"), "approvals approve");
  }),
);

test("an unknown shell is answered with the known ones", limit, () =>
  inHome(async (home) => {
    const ran = await home.run(["completion", "bahs"]);
    assert.equal(ran.status, 2);
    assert.match(ran.stderr, /bash.*\n.*zsh, fish, powershell/s);
    for (const shell of ["bash", "zsh", "fish", "powershell"]) {
      assert.match((await home.do(["completion", shell])).stdout, /completion --words --/);
    }
  }),
);
