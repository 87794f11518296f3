// The main job as a story, on a real upstream on loopback, in a home of its own that is removed at the end.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mcpAct } from "./quickstart-mcp.ts";
import { runAct } from "./quickstart-run.ts";

const root = join(import.meta.dir, "..");
const janee = join(root, "dist", process.platform === "win32" ? "janee.exe" : "janee");
const key = "sk_live_QUICKSTART_not_a_real_key_0123456789";
const folder = mkdtempSync(join(tmpdir(), "janee-quickstart-"));
const environment = {
  PATH: process.env.PATH ?? "",
  HOME: folder,
  JANEE_HOME: join(folder, "home"),
  XDG_STATE_HOME: join(folder, "state"),
};
let wrong = 0;

function say(text: string): void {
  console.log(text);
}

/** Each claim of the story is checked: a quickstart that only prints would prove nothing. */
function expect(claim: string, holds: boolean): void {
  say(`   ${holds ? "✓" : "✗"} ${claim}`);
  if (!holds) wrong += 1;
}

async function run(words: readonly string[], input = ""): Promise<{ status: number; out: string }> {
  say(`\n$ janee ${words.join(" ")}`);
  const child = Bun.spawn([janee, ...words], {
    env: environment,
    stdin: Buffer.from(input),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, status] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  for (const line of `${out}${err}`.trim().split("\n")) say(`   ${line}`);
  return { status, out };
}

async function call(method: string, url: string, token: string): Promise<{ status: number; text: string }> {
  say(`\n$ curl -X ${method} -H "Authorization: Bearer $JANEE_TOKEN" ${url}`);
  const response = await fetch(url, { method, headers: { Authorization: `Bearer ${token}` } });
  const text = await response.text();
  say(`   ${response.status} ${text.trim()}`);
  return { status: response.status, text };
}

async function build(): Promise<void> {
  const child = Bun.spawn([process.execPath, join(root, "scripts", "compile.ts")], {
    cwd: root,
    stdout: "inherit",
    stderr: "inherit",
  });
  if ((await child.exited) !== 0) throw new Error("the build failed");
}

/** Stands for a vendor's API: it wants the real key, and its /v1/echo shows every header that it got. */
const upstream = createServer((request, response) => {
  const authorized = request.headers.authorization === `Bearer ${key}`;
  response.writeHead(authorized ? 200 : 401, { "Content-Type": "application/json" });
  const body = request.url === "/v1/echo" ? { headers: request.headers } : { balance: 4200, currency: "eur" };
  response.end(JSON.stringify(authorized ? body : { error: "wrong key" }));
});

async function story(): Promise<void> {
  await new Promise<void>((ready) => upstream.listen(0, "127.0.0.1", () => ready()));
  const { port } = upstream.address() as AddressInfo;

  say("\n1. A person gives janee a key, and says what agents may do with it.");
  const add = ["add", "shop", "--base-url", `http://127.0.0.1:${port}`, "--key-stdin", "--auto-approve"];
  await run([...add, "--allow", "GET /v1/*", "--ask", "POST /v1/orders"], `${key}\n`);
  const config = readFileSync(join(environment.JANEE_HOME, "config.yaml"), "utf8");
  expect("the key is sealed in config.yaml", config.includes("sealed:v1:") && !config.includes(key));

  say("\n2. janee serves; a person grants a session. The agent gets a token, never the key.");
  const serving = Bun.spawn([janee, "serve", "--port", "0", "--json"], {
    env: environment,
    stdout: "pipe",
    stderr: "inherit",
  });
  try {
    const { value } = await serving.stdout.getReader().read();
    const { url } = JSON.parse(new TextDecoder().decode(value)) as { url: string };
    const granted = await run(["grant", "shop", "--json", "--reason", "check the balance"]);
    const { token, session } = JSON.parse(granted.out) as { token: string; session: string };

    say("\n3. An allowed call goes through: the real key was put on it on the way.");
    expect("the upstream accepted it", (await call("GET", `${url}/shop/v1/balance`, token)).status === 200);

    say("\n4. What no rule allows is refused, and so is a path that servers read in two ways.");
    expect("denied by the rule", (await call("DELETE", `${url}/shop/v1/balance`, token)).status === 403);
    const ambiguous = await call("GET", `${url}/shop/v1/..%2fadmin`, token);
    expect("an ambiguous path is refused", ambiguous.status === 400);

    say("\n5. An upstream that echoes the key back does not give it to the agent.");
    const echo = await call("GET", `${url}/shop/v1/echo`, token);
    expect("the echo was scrubbed", echo.text.includes("[janee:redacted]") && !echo.text.includes(key));

    say("\n6. A person revokes the session: the very next request is refused.");
    await run(["revoke", session]);
    expect(
      "the revoked session is refused",
      (await call("GET", `${url}/shop/v1/balance`, token)).status === 403,
    );
  } finally {
    serving.kill();
    await serving.exited;
  }

  say("\n7. An agent's MCP client: the same rules, and a person who is asked before an order is sent.");
  await mcpAct({ janee, environment, say, expect }, key);

  say("\n8. A program that cannot be configured: curl, unmodified, behind the proxy.");
  await runAct({ janee, environment, say, expect }, run, key);

  say("\n9. Everything was written down, in a chain that shows any change.");
  await run(["logs"]);
  expect("the trail verifies", (await run(["logs", "verify"])).status === 0);
  const trail = readFileSync(join(environment.JANEE_HOME, "audit.log"), "utf8");
  expect("neither key nor token is in it", !trail.includes(key) && !trail.includes("jns_"));
}

try {
  await build();
  await story();
} finally {
  upstream.close();
  rmSync(folder, { recursive: true, force: true });
}
say(
  wrong === 0
    ? "\nAll of it held. Next: README.md, then `dist/janee add stripe`."
    : `\n${wrong} claims did not hold.`,
);
process.exit(wrong === 0 ? 0 : 1);
