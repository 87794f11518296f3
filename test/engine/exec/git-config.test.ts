import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { unsafeGitConfig } from "../../../src/engine/exec/git-config.ts";
import { gitGuards, gitLook } from "../../../src/engine/exec/git-guards.ts";

const listing = (...entries: string[]): string =>
  entries.map((entry) => `${entry.replace("=", "\n")}\0`).join("");

test("an ordinary repository is fine", () => {
  const entries = [
    ...[
      "core.repositoryformatversion=0",
      "core.filemode=true",
      "core.bare=false",
      "core.logallrefupdates=true",
    ],
    ...[
      "remote.origin.url=https://github.com/o/r",
      "remote.origin.fetch=+refs/heads/*:refs/remotes/origin/*",
    ],
    ...[
      "remote.ssh.url=git@github.com:o/r.git",
      "remote.origin.gh-resolved=base",
      "branch.main.remote=origin",
    ],
    ...[
      "branch.main.merge=refs/heads/main",
      "branch.feature/x.vscode-merge-base=origin/main",
      "user.name=Ann",
      "user.email=a@b",
    ],
    ...[
      "pull.rebase=true",
      "push.autosetupremote=true",
      "alias.st=status",
      "core.autocrlf=input",
      "commit.gpgsign=true",
    ],
    ...[
      "gitflow.branch.master=main",
      "lfs.repositoryformatversion=0",
      "submodule.x.url=https://h/x",
      "submodule.x.active=true",
    ],
    ...[
      "extensions.worktreeconfig=true",
      "pager.log=false",
      "http.postbuffer=1",
      "init.defaultbranch=main",
      "rerere.enabled",
    ],
    // janee's own settings win over these
    ...[
      "core.hookspath=.husky",
      "core.fsmonitor=true",
      "core.sshcommand=ssh -i x",
      "core.pager=less",
      "core.editor=vim",
    ],
  ];
  assert.equal(unsafeGitConfig(listing(...entries)), undefined);
  assert.equal(unsafeGitConfig(""), undefined);
});

test("the first setting that runs or redirects is named, never its value", () => {
  for (const entry of [
    ...[
      "url.https://evil.example/.insteadof=https://github.com/",
      "url.x.pushinsteadof=https://",
      "url.ext::sh.insteadof=h",
    ],
    ...[
      "http.https://github.com/.extraheader=X: y",
      "http.extraheader=X: y",
      "http.https://h.sslverify=false",
      "http.proxy=http://evil",
    ],
    ...[
      "http.https://h.proxy=http://evil",
      "http.sslcainfo=/x",
      "http.curloptresolve=h:1:2",
      "http.cookiefile=/x",
      "http.sslcert=/x",
    ],
    ...[
      "remote.origin.uploadpack=env",
      "remote.origin.receivepack=env",
      "remote.origin.proxy=http://x",
      "remote.o.vcs=ext",
    ],
    ...[
      "remote.origin.url=ext::sh -c env",
      "remote.origin.pushurl=EXT::sh",
      "remote.o.url=-x",
      "remote.o.serveroption=x",
    ],
    ...[
      "filter.lfs.clean=git-lfs clean",
      "filter.x.smudge=env",
      "filter.x.process=env",
      "diff.x.textconv=env",
      "diff.x.command=env",
    ],
    ...[
      "diff.external=env",
      "merge.x.driver=env",
      "mergetool.x.cmd=env",
      "difftool.x.cmd=env",
      "alias.x=!env",
      "alias.x= !env",
    ],
    ...[
      "include.path=/x",
      "includeif.gitdir:/x.path=/x",
      "includeif.onbranch:x.path=y",
      "core.worktree=/x",
      "core.gitproxy=env",
    ],
    ...[
      "core.alternaterefscommand=env",
      "credential.helper=!env",
      "credential.https://h.helper=!env",
      "credential.https://h.username=x",
    ],
    ...[
      "protocol.ext.allow=always",
      "protocol.allow=always",
      "gpg.ssh.program=env",
      "gpg.ssh.defaultkeycommand=env",
      "trailer.x.command=env",
    ],
    ...[
      "trailer.x.cmd=env",
      "branch.main.mergeoptions=-s evil",
      "branch.x.remote=ext::sh",
      "branch.x.pushremote=https://evil",
    ],
    ...[
      "submodule.x.update=!env",
      "submodule.x.ignore=none",
      "submodule.x.url=ext::sh",
      "pager.log=env",
      "uploadpack.packobjectshook=env",
    ],
    ...[
      "sendemail.smtpserver=/x",
      "browser.x.cmd=env",
      "man.x.cmd=env",
      "help.browser=x",
      "ssh.variant=x",
      "tar.tgz.command=env",
    ],
    ...[
      "fetch.bundleuri=https://evil",
      "core.newthing=x",
      "http.newthing=x",
      "remote.o.newthing=x",
      "pull.twohead=evil",
      "hook.x.command=env",
    ],
    ...[
      "init.templatedir=/x",
      "bundle.x.uri=https://e",
      "CORE.WorkTree=/x",
      "Include.Path=x",
      "guitool.x.cmd=env",
      "web.browser=x",
    ],
  ]) {
    const key = entry.slice(0, entry.indexOf("="));
    const found = unsafeGitConfig(listing("core.bare=false", "x.y=z", entry, "include.path=/later"));
    assert.equal(found, key, entry);
  }
  assert.equal(unsafeGitConfig(listing("a.b=c\nurl.x.insteadof=y")), undefined);
  assert.equal(unsafeGitConfig("include.path\0"), "include.path");
});

test("guards: nothing is asked, nothing but https, and both ways say the same", () => {
  const { args, environment } = gitGuards();
  const count = Number(environment.get("GIT_CONFIG_COUNT"));
  assert.equal(args.length, 2 * count);
  for (let at = 0; at < count; at++) {
    assert.equal(args[2 * at], "-c");
    const pair = `${environment.get(`GIT_CONFIG_KEY_${at}`)}=${environment.get(`GIT_CONFIG_VALUE_${at}`)}`;
    assert.equal(args[2 * at + 1], pair);
  }
  for (const one of [
    ...[
      "core.hooksPath=/dev/null",
      "core.fsmonitor=false",
      "protocol.ext.allow=never",
      "credential.helper=",
      "core.pager=cat",
    ],
    ...["submodule.recurse=false", "core.askPass="],
  ]) {
    assert.ok(args.includes(one), one);
  }
  assert.equal(environment.get("GIT_ALLOW_PROTOCOL"), "https");
  assert.equal(environment.get("GIT_CONFIG_NOSYSTEM"), "1");
  assert.equal(environment.get("GIT_CONFIG_GLOBAL"), "/dev/null");
  assert.equal(environment.get("GIT_TERMINAL_PROMPT"), "0");
  assert.ok(![...gitLook().environment.keys()].some((key) => /GIT_CONFIG_(?:COUNT|KEY|VALUE)/.test(key)));
});

test("property: a rewrite is found wherever it stands, and a name is one printable line", () => {
  const fine = fc.constantFrom(
    "core.bare=false",
    "user.name=x",
    "remote.o.url=https://h",
    "branch.a.remote=o",
  );
  fc.assert(
    fc.property(fc.array(fine), fc.string({ unit: "binary" }), fc.array(fine), (before, base, after) => {
      const sub = base.replaceAll("\0", "").replaceAll("\n", "").replaceAll("=", "");
      const found = unsafeGitConfig(listing(...before, `url.${sub}.insteadof=x`, ...after));
      assert.match(found ?? "", /^url\.[\x20-\x7e…]*$/);
    }),
  );
});
