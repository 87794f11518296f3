// git through exec mode, against a real server over https: it works, the password is nowhere, and what a repository
// says about itself neither runs nor redirects anything.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { makeCertificate } from "../support/certificates.ts";
import { ExecStage, exec, outOf } from "../support/exec-stage.ts";
import { type GitServer, startGitServer } from "../support/git-server.ts";
import type { Agent, Told } from "../support/mcp.ts";
import { verdict } from "../support/mcp.ts";

const limit = { timeout: 60_000 };
const linux = process.platform === "linux";
/** Of this run alone: other tests may well hold the known one in a process of theirs. */
const token = `tok-${randomBytes(24).toString("hex")}`;
const forms = [
  token,
  Buffer.from(`x-access-token:${token}`).toString("base64"),
  Buffer.from(token).toString("base64"),
];

const on = new ExecStage([]);
const clone = join(on.work, "clone");
const marker = join(on.home.beside, "has-run");
/** Which variables each git got. */
const given = join(on.home.beside, "given");
interface Scene {
  readonly agent: Agent;
  readonly server: GitServer;
  readonly stranger: GitServer;
}
let opening: Promise<Scene> | undefined;
after(async () => {
  const scene = await opening?.catch(() => undefined);
  await on.close();
  await scene?.server.stop();
  await scene?.stranger.stop();
});

async function open(): Promise<Scene> {
  const certificate = makeCertificate(on.home.beside, "git", ["DNS:localhost"]);
  const server = await startGitServer(join(on.home.beside, "one"), certificate, token);
  const stranger = await startGitServer(join(on.home.beside, "other"), certificate, token);
  // git takes another authority from a setting or a variable, and exec mode passes on neither: this is git that has it.
  const git = join(on.bin, "git");
  const real = (process.env.PATH ?? "").split(":").find((folder) => existsSync(join(folder, "git")));
  const note = `echo "\${SOME_TOKEN:+token}+$SOME_NAME" >> '${given}'`;
  writeFileSync(git, `#!/bin/sh\n${note}\nGIT_SSL_CAINFO='${certificate.file}' exec '${real}/git' "$@"\n`);
  chmodSync(git, 0o755);
  await on.home.do(["init"]);
  on.home.writeConfig(`services:
  host: { baseUrl: "${server.origin}", auth: { type: bearer, key: ${token} } }
capabilities:
  code:
    service: host
    mode: exec
    allowCommands: [git]
    autoApprove: true
    workDir: ${JSON.stringify(on.work)}
    envMap: { GIT_AUTHOR_NAME: a, GIT_AUTHOR_EMAIL: a@b.c, GIT_COMMITTER_NAME: a, GIT_COMMITTER_EMAIL: a@b.c }
  # Here the password is in a variable as well, which only a git that talks to the service gets.
  given:
    service: host
    mode: exec
    allowCommands: [git]
    autoApprove: true
    envMap: { SOME_TOKEN: "{{credential}}", SOME_NAME: x }
`);
  return { agent: await on.connect({ era: "modern" }), server, stranger };
}

function scene(): Promise<Scene> {
  opening ??= open();
  return opening;
}

async function git(args: string, cwd?: string): Promise<Told> {
  const { agent } = await scene();
  return exec(agent, "code", ["git", ...args.split(" ")], cwd === undefined ? {} : { cwd });
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isFile());
}

function holdToken(paths: readonly string[]): string[] {
  return paths.filter((path) => {
    try {
      const text = readFileSync(path, "latin1");
      return forms.some((form) => text.includes(form));
    } catch {
      return false;
    }
  });
}

// EXEC-111
test("git clones, fetches and pushes with a password that is nowhere to be found", limit, async () => {
  const { server } = await scene();
  const found: string[] = [];
  const modes = new Set<string>();
  let looks = 0;
  server.whileServing = () => {
    looks += 1;
    for (const name of readdirSync(join(on.home.path, "run"))) {
      const scratch = join(on.home.path, "run", name);
      if (!lstatSync(scratch).isDirectory()) continue;
      modes.add((lstatSync(scratch).mode & 0o777).toString(8));
      const helper = lstatSync(join(scratch, "askpass"), { throwIfNoEntry: false });
      if (helper) modes.add((helper.mode & 0o777).toString(8));
    }
    const numbers = linux ? readdirSync("/proc").filter((name) => /^\d+$/.test(name)) : [];
    found.push(...holdToken(numbers.flatMap((pid) => [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`])));
    found.push(...holdToken(filesIn(on.home.path)), ...holdToken(filesIn(on.work)));
  };
  try {
    outOf(await git(`clone ${server.origin}/repo.git clone`));
    assert.equal(readFileSync(join(clone, "file"), "utf8"), "content\n");

    writeFileSync(join(clone, "file"), "more\n");
    outOf(await git("add file", "clone"));
    outOf(await git("commit -m second", "clone"));
    outOf(await git("push origin main", "clone"));
    assert.equal(server.git("log", "-1", "--format=%s", "main").trim(), "second");

    const tree = server.git("rev-parse", "main^{tree}").trim();
    const third = server.git("commit-tree", tree, "-p", "main", "-m", "third").trim();
    server.git("update-ref", "refs/heads/main", third);
    outOf(await git("fetch origin", "clone"));
    assert.equal(outOf(await git("rev-parse origin/main", "clone")).trim(), third);
  } finally {
    server.whileServing = () => {};
  }
  assert.ok(looks >= 6, `${looks}`);
  assert.deepEqual([...modes], ["700"]);
  assert.deepEqual(found, []);
  assert.deepEqual([...holdToken(filesIn(on.home.path)), ...holdToken(filesIn(on.work))], []);
  const config = readFileSync(join(clone, ".git", "config"), "utf8");
  assert.match(config, new RegExp(`url = ${server.origin}/repo.git\\n`));
  assert.ok(!/x-access-token|helper|askpass/i.test(config), config);
  assert.deepEqual(readdirSync(join(on.home.path, "run")), []);
});

test("a git that talks to nobody gets no credential, and what else its variables say", limit, async () => {
  const { agent, server } = await scene();
  rmSync(given, { force: true });
  outOf(await exec(agent, "given", ["git", "init"]));
  outOf(await exec(agent, "given", ["git", "ls-remote", `${server.origin}/repo.git`]));
  assert.equal(readFileSync(given, "utf8"), "+x\ntoken+x\n");
});

test("a wrong name for the repository, and a push that is refused, are git's own errors", limit, async () => {
  const { server } = await scene();
  for (const words of [`ls-remote ${server.origin}/none.git`, "push origin nothing"]) {
    const told = await git(words, "clone");
    assert.ok(!told.isError && told.content.exitCode !== 0, told.text);
  }
});

test("another origin gets no password, asked for or redirected to", limit, async () => {
  const { server, stranger } = await scene();
  const asked = await git(`ls-remote ${stranger.origin}/repo.git`, "clone");
  assert.ok(!asked.isError && asked.content.exitCode !== 0, asked.text);
  server.redirectTo = stranger.origin;
  try {
    const moved = await git("fetch origin", "clone");
    assert.ok(!moved.isError && moved.content.exitCode !== 0, moved.text);
  } finally {
    server.redirectTo = undefined;
  }
  assert.ok(stranger.authorizations.length >= 2, "it was reached");
  assert.deepEqual([...new Set(stranger.authorizations)], [""]);
  // The twin: its own gets it, once for each run.
  outOf(await git("fetch origin", "clone"));
});

const hooks = [
  "pre-commit",
  "commit-msg",
  "post-commit",
  "pre-push",
  "post-checkout",
  "reference-transaction",
];

// EXEC-109
test("hooks, a file monitor and programs that a repository names do not run", limit, async () => {
  await scene();
  const settings = join(clone, ".git", "config");
  const before = readFileSync(settings, "utf8");
  const touch = join(clone, ".git", "run-me");
  const folder = join(clone, ".git", "hooks");
  mkdirSync(folder, { recursive: true });
  for (const file of [touch, ...hooks.map((name) => join(folder, name))]) {
    writeFileSync(file, `#!/bin/sh\necho "$0" >> '${marker}'\n`);
    chmodSync(file, 0o755);
  }
  try {
    for (const setting of [
      "",
      `core.fsmonitor=${touch}`,
      `core.hooksPath=${folder}`,
      `core.pager=${touch}`,
      `core.editor=${touch}`,
      `core.askPass=${touch}`,
      `core.sshCommand=${touch}`,
      `gpg.program=${touch}`,
      "commit.gpgSign=true",
    ]) {
      const [key = "", value] = setting.split("=");
      const [section, name] = key.split(".");
      writeFileSync(settings, setting === "" ? before : `${before}[${section}]\n\t${name} = ${value}\n`);
      writeFileSync(join(clone, "file"), `${setting}\n`);
      for (const words of [
        "status",
        "add file",
        `commit -m of-${name}`,
        "log -2",
        "push origin HEAD:other --force",
      ]) {
        const told = await git(words, "clone");
        assert.ok(!told.isError, `${setting} ${words}: ${told.text}`);
        assert.equal(told.content.exitCode, 0, `${setting} ${words}: ${told.text}`);
      }
    }
    assert.ok(!existsSync(marker), "something that the repository names has run");
    // The twin: without janee's guards they do run.
    const who = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgSign=false"];
    writeFileSync(settings, before);
    execFileSync("git", [...who, "commit", "-q", "--allow-empty", "-m", "by hand"], {
      cwd: clone,
      stdio: "pipe",
    });
    assert.ok(existsSync(marker));
    rmSync(marker);
  } finally {
    writeFileSync(settings, before);
    rmSync(folder, { recursive: true });
    rmSync(touch);
  }
});

test(
  "settings that redirect, or that run what cannot be switched off, are refused by name",
  limit,
  async () => {
    const { stranger, server } = await scene();
    const settings = join(clone, ".git", "config");
    const before = readFileSync(settings, "utf8");
    const elsewhere = join(on.work, "included");
    writeFileSync(elsewhere, `[url "${stranger.origin}/"]\n\tinsteadOf = ${server.origin}/\n`);
    const seen = stranger.authorizations.length;
    const lines = on.home.audit().length;
    const refused: readonly (readonly [string, string])[] = [
      [`[url "${stranger.origin}/"]\n\tinsteadOf = ${server.origin}/`, `url.${stranger.origin}/.insteadof`],
      [
        `[url "${stranger.origin}/"]\n\tpushInsteadOf = ${server.origin}/`,
        `url.${stranger.origin}/.pushinsteadof`,
      ],
      [`[alias]\n\tstatus2 = "!touch ${marker}"`, "alias.status2"],
      [`[include]\n\tpath = ${elsewhere}`, "include.path"],
      [`[credential]\n\thelper = "!touch ${marker}"`, "credential.helper"],
      [
        `[credential "${server.origin}"]\n\thelper = "!touch ${marker}"`,
        `credential.${server.origin}.helper`,
      ],
      [`[remote "origin"]\n\tuploadpack = touch ${marker}`, "remote.origin.uploadpack"],
      [`[remote "x"]\n\turl = ext::touch ${marker}`, "remote.x.url"],
      [`[filter "x"]\n\tclean = touch ${marker}`, "filter.x.clean"],
      [`[diff "x"]\n\ttextconv = touch ${marker}`, "diff.x.textconv"],
      [`[http]\n\tproxy = ${stranger.origin}`, "http.proxy"],
      [`[http "${server.origin}"]\n\tsslVerify = false`, `http.${server.origin}.sslverify`],
      [`[protocol "ext"]\n\tallow = always`, "protocol.ext.allow"],
    ];
    try {
      for (const [text, key] of refused) {
        writeFileSync(settings, `${before}${text}\n`);
        for (const words of ["fetch origin", "status"]) {
          const told = await git(words, "clone");
          assert.equal(verdict(told), "argv_denied", `${key}: ${told.text}`);
          assert.ok(String(told.content.message).includes(key), told.text);
        }
      }
      writeFileSync(settings, before);
      // The same in a file of submodules.
      writeFileSync(
        join(clone, ".gitmodules"),
        `[submodule "x"]\n\tpath = x\n\turl = ext::touch ${marker}\n`,
      );
      assert.equal(verdict(await git("status", "clone")), "argv_denied");
      rmSync(join(clone, ".gitmodules"));
      // The twin: a setting that says nothing of the kind.
      appendFileSync(settings, "[user]\n\tname = b\n[pull]\n\trebase = true\n[alias]\n\tst = status\n");
      outOf(await git("fetch origin", "clone"));
    } finally {
      writeFileSync(settings, before);
      rmSync(join(clone, ".gitmodules"), { force: true });
    }
    assert.ok(!existsSync(marker));
    assert.equal(stranger.authorizations.length, seen, "nobody went there");
    // Refused after it was let through, each run has a line that says why.
    const codes = on
      .lines(lines)
      .filter(({ code }) => code !== undefined)
      .map(({ code }) => code);
    assert.equal(codes.length, refused.length * 2 + 1);
    assert.deepEqual([...new Set(codes)], ["argv_denied"]);
  },
);

test("the trail is whole, and no password is in a file or an answer", limit, async () => {
  const { agent } = await scene();
  await on.home.do(["logs", "verify"]);
  for (const form of forms)
    assert.ok(!`${agent.heard}${on.home.auditText()}${on.home.printed}`.includes(form));
  assert.deepEqual([...holdToken(filesIn(on.home.path)), ...holdToken(filesIn(on.home.state))], []);
});
