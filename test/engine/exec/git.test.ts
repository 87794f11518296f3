import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { gitArguments, gitPreset, gitTalks } from "../../../src/engine/exec/git.ts";
import { gitCommands } from "../../../src/engine/exec/git-grammar.ts";
import { execCorpus } from "./sample.ts";

const words = (line: string): string[] => line.split(" ").map((word) => word.replaceAll("_", " "));

/** Underscores stand for blanks inside one argument. */
function passes(...lines: string[]): void {
  for (const line of lines) assert.equal(gitPreset(words(line)), undefined, line);
}

function refused(...lines: string[]): void {
  for (const line of lines) assert.ok(gitPreset(words(line)), `${line} passed`);
}

test("corpus: no way out of git passes", () => {
  let judged = 0;
  for (const { id, input, expect } of execCorpus()) {
    if (expect.code !== "argv_denied" || input.argv?.[0] !== "git") continue;
    judged++;
    assert.ok(gitPreset(input.argv.slice(1) as string[]), id);
  }
  assert.ok(judged >= 10);
});

test("what people do every day passes", () => {
  passes(
    ...[
      "status",
      "status -sb",
      "status --porcelain=v2",
      "log",
      "log --oneline -5 --graph --all",
      "log -n5 -p -- src",
    ],
    ...[
      "log --author=ann --since 2.weeks main..topic",
      "log --format=%h_%s -S x",
      "diff",
      "diff --stat HEAD~1 -- a b",
    ],
    ...[
      "diff --cached -U5",
      "show HEAD",
      "show --stat HEAD:src/a.ts",
      "add .",
      "add -A",
      "add -- a.txt",
      "commit -m x",
    ],
    ...[
      "commit -am fix:_a_thing",
      "commit --amend --no-edit",
      "commit -m -_a_list",
      "commit -F -",
      "branch",
      "branch -vv",
    ],
    ...[
      "branch -d old",
      "branch -M main",
      "branch --show-current",
      "checkout main",
      "checkout -b feature/x origin/main",
    ],
    ...[
      "checkout -- a.txt",
      "checkout -",
      "switch -c x",
      "switch main",
      "restore --staged a",
      "reset --hard HEAD~1",
    ],
    ...[
      "reset -q -- a",
      "merge topic",
      "merge --no-ff -m x topic",
      "merge --abort",
      "rebase main",
      "rebase --continue",
    ],
    ...[
      "rebase --onto main a b",
      "cherry-pick abc",
      "revert --no-edit abc",
      "fetch",
      "fetch origin",
      "fetch --all --prune",
    ],
    ...[
      "fetch origin main --depth 1",
      "fetch https://github.com/o/r.git main",
      "pull",
      "pull --rebase origin main",
    ],
    ...[
      "pull --ff-only",
      "push",
      "push -u origin main",
      "push origin HEAD",
      "push --force-with-lease origin x",
      "push origin :old",
    ],
    ...[
      "push --tags",
      "clone https://github.com/o/r.git",
      "clone --depth 1 -b main https://github.com/o/r dir",
    ],
    ...[
      "clone https://localhost:8443/a/b.git sub/dir",
      "clone -- https://github.com/o/r",
      "tag",
      "tag -a v1 -m v1",
      "tag -l v*",
    ],
    ...[
      "stash",
      "stash push -m x",
      "stash pop",
      "stash list",
      "stash show -p",
      "remote",
      "remote -v",
      "remote get-url origin",
    ],
    ...[
      "remote add up https://github.com/o/r",
      "remote show origin",
      "rev-parse HEAD",
      "rev-parse --show-toplevel",
    ],
    ...[
      "rev-parse --abbrev-ref HEAD",
      "ls-files",
      "ls-files -o --exclude-standard",
      "ls-remote",
      "ls-remote --heads origin",
    ],
    ...[
      "ls-remote https://github.com/o/r",
      "blame -L 1,5 a.ts",
      "init",
      "init -b main sub",
      "grep -n x",
      "grep -e a --and -e b",
    ],
    ...[
      "config user.name Ann_B",
      "config --get remote.origin.url",
      "config -l",
      "config user.email",
      "submodule status",
    ],
    ...[
      "bisect start",
      "bisect good",
      "rm -r x",
      "mv a b",
      "clean -fd",
      "describe --tags",
      "merge-base a b",
      "shortlog -sn",
    ],
    ...[
      "--version",
      "--no-pager log -1",
      "-P diff",
      "log -- --output=x",
      "add -- -x",
      "log --grep ext::",
      "commit -m ext::sh",
    ],
    ...[
      "worktree list",
      "reflog -5",
      "cat-file -p HEAD",
      "ls-tree -r HEAD",
      "rev-list --count HEAD",
      "apply --check -",
    ],
  );
  assert.equal(gitPreset([]), undefined);
});

test("settings, folders and programs before the sub-command", () => {
  refused(
    ...[
      "-c alias.x=!env x",
      "-calias.x=!env x",
      "-c core.pager=env log",
      "--config-env=a=b status",
      "--config-env a=b status",
    ],
    ...[
      "--exec-path=/evil fetch",
      "--exec-path",
      "-C /evil status",
      "-C. status",
      "--git-dir=/x status",
      "--git-dir /x log",
    ],
    ...[
      "--work-tree=/ status",
      "--namespace=x fetch",
      "--bare log",
      "-p log",
      "--paginate log",
      "--no-pager -c a=b log",
    ],
    ...[
      "--super-prefix=x log",
      "--html-path",
      "--list-cmds=main",
      "--attr-source=x log",
      "--",
      "--no-pager -C x status",
    ],
    ...["--literal-pathspecs --git-dir=x log", "--config=x log", "--exec-pat=/x fetch", "--version -c x=y"],
  );
});

test("programs that options name, in every spelling, each beside its twin", () => {
  for (const [bad, good] of [
    ["fetch --upload-pack=env", "fetch origin"],
    ["fetch --upload-pac=env", "fetch --prune"],
    ["fetch --upload-pack env", "fetch --depth 1"],
    ["fetch --exec=env", "fetch --append"],
    ["fetch origin --upload-pack=env", "fetch origin main"],
    ["fetch --up=env", "fetch --update-shallow"],
    ["fetch -o x", "fetch -p"],
    ["pull --upload-pack=env", "pull origin"],
    ["push --receive-pack=env", "push origin"],
    ["push --receive=env", "push --thin"],
    ["push --exec=env", "push --porcelain"],
    ["push --repo=ext::env", "push origin"],
    ["push --signed", "push --no-signed"],
    ["clone -u env https://h/x", "clone -v https://h/x"],
    ["clone -uenv https://h/x", "clone -q https://h/x"],
    ["clone -qu env https://h/x", "clone -qv https://h/x"],
    ["clone --upload-pack=env https://h/x", "clone --bare https://h/x"],
    ["clone --template=/x https://h/x", "clone --no-tags https://h/x"],
    ["clone --templ=/x https://h/x", "clone --mirror https://h/x"],
    ["clone -c core.fsmonitor=env https://h/x", "clone -n https://h/x"],
    ["clone --config core.x=y https://h/x", "clone --depth 1 https://h/x"],
    ["clone --recurse-submodules https://h/x", "clone --no-recurse-submodules https://h/x"],
    ["clone --separate-git-dir=/x https://h/x", "clone --single-branch https://h/x"],
    ["clone --reference /x https://h/x", "clone -b x https://h/x"],
    ["clone --bundle-uri=https://e/x https://h/x", "clone --progress https://h/x"],
    ["ls-remote --upload-pack=env origin", "ls-remote --heads origin"],
    ["ls-remote --exec env", "ls-remote --exit-code"],
    ["grep --open-files-in-pager=env x", "grep -n x"],
    ["grep -Oenv x", "grep -o x"],
    ["grep -nOenv x", "grep -no x"],
    ["grep -O x", "grep -l x"],
    ["grep --textconv x", "grep --no-textconv x"],
    ["grep -f /etc/passwd", "grep -F x"],
    ["grep --no-index x", "grep --untracked x"],
    ["diff --ext-diff", "diff --no-ext-diff"],
    ["diff --ext", "diff --exit-code"],
    ["diff --textconv", "diff --text"],
    ["diff --no-index a b", "diff a b"],
    ["diff --output=x", "diff --stat"],
    ["diff --outp=x", "diff --summary"],
    ["diff -O/x", "diff -w"],
    ["diff --submodule=diff", "diff --no-color"],
    ["diff --ignore-submodules=none", "diff --full-index"],
    ["log --output=/x", "log --oneline"],
    ["log --show-signature", "log --source"],
    ["log --ext-diff -p", "log -p"],
    ["show --textconv x", "show x"],
    ["blame --contents /etc/passwd a", "blame -w a"],
    ["rebase -x env main", "rebase main"],
    ["rebase --exec env main", "rebase --empty=drop main"],
    ["rebase --exec=env", "rebase --skip"],
    ["rebase -i main", "rebase --autosquash main"],
    ["rebase --interactive", "rebase --abort"],
    ["rebase --edit-todo", "rebase --quit"],
    ["pull --rebase=interactive", "pull --rebase=merges"],
    ["pull -ri", "pull -r"],
    ["merge -s evil x", "merge -s ort x"],
    ["merge --strategy=/x/evil x", "merge --strategy=ours x"],
    ["merge -sevil x", "merge -sours x"],
    ["merge -S x", "merge --squash x"],
    ["commit -S -m x", "commit -s -m x"],
    ["commit --gpg-sign=k -m x", "commit --no-gpg-sign -m x"],
    ["commit -F /proc/self/environ", "commit -F -"],
    ["commit --file=x", "commit --file=-"],
    ["commit -t x", "commit -m x"],
    ["commit -p", "commit -a"],
    ["add -p", "add -u"],
    ["add -i", "add -n ."],
    ["add -e", "add -f x"],
    ["checkout -p", "checkout -f"],
    ["checkout --recurse-submodules x", "checkout --no-recurse-submodules x"],
    ["tag -s v1", "tag -a v1 -m x"],
    ["tag -v v1", "tag -l v1"],
    ["tag -F /etc/passwd v1", "tag -m x v1"],
    ["branch --edit-description", "branch --list"],
    ["init --template=/x", "init -q"],
    ["init --separate-git-dir=/x", "init --bare"],
    ["format-patch -o /x HEAD", "format-patch --stdout HEAD"],
    ["submodule foreach env", "submodule status"],
    ["submodule update --init", "submodule"],
    ["worktree add ../x", "worktree list"],
    ["bisect run env", "bisect reset"],
    ["bisect visualize", "bisect log"],
    ["remote add x ext::sh", "remote add x https://h/x"],
    ["remote set-url origin file:///x", "remote set-url origin https://h/x"],
    ["config core.fsmonitor env", "config core.autocrlf true"],
    ["config alias.x !env", "config alias.x"],
    ["config set core.pager env", "config get core.pager"],
    ["config --global user.name x", "config user.name x"],
    ["config --file /x a.b c", "config --local user.name x"],
    ["config -f /x -l", "config -l"],
    ["config --edit", "config --list"],
    ["config --unset core.bare", "config --unset user.name"],
    ["config --add url.x.insteadOf y", "config --get url.x.insteadOf"],
    ["config --replace-all core.pager x", "config user.email x"],
    ["reflog expire --all", "reflog"],
    ["notes edit", "notes list"],
  ] as const) {
    refused(bad);
    if (bad !== "submodule update --init") passes(good);
  }
});

test("sub-commands that never pass", () => {
  refused(
    ...[
      "difftool -x env",
      "mergetool",
      "filter-branch --tree-filter env",
      "credential fill",
      "credential-store get",
      "daemon",
    ],
    ...[
      "instaweb",
      "send-email x",
      "remote-ext a b",
      "remote-https a b",
      "archive --remote=x HEAD",
      "archive --exec=x HEAD",
    ],
    ...[
      "help -w log",
      "help log",
      "var -l",
      "hook run x",
      "maintenance start",
      "bugreport",
      "x",
      "gui",
      "citool",
      "svn",
      "p4",
    ],
    ...[
      "upload-pack .",
      "receive-pack .",
      "shell",
      "fast-import",
      "hash-object -w x",
      "update-index",
      "for-each-repo",
      "lfs x",
    ],
    ...[
      "Status",
      "status_",
      "sh-setup",
      "web--browse",
      "log --help",
      "credential-cache--daemon",
      "fsmonitor--daemon",
      "toString",
    ],
    ...[
      "__proto__",
      "constructor",
      "http-fetch x",
      "imap-send",
      "request-pull",
      "cvsserver",
      "diagnose",
      "bundle create x",
    ],
  );
});

test("only https, without a user, and remotes by name", () => {
  for (const url of [
    ...[
      "ext::sh_-c_env",
      "EXT::sh_-c_env",
      "Ext::sh",
      "fd::3",
      "FD::17,18",
      "foo::bar",
      "http::https://h/x",
      "file:///etc",
    ],
    ...[
      "FILE:///x",
      "ssh://h/x",
      "git://h/x",
      "http://h/x",
      "HTTPS://h/x",
      "ftp://h/x",
      "git@github.com:o/r",
      "h:x",
      "/etc",
    ],
    ...[
      "./x",
      "../x",
      ".",
      "..",
      "~/x",
      "C:\\x",
      "\\\\h\\x",
      "https://u:p@h/x",
      "https://u@h/x",
      "https://github.com@evil.example/x",
    ],
    ...[
      "https://h/x?y",
      "https://h/x#y",
      "https://h/%0a",
      "https:///x",
      "https://",
      "https://-h/x",
      "https:h",
      "-x",
      "--upload-pack=x",
    ],
    ...[
      "x.bundle",
      "https://h\nx/y",
      "https://h/x_y",
      "_https://h/x",
      "svn+ssh://h",
      "https://h:x/y",
      "https://h\\@evil/x",
    ],
  ]) {
    refused(
      `clone ${url}`,
      `fetch ${url}`,
      `pull ${url}`,
      `push ${url} main`,
      `ls-remote ${url}`,
      `remote add a ${url}`,
    );
    refused(`clone -- ${url}`, `fetch -- ${url}`, `remote set-url origin ${url}`);
  }
  refused(
    "clone",
    "clone https://h/x /etc/x",
    "clone https://h/x ../x",
    "clone https://h/x -- ../x",
    "clone https://h/x a b",
  );
  refused(
    "init /x",
    "init ../x",
    "init -- /x",
    "fetch --multiple origin ext::sh",
    "fetch origin -- --upload-pack=x",
  );
  refused("push -o ext::x origin", "clone -b ext::sh https://h/x");
  passes(
    "fetch upstream",
    "fetch my-fork/x",
    "fetch --multiple a b",
    "clone https://[::1]:8443/x",
    "fetch https://h",
  );
});

test("values that begin with a dash are judged as options, so a wrong table lets none through", () => {
  refused(
    "fetch --depth --upload-pack=env",
    "commit -m --exec=x",
    "log -S --output=x",
    "clone -b --upload-pack=x https://h/x",
  );
  refused("commit -m", "commit -m --", "log -n -- --output=x");
  passes("commit -m---", "commit --message=--x", "log -S--x");
});

test("no file of a process", () => {
  refused(
    "diff /dev/null /proc/self/environ",
    "add /proc/self/environ",
    "show -- /proc/1/environ",
    "log -- //proc/self/x",
  );
  refused("diff x ../../../proc/self/environ", "apply /proc/self/fd/3", "diff a /./proc/self/environ");
  passes("diff a process/environ", "add src/proc/x", "diff /dev/null a");
});

test("which git talks to a service, and what a rule sees", () => {
  for (const line of [
    "fetch",
    "pull origin",
    "push",
    "clone https://h/x",
    "ls-remote",
    "--no-pager fetch",
    "remote show origin",
  ]) {
    assert.ok(gitTalks(words(line)), line);
  }
  for (const line of [
    "status",
    "add .",
    "commit -m fetch",
    "log",
    "remote -v",
    "remote add a https://h/x",
    "",
    "checkout push",
  ]) {
    assert.ok(!gitTalks(words(line)), line);
  }
  assert.deepEqual(gitArguments(["--no-pager", "log", "-P"]), ["log", "-P"]);
});

const waysOut = [
  ...[
    "-c",
    "--config-env=a=b",
    "--exec-path=/x",
    "-C",
    "--git-dir=/x",
    "--git-dir",
    "--work-tree=x",
    "--namespace=x",
  ],
  ...[
    "--upload-pack=x",
    "--upload-pack",
    "--upload-pac=x",
    "--receive-pack=x",
    "--exec=x",
    "--exec",
    "--open-files-in-pager=x",
  ],
  ...[
    "--ext-diff",
    "--textconv",
    "--template=x",
    "--config=x",
    "--output=x",
    "--no-index",
    "--interactive",
    "--edit-todo",
  ],
  ...[
    "--recurse-submodules",
    "--signed",
    "--show-signature",
    "--bundle-uri=x",
    "--reference=x",
    "--gpg-sign",
    "-Ox",
  ],
];
const harmless = [
  "-v",
  "origin",
  "main",
  "--all",
  "-q",
  "--depth",
  "1",
  "-n",
  "HEAD",
  "a.txt",
  "https://h/x",
  "-m",
  "x",
  "-p",
  "status",
];

test("property: no line that holds a way out in front of -- ever passes", () => {
  // These ask an ordinary question behind some sub-commands; in front of one they never do.
  const plain = waysOut.filter((word) => !/^(?:-[cC]|--git-dir)$/.test(word));
  fc.assert(
    fc.property(
      fc.constantFrom(...gitCommands),
      fc.array(fc.constantFrom(...harmless), { maxLength: 5 }),
      fc.constantFrom(...plain),
      fc.array(fc.constantFrom(...harmless), { maxLength: 3 }),
      (command, before, bad, after) => {
        assert.ok(
          gitPreset([command, ...before, bad, ...after]),
          [command, ...before, bad, ...after].join(" "),
        );
      },
    ),
    { numRuns: 5000 },
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...waysOut),
      fc.array(fc.constantFrom(...harmless, ...gitCommands)),
      (bad, rest) => {
        assert.ok(gitPreset([bad, ...rest]));
      },
    ),
  );
});

test("property: no line with another transport ever leads to a service", () => {
  const transports = fc.constantFrom(
    "ext::sh -c env",
    "EXT::x",
    "fd::1",
    "file:///x",
    "FiLe:///x",
    "ssh://h/x",
    "foo::x",
    "git://h/x",
  );
  fc.assert(
    fc.property(
      fc.constantFrom("clone", "fetch", "pull", "push", "ls-remote"),
      fc.array(fc.constantFrom(...harmless, "--"), { maxLength: 4 }),
      transports,
      fc.array(fc.constantFrom(...harmless, "--"), { maxLength: 3 }),
      (command, before, url, after) => {
        assert.ok(gitPreset([command, ...before, url, ...after]));
      },
    ),
    { numRuns: 3000 },
  );
});

test("property: any list of words is judged without a throw, and a reason is one printable line", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...gitCommands, ...waysOut, ...harmless), fc.string()), {
        maxLength: 8,
      }),
      (args) => {
        const reason = gitPreset(args);
        if (reason !== undefined) assert.match(reason, /^[\x20-\x7e…]+$/);
      },
    ),
    { numRuns: 3000 },
  );
});
