// The action, both entries run as a runner runs them: what it installs, which policy it takes, what later steps get.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { parse } from "yaml";
import { makeCertificate } from "../support/certificates.ts";
import { canary, root } from "../support/janee.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";
import { archive, Releases, sha256, version, Workflow } from "../support/workflow.ts";

const limit = { timeout: 120_000 };
const config = ".github/janee.yaml";
const key = { API_KEY: canary };

class Stage {
  readonly job: Workflow;
  readonly upstream: Upstream;
  readonly releases: Releases;
  readonly caFile: string;
  readonly digest: string;
  readonly narrow: string;
  readonly wide: string;
  readonly base: string;
  readonly pull: string;

  private constructor(job: Workflow, upstream: Upstream, releases: Releases, caFile: string) {
    this.job = job;
    this.upstream = upstream;
    this.releases = releases;
    this.caFile = caFile;
    this.digest = releases.add(job.folder);
    this.narrow = this.policy('[ { allow: "GET /v1/*" } ]');
    this.wide = this.policy('[ { allow: "*" } ]');
    this.base = job.commit("main", { [config]: this.narrow, "readme.txt": "x" });
    this.pull = job.commit("change", { [config]: this.wide });
  }

  static async open(): Promise<Stage> {
    const job = new Workflow();
    const tls = makeCertificate(job.folder, "upstream", ["DNS:localhost"]);
    const upstream = await startUpstream({
      tls,
      answer: (seen, exchange) =>
        exchange.send(
          200,
          {},
          seen.target === "/v1/echo" ? `key ${seen.values("authorization")[0]}` : "fine",
        ),
    });
    return new Stage(job, upstream, await Releases.start(), tls.file);
  }

  get url(): string {
    return `https://localhost:${this.upstream.port}`;
  }

  policy(rules: string): string {
    return `services:
  api: { baseUrl: "${this.url}", auth: { type: bearer, key: env:API_KEY } }
capabilities:
  api: { service: api, autoApprove: true, rules: ${rules} }
`;
  }

  inputs(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    const own = {
      version,
      sha256: this.digest,
      "base-url": this.releases.url,
      config,
      bind: `API_KEY=${this.url}`,
    };
    return { ...own, "ca-file": this.caFile, summary: "true", "fail-on-deny": "false", ...more };
  }

  /** A new job on a commit. */
  on(commit: string, event: { readonly name: string; readonly base?: string } = { name: "push" }): Workflow {
    this.job.checkout(commit, event);
    this.job.begin();
    this.upstream.seen.length = 0;
    return this.job;
  }

  /** Processes of janee that this stage has begun. */
  alive(): string[] {
    const all = execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }).split("\n");
    return all.filter((line) => line.includes(this.job.folder) && line.includes("hold.mjs"));
  }

  async close(): Promise<void> {
    await this.upstream.stop();
    await this.releases.stop();
    this.job.close();
  }
}

let opened: Promise<Stage> | undefined;
function stage(): Promise<Stage> {
  opened ??= Stage.open();
  return opened;
}
after(async () => (await opened?.catch(() => undefined))?.close());

function holdsSecret(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => {
    const path = join(folder, name);
    return statSync(path).isFile() && readFileSync(path).includes(canary);
  });
}

test("later steps reach the service with what was exported, and never see the key", limit, async () => {
  const on = await stage();
  const job = on.on(on.base);
  const inputs = on.inputs();
  const main = await job.entry("main", inputs, { ...key, HIDDEN: `x:${canary}` });
  assert.equal(main.status, 0, main.stdout + main.stderr);
  const ask = `curl -sS -H "Authorization: Bearer $API_API_KEY"`;
  const first = await job.step(
    `${ask} ${on.url}/v1/x; echo; ${ask} ${on.url}/v1/echo; echo; ${ask} -X DELETE ${on.url}/v1/x`,
  );
  assert.match(
    first.stdout,
    /^fine\nkey Bearer \[janee:redacted\]\n\{"error":\{"code":"rule_denied"/,
    first.stderr,
  );
  assert.deepEqual(
    on.upstream.seen.map(({ line }) => line),
    ["GET /v1/x", "GET /v1/echo"],
  );
  assert.deepEqual(on.upstream.seen[0]?.values("authorization"), [`Bearer ${canary}`]);
  const python = await job.step(
    `python3 -c "import urllib.request as u; print(u.urlopen('${on.url}/v1/x').read())"`,
  );
  assert.equal(python.stdout, "b'fine'\n", python.stderr);
  const environment = await job.step("env; cat /proc/*/cmdline | tr '\\0' ' '");
  assert.match(environment.stdout, /^API_API_KEY=\w{32}$/m);
  assert.match(environment.stdout, /^HIDDEN=$/m);

  // Whatever there is to read while it runs: files, exported variables, arguments, the log but for what is masked.
  const shown = job.log.split("\n").filter((line) => !line.startsWith("::add-mask::"));
  assert.ok(!shown.join("\n").includes(canary));
  assert.deepEqual(holdsSecret(job.folder), []);
  assert.equal(on.alive().length, 2);

  const post = await job.entry("post", inputs);
  assert.equal(post.status, 0, post.stdout);
  assert.match(job.summary(), /### janee\n\n3 allowed, 1 denied, 0 failed, 1 redacted, 0 alarms/);
  assert.deepEqual(on.alive(), []);
  assert.deepEqual(holdsSecret(job.folder), []);
  const gone = await job.step(`curl -sS --max-time 5 --cacert ${on.caFile} ${on.url}/v1/x`);
  assert.equal(gone.stdout, "fine", "the proxy's variables are cleared");
  assert.equal(on.upstream.seen.at(-1)?.values("authorization").length, 0);
});

test("the policy of a pull request's base is in force, whatever the pull request says", limit, async () => {
  const on = await stage();
  const pull = { name: "pull_request", base: on.base };
  const job = on.on(on.pull, pull);
  // An earlier step of the same job may move branches, and have git run what it likes: a commit is known by its id.
  job.git(job.workspace, "update-ref", "refs/remotes/origin/main", "HEAD");
  const spied = join(job.folder, "spied.txt");
  job.git(job.workspace, "config", "remote.origin.uploadpack", `env > ${spied}; git-upload-pack`);
  const main = await job.entry("main", on.inputs(), key);
  assert.equal(main.status, 0, main.stdout + main.stderr);
  assert.match(main.stdout, /::notice .*differs in this pull request/);
  assert.match(readFileSync(spied, "utf8"), /^PATH=/m);
  assert.ok(!readFileSync(spied, "utf8").includes(canary));
  assert.equal(job.outputs().get("policy-sha256"), sha256(on.narrow));
  const refused = await job.step(`curl -sS -X DELETE ${on.url}/v1/x; curl -sS ${on.url}/v1/x`);
  assert.match(refused.stdout, /denied.*fine$/s);
  assert.equal((await job.entry("post", on.inputs())).status, 0);

  // Its twin: the same file, once it is in the base.
  const merged = on.on(on.pull, { name: "push" });
  assert.equal((await merged.entry("main", on.inputs(), key)).status, 0);
  assert.equal(merged.outputs().get("policy-sha256"), sha256(on.wide));
  assert.equal((await merged.step(`curl -sS -X DELETE ${on.url}/v1/x`)).stdout, "fine");
  assert.equal((await merged.entry("post", on.inputs())).status, 0);
});

test("a policy that no trusted commit has needs its digest", limit, async () => {
  const on = await stage();
  const fresh = on.job.commit("new-policy", { "new.yaml": on.wide });
  const pull = { name: "pull_request", base: on.base };
  const absent = await on.on(fresh, pull).entry("main", on.inputs({ config: "new.yaml" }), key);
  assert.equal(absent.status, 1);
  assert.match(absent.stdout, /::error .*new\.yaml is not in the base of this pull request/);
  const nameless = await on.on(fresh, { name: "pull_request" }).entry("main", on.inputs(), key);
  assert.match(nameless.stdout, /names no commit/);
  for (const path of ["../outside.yaml", "/etc/janee.yaml"]) {
    const ran = await on.on(fresh).entry("main", on.inputs({ config: path }), key);
    assert.match(ran.stdout, /expected a path in the repository/);
  }
  const wrong = { config: "new.yaml", "config-sha256": sha256(on.narrow) };
  const refused = await on.on(fresh, pull).entry("main", on.inputs(wrong), key);
  assert.equal(refused.status, 1);
  assert.match(refused.stdout, /config-sha256: .* and not /);
  assert.deepEqual(on.alive(), []);
  const right = on.inputs({ config: "new.yaml", "config-sha256": sha256(on.wide) });
  const job = on.on(fresh, pull);
  assert.equal((await job.entry("main", right, key)).status, 0, job.log);
  assert.equal((await job.entry("post", right)).status, 0);
});

test("what has another digest does not run, nor what says another version", limit, async () => {
  const on = await stage();
  const run = async (inputs: Record<string, string>) => {
    const ran = await on.on(on.base).entry("main", inputs, key);
    assert.equal(ran.status, 1, ran.stdout);
    assert.equal(on.job.exported.size, 0);
    return ran.stdout;
  };
  const good = on.releases.files.get(archive) ?? Buffer.alloc(0);
  on.releases.files.set(archive, Buffer.concat([good, Buffer.from("x")]));
  assert.match(await run(on.inputs()), /sha256: .* it was not run/);
  on.releases.files.set(archive, good);
  assert.match(await run(on.inputs({ sha256: "" })), /expected the digest/);
  assert.match(await run(on.inputs({ version: "9.9.9" })), /cannot be fetched: status 404/);
  assert.match(await run(on.inputs({ version: "../x" })), /version: expected/);
  assert.match(await run(on.inputs({ "base-url": "http://example.com" })), /expected https/);
  const other = archive.replace(version, "9.9.8");
  const digest = on.releases.add(on.job.folder, other, "0.0.1");
  assert.match(await run(on.inputs({ version: "9.9.8", sha256: digest })), /version: expected 9\.9\.8/);

  const program = join(on.job.folder, archive.replace(".tar.gz", ""), "janee");
  const own = sha256(readFileSync(program));
  assert.match(await run(on.inputs({ path: program })), /sha256: .* it was not run/);
  const sums = `${"0".repeat(64)}  other.tar.gz\n${on.digest}  ${archive}\n`;
  for (const inputs of [on.inputs({ path: program, sha256: own }), on.inputs({ sha256: sums })]) {
    const job = on.on(on.base);
    assert.equal((await job.entry("main", inputs, key)).status, 0, job.log);
    assert.equal((await job.entry("post", inputs)).status, 0);
  }
});

/** Lines that the runner takes for commands, but for those that every entry prints about itself. */
function commandsIn(log: string): string[] {
  const own = /^::(?:add-mask::|error title=janee::|notice title=janee::)/;
  const found: string[] = [];
  let stopped: string | undefined;
  for (const line of log.split("\n")) {
    const [, word] = /^::stop-commands::([0-9a-f]{32})$/.exec(line) ?? [];
    if (stopped === undefined && word !== undefined) stopped = word;
    else if (stopped !== undefined && line === `::${stopped}::`) stopped = undefined;
    else if (stopped === undefined && /^\s*::|##\[/.test(line) && !own.test(line)) found.push(line);
  }
  return found;
}

test(
  "inputs that try to be more than they are start nothing, and say nothing to the runner",
  limit,
  async () => {
    const on = await stage();
    const digest = { config: join(on.job.folder, "policy.yaml") };
    writeFileSync(digest.config, on.narrow);
    symlinkSync(on.job.workspace, join(on.job.folder, "way-in"));
    const word = "\n::stop-commands::word\n::set-output name=a::b";
    const cases: readonly (readonly [inputs: Record<string, string>, said: RegExp])[] = [
      [{ capability: `api${word}` }, /there is no capability/],
      [{ capability: "--unmatched=tunnel" }, /there is no capability/],
      [{ unmatched: "tunnel --capability api" }, /--unmatched wants deny or tunnel/],
      [{ unmatched: `deny${word}` }, /--unmatched wants deny or tunnel/],
      [{ bind: `--config=${digest.config}` }, /--bind/],
      [{ bind: `API_KEY=${on.url}\nAPI_KEY=https://evil.example/x` }, /--bind/],
      [{ bind: "API_KEY=https://evil.example" }, /API_KEY would go to/],
      [{ config: `${config}${word}` }, /is not in the commit that runs/],
      [{ config: "-h" }, /is not in the commit that runs/],
      [{ config: ".github" }, /is not in the commit that runs/],
      [{ config: "a/../../policy.yaml" }, /expected a path in the repository/],
      [{ config: "/dev/zero", "config-sha256": sha256(on.narrow) }, /\/dev\/zero is no file/],
      [{ config: "nosuch.yaml", "config-sha256": sha256(on.narrow) }, /nosuch\.yaml is no file/],
      [{ "ca-file": join(on.job.folder, "way-in/readme.txt") }, /outside the workspace/],
      [{ "ca-file": "workspace/ca.pem" }, /outside the workspace/],
      [{ path: on.job.folder }, /is no file/],
      [{ path: "/dev/zero" }, /is no file/],
      [{ version: `${version}${word}` }, /version: expected/],
      [{ sha256: `${on.digest}${word}` }, /expected the digest of/],
      [{ "fail-on-deny": "yes" }, /expected true or false/],
    ];
    for (const [inputs, said] of cases) {
      const job = on.on(on.base);
      const ran = await job.entry("main", on.inputs(inputs), key);
      const of = `${JSON.stringify(inputs)}: ${ran.stdout}${ran.stderr}`;
      assert.equal(ran.status, 1, of);
      assert.match(ran.stdout, said, of);
      assert.equal(job.exported.size, 0, of);
      assert.deepEqual(commandsIn(ran.stdout), [], of);
      assert.ok(!/^::error .*\bat \S+\.mjs:/m.test(ran.stdout), `it is expected, and no bug: ${of}`);
      const printed = ran.stdout.split("\n").filter((line) => !line.startsWith("::add-mask::"));
      assert.ok(!`${printed.join("\n")}${ran.stderr}`.includes(canary), of);
      assert.equal((await job.entry("post", on.inputs(inputs))).status, 0, of);
    }
    assert.deepEqual(on.alive(), []);
    assert.deepEqual(
      commandsIn(`a ##[x]\n::debug::y\n${"::stop-commands::word"}`).length,
      3,
      "it would find them",
    );
  },
);

test("whoever's commit an event tries out, its policy is not taken from there", limit, async () => {
  const on = await stage();
  for (const name of ["deployment", "deployment_status", "pull_request_target", "merge_group", ""]) {
    const ran = await on.on(on.pull, { name }).entry("main", on.inputs(), key);
    assert.match(ran.stdout, /names no commit/, name);
    assert.equal(on.job.exported.size, 0, name);
  }
  // In a pull request the place of the policy may be anything: a link to a device, or to a wide policy.
  for (const target of ["/dev/zero", "../wide.yaml", "nowhere"]) {
    const odd = on.job.commit("odd", { [config]: `link to ${target}`, "wide.yaml": on.wide });
    const job = on.on(odd, { name: "pull_request", base: on.base });
    const main = await job.entry("main", on.inputs(), key);
    assert.equal(main.status, 0, main.stdout);
    assert.match(main.stdout, /differs in this pull request/);
    assert.equal(job.outputs().get("policy-sha256"), sha256(on.narrow));
    assert.match((await job.step(`curl -sS -X DELETE ${on.url}/v1/x`)).stdout, /denied/);
    assert.equal((await job.entry("post", on.inputs())).status, 0);
    // Merged, a link is the text of a link, which is no policy.
    const merged = await on.on(odd, { name: "push" }).entry("main", on.inputs(), key);
    assert.equal(merged.status, 1, merged.stdout);
  }
  on.job.commit("main-again", { [config]: on.narrow });
});

test(
  "what a variable of the job is called or holds reaches later steps as it is, or not at all",
  limit,
  async () => {
    const on = await stage();
    const odd = { "A<<B": canary, MULTI: `a\nPATH<<x\n/evil\nx\n${canary}`, BLANK: `  ${canary}\n` };
    const job = on.on(on.base);
    const main = await job.entry("main", on.inputs(), { ...key, ...odd });
    assert.equal(main.status, 1, main.stdout);
    assert.match(main.stdout, /a variable has a name that no later step can have: A<<B/);
    const { "A<<B": _, ...fine } = odd;
    const next = on.on(on.base);
    assert.equal((await next.entry("main", on.inputs(), { ...key, ...fine })).status, 0, next.log);
    assert.equal(next.exported.get("MULTI"), "");
    assert.equal(next.exported.get("BLANK"), "");
    assert.ok(!next.exported.has("PATH"));
    const names = [...next.exported.keys()];
    assert.deepEqual(
      names.filter((name) => !/^[A-Za-z_]\w*$/.test(name)),
      [],
    );
    for (const name of ["LD_PRELOAD", "BASH_ENV", "NODE_OPTIONS", "GITHUB_ENV", "GITHUB_PATH"])
      assert.ok(!names.includes(name), name);
    assert.equal((await next.entry("post", on.inputs())).status, 0);
  },
);

test("fail-on-deny fails the job in post, and an unbound variable before it begins", limit, async () => {
  const on = await stage();
  const inputs = on.inputs({ "fail-on-deny": "true" });
  for (const [method, status] of [
    ["DELETE", 1],
    ["GET", 0],
  ] as const) {
    const job = on.on(on.base);
    assert.equal((await job.entry("main", inputs, key)).status, 0, job.log);
    await job.step(`curl -sS -X ${method} ${on.url}/v1/x`);
    const post = await job.entry("post", inputs);
    assert.equal(post.status, status, post.stdout);
    assert.equal(/1 requests were denied/.test(post.stdout), status === 1);
    assert.match(job.summary(), /### janee/);
  }
  const unbound = await on.on(on.base).entry("main", on.inputs({ bind: "" }), key);
  assert.equal(unbound.status, 1);
  assert.match(unbound.stdout, /API_KEY would go to/);
  const within = on.inputs({ "ca-file": join(on.job.workspace, "readme.txt") });
  assert.match((await on.on(on.base).entry("main", within, key)).stdout, /outside the workspace/);
  assert.equal((await on.job.entry("post", inputs)).status, 0, "there is nothing to end");
});

test("a hold that was killed ends everything, and post says that it did", limit, async () => {
  const on = await stage();
  const job = on.on(on.base);
  assert.equal((await job.entry("main", on.inputs(), key)).status, 0, job.log);
  const killed = await job.step(
    `kill -9 $(ps -eo pid,args | grep '[h]old.mjs ${job.folder}' | grep -v ' run ' | awk '{print $1}'); sleep 1; curl -sS --max-time 5 ${on.url}/v1/x`,
  );
  assert.notEqual(killed.status, 0, "the proxy is gone, and nothing goes around it");
  assert.equal((await job.entry("post", on.inputs())).status, 0);
  assert.match(job.summary(), /0 allowed, 0 denied/);
});

test(
  "a summary that was forged beforehand is not taken for janee's, nor a janee that was killed for one that ended",
  limit,
  async () => {
    const on = await stage();
    const inputs = on.inputs({ "fail-on-deny": "true" });
    const forge = `for f in ${on.job.temp}/janee-action-*/; do printf '### janee\\n\\n9 allowed, 0 denied, x\\n\\n' > $f/summary.md; done`;
    const job = on.on(on.base);
    assert.equal((await job.entry("main", inputs, key)).status, 0, job.log);
    await job.step(`${forge}; curl -sS -X DELETE ${on.url}/v1/x`);
    const post = await job.entry("post", inputs);
    assert.match(post.stdout, /1 requests were denied/);
    assert.equal(post.status, 1);

    const next = on.on(on.base);
    assert.equal((await next.entry("main", inputs, key)).status, 0, next.log);
    await next.step("kill -9 $(sed -n '/^pid<</{n;p}' $GITHUB_STATE)");
    const after = await next.entry("post", inputs);
    assert.match(after.stdout, /ended before its time/);
    assert.equal(after.status, 1);
  },
);

test("without base-url the archives are those of the release in the repository that package.json names", async () => {
  const from = pathToFileURL(join(root, "action/binary.mjs")).href;
  const { base } = (await import(from)) as { base: (version: string) => string };
  const { repository } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    repository: { url: string };
  };
  assert.match(base("1.2.3"), /^https:\/\/github\.com\/[\w-]+\/janee\/releases\/download\/v1\.2\.3$/);
  assert.ok(repository.url.includes(base("1.2.3").split("/releases")[0] ?? "?"));
});

test("action.yml names the entries that are there, and each input that they read", () => {
  const { runs, inputs } = parse(readFileSync(join(root, "action/action.yml"), "utf8")) as {
    runs: Record<string, string>;
    inputs: Record<string, unknown>;
  };
  assert.deepEqual(
    [runs.using, runs.main, runs.post, runs["post-if"]],
    ["node24", "main.mjs", "post.mjs", "always()"],
  );
  const text = readdirSync(join(root, "action"))
    .filter((name) => name.endsWith(".mjs"))
    .map((name) => readFileSync(join(root, "action", name), "utf8"))
    .join("\n");
  const read = [...text.matchAll(/\b(?:input|flag)\("([\w-]+)"\)/g)].map(([, name]) => name ?? "");
  const listed = [...read, "capability", "unmatched"];
  assert.deepEqual([...new Set(listed)].sort(), Object.keys(inputs).sort());
});
