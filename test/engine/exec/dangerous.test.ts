import assert from "node:assert/strict";
import { test } from "node:test";
import { dangerReason } from "../../../src/engine/exec/dangerous.ts";
import { read, refused } from "../config-sample.ts";
import { exec, execCorpus } from "./sample.ts";

test("corpus: a dangerous command is a config error with its reason, and fine once somebody means it", () => {
  let judged = 0;
  for (const { id, input, expect } of execCorpus()) {
    if (expect.outcome !== "config_error_or_explicit_dangerous_flag") continue;
    judged++;
    const list = `allowCommands: ${JSON.stringify(input.allowCommands)}`;
    const failure = refused(exec(list));
    assert.equal(failure.code, "config_invalid", id);
    assert.match(failure.next ?? "", /dangerous: true/, id);
    assert.equal(`${failure.at?.line}:${failure.at?.column}`, "7:21", id);
    const policy = read(exec(list, "dangerous: true")).config.capabilities.get("c")?.exec;
    assert.deepEqual(policy?.allowCommands, input.allowCommands, id);
    assert.equal(policy?.dangerous, true);
  }
  assert.ok(judged >= 20);
});

test("the names that the issue and the contract mean", () => {
  for (const name of [
    ...["sh", "bash", "zsh", "fish", "dash", "env", "xargs", "python", "node", "bun", "deno", "ruby", "perl"],
    ...[
      "php",
      "lua",
      "awk",
      "gawk",
      "mawk",
      "find",
      "make",
      "npm",
      "npx",
      "yarn",
      "pnpm",
      "pip",
      "cargo",
      "go",
    ],
    ...[
      "sudo",
      "su",
      "doas",
      "ssh",
      "scp",
      "sftp",
      "rsync",
      "vim",
      "vi",
      "nano",
      "emacs",
      "less",
      "more",
      "man",
    ],
    ...["tar", "zip", "7z", "cpio", "curl", "wget", "nc", "ncat", "netcat", "socat", "telnet", "tee", "dd"],
    ...["cat", "strace", "ltrace", "gdb", "perf", "time", "timeout", "nice", "nohup", "setsid", "stdbuf"],
    ...[
      "watch",
      "parallel",
      "script",
      "expect",
      "screen",
      "tmux",
      "kubectl",
      "terraform",
      "docker",
      "podman",
    ],
    ...["ansible", "helm", "printenv", "export", "busybox", "sqlite3", "psql", "mysql", "at", "crontab"],
    ...["systemd-run", "openssl", "base64", "xxd", "od", "jq", "sed", "grep", "cp", "gpg"],
  ]) {
    assert.ok(dangerReason(name), name);
  }
});

test("versions, paths, case and .exe do not hide a name", () => {
  for (const name of [
    ...["python3", "python3.12", "python3.11-dbg", "python3.12t", "ruby3.2", "bash5", "bash-5.2", "lua5.4"],
    ...["perl5.36.0", "perl5.36-x86_64-linux-gnu", "php8.2", "node20", "nodejs", "pip3.12", "gcc-13"],
    ...[
      "vim.basic",
      "nc.openbsd",
      "nc.traditional",
      "gawk5",
      "busybox1.36",
      "mawk-1.3",
      "clang-17",
      "psql15",
    ],
    ...["/usr/bin/env", "/bin/sh", "~/bin/bash", "C:\\Windows\\System32\\cmd.exe", "C:/Python312/python.exe"],
    ...["BASH", "Python3.EXE", "npm.cmd", "PowerShell.exe", "/opt/x/Sudo", "ｓｈ", "/usr/bin/python3 "],
    ...["ld-linux-x86-64.so.2", "/lib64/ld-linux-x86-64.so.2"],
  ]) {
    assert.ok(dangerReason(name), name);
  }
});

test("vendors' own tools are not in the list", () => {
  for (const name of [
    ...["git", "gh", "glab", "hub", "stripe", "bird", "tweet-cli", "vercel", "netlify", "wrangler", "flyctl"],
    ...[
      "aws",
      "gcloud",
      "az",
      "heroku",
      "doctl",
      "supabase",
      "sentry-cli",
      "linear",
      "notion",
      "slack",
      "op",
    ],
    ...[
      "shopify",
      "firebase",
      "railway",
      "turso",
      "neonctl",
      "ngrok",
      "twilio",
      "envoy",
      "shfmt",
      "pythonista",
    ],
    ...[
      "nodectl",
      "gitleaks",
      "makeswift",
      "env-cli",
      "cat-facts",
      "/usr/bin/gh",
      "shodan",
      "s3",
      "b2",
      "a",
      "",
    ],
  ]) {
    assert.equal(dangerReason(name), undefined, name);
  }
});
