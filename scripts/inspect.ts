// The CLI of the official MCP inspector as a client of dist/janee: it lists the tools and calls `execute`, in both eras
// of the protocol, over stdio and over HTTP. With the Node that it wants it is 300 MB, so it is fetched only here.
import { join } from "node:path";
import { Home, installedCommand, root } from "../test/support/janee.ts";
import { startUpstream } from "../test/support/upstream.ts";

const versions = { inspector: "2.12.0", node: "24.21.0" } as const;
const windows = process.platform === "win32";
const place = join(root, ".tools", "inspector");
const modules = join(place, "node_modules");
const node = join(modules, "node", "bin", windows ? "node.exe" : "node");
const inspector = join(modules, "@modelcontextprotocol/inspector/clients/launcher/build/index.js");
const key = "sk_live_INSPECT_not_a_real_key_0123456789";
const answersWithinMs = 60_000;

interface Printed {
  readonly result?: {
    readonly tools?: readonly { readonly name: string }[];
    readonly structuredContent?: { readonly status?: number; readonly body?: string };
  };
}

function isFetched(): boolean {
  const versionOf = (command: readonly string[]): string => {
    try {
      return Bun.spawnSync([...command], { stderr: "ignore" })
        .stdout.toString()
        .trim();
    } catch {
      return "";
    }
  };
  return (
    versionOf([node, "--version"]) === `v${versions.node}` &&
    versionOf([node, inspector, "--version"]).includes(versions.inspector)
  );
}

async function fetchInspector(): Promise<void> {
  if (isFetched()) return;
  console.log(`fetching the inspector ${versions.inspector} and node ${versions.node} into .tools/ (once)`);
  const args = ["install", "--no-save", "--no-package-lock", "--no-fund", "--no-audit", "--loglevel=error"];
  args.push(
    "--prefix",
    place,
    `@modelcontextprotocol/inspector@${versions.inspector}`,
    `node@${versions.node}`,
  );
  const npm = windows ? "npm.cmd" : "npm";
  await Bun.spawn([npm, ...args], { cwd: root, stdin: "ignore", stdout: 2, stderr: 2 }).exited;
  // npm may be set up to skip install scripts; this package needs its own to put the binary in place.
  if (!isFetched()) {
    const install = ["node", "installArchSpecificPackage.js"];
    await Bun.spawn(install, { cwd: join(modules, "node"), stdin: "ignore", stdout: 2, stderr: 2 }).exited;
  }
  if (!isFetched()) throw new Error("the inspector could not be fetched");
}

async function inspect(home: Home, args: readonly string[]): Promise<{ printed: Printed; text: string }> {
  const child = Bun.spawn([node, inspector, "--cli", ...args, "--format", "json", "--quiet"], {
    cwd: home.beside,
    env: home.environment(),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: answersWithinMs,
    killSignal: "SIGKILL",
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  const status = await child.exited;
  if (status !== 0) console.log(`      the inspector ended with ${status}: ${err.trim() || out.trim()}`);
  return { printed: status === 0 ? (JSON.parse(out) as Printed) : {}, text: out + err };
}

const built = Bun.spawnSync([process.execPath, join(root, "scripts", "compile.ts")], {
  cwd: root,
  stderr: "inherit",
});
if (!built.success) process.exit(1);
await fetchInspector();
const [janee = ""] = installedCommand();
const upstream = await startUpstream({
  answer: (seen, exchange) => exchange.send(200, { "Content-Type": "text/plain" }, `seen ${seen.line}`),
});
const home = new Home();
let wrong = 0;
try {
  const command = [janee];
  await home.do(["init"], { command });
  home.writeConfig(
    [
      `services: {demo: {baseUrl: "http://127.0.0.1:${upstream.port}", auth: {type: bearer, key: ${key}}}}`,
      'capabilities: {demo: {service: demo, autoApprove: true, rules: [{allow: "GET /**"}]}}',
      "",
    ].join("\n"),
  );
  const { token } = await home.json<{ token: string }>(["agent", "add", "inspector"], { command });
  const { port } = await home.serve([], { command });
  const roads: Readonly<Record<string, readonly string[]>> = {
    stdio: [janee, "mcp", "-e", `JANEE_HOME=${home.path}`, "-e", `XDG_STATE_HOME=${home.state}`],
    http: [
      ...["--transport", "http", "--server-url", `http://127.0.0.1:${port}/mcp`],
      ...["--header", `Authorization: Bearer ${token}`],
    ],
  };
  const claim = (words: string, holds: boolean): void => {
    console.log(`${holds ? "ok  " : "FAIL"}  ${words}`);
    if (!holds) wrong += 1;
  };
  for (const era of ["legacy", "modern"]) {
    for (const [road, target] of Object.entries(roads)) {
      const begin = [...target, "--protocol-era", era];
      const list = await inspect(home, [...begin, "--method", "tools/list"]);
      const names = list.printed.result?.tools?.map(({ name }) => name) ?? [];
      claim(`${era}, ${road}: tools/list: ${names.join(", ")}`, names.includes("execute"));

      const path = `/v1/${era}-${road}`;
      const given = JSON.stringify({ capability: "demo", method: "GET", path });
      const call = await inspect(home, [
        ...[...begin, "--method", "tools/call", "--tool-name", "execute"],
        ...["--tool-args-json", given],
      ]);
      const { status, body } = call.printed.result?.structuredContent ?? {};
      claim(`${era}, ${road}: execute: ${status} ${body}`, status === 200 && body === `seen GET ${path}`);
      // Only a result of the newer era says which server it is from.
      const isModern = call.text.includes("io.modelcontextprotocol/serverInfo");
      claim(`${era}, ${road}: that was the era which was asked for`, isModern === (era === "modern"));
      const authorization = upstream.seen.at(-1)?.values("authorization").join();
      const kept = !(list.text + call.text).includes(key);
      claim(
        `${era}, ${road}: the upstream saw the key, the client did not`,
        authorization === `Bearer ${key}` && kept,
      );
    }
  }
} finally {
  await home.dispose();
  await upstream.stop();
}
console.log(
  wrong === 0
    ? "the inspector reached janee in both eras, over stdio and over HTTP"
    : `${wrong} claims do not hold`,
);
process.exit(wrong === 0 ? 0 : 1);
