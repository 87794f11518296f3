import assert from "node:assert/strict";
import { test } from "node:test";
import type { Auth } from "../../../src/engine/credential/scheme.ts";
import { fillEnvironment, problemInVariable } from "../../../src/engine/exec/environment.ts";
import { Failure } from "../../../src/engine/failure.ts";
import { readConfig } from "../../../src/engine/read-config.ts";
import { Secret } from "../../../src/engine/secret.ts";
import { read, refused } from "../config-sample.ts";

function config(auth: string, envMap: string): string {
  return `services: {s: {auth: ${auth}}}\ncapabilities: {c: {service: s, mode: exec, allowCommands: [bird], envMap: ${envMap}}}\n`;
}

function filled(
  auth: string,
  values: Record<string, string>,
  opened: Record<string, string>,
): Record<string, string> {
  const { config: found } = read(config(auth, JSON.stringify(values)));
  const policy = found.capabilities.get("c")?.exec ?? assert.fail();
  const block: Auth = found.services.get("s")?.auth ?? assert.fail();
  const secrets = new Map(Object.entries(opened).map(([field, text]) => [field, new Secret(text)]));
  return Object.fromEntries(fillEnvironment(policy.envMap, block, secrets));
}

test("a placeholder alone, inside a longer value, and by field", () => {
  const bearer = "{type: bearer, key: env:K}";
  assert.deepEqual(
    filled(
      bearer,
      { A: "{{credential}}", B: "x {{credential}} {{credential.key}}", C: "plain" },
      { key: "k$&" },
    ),
    {
      A: "k$&",
      B: "x k$& k$&",
      C: "plain",
    },
  );
  const basic = "{type: basic, username: u, password: env:K}";
  assert.deepEqual(
    filled(
      basic,
      { U: "{{credential.username}}", P: "{{credential.password}}", A: "{{credential}}" },
      { password: "p" },
    ),
    { U: "u", P: "p", A: "u:p" },
  );
  const pair = "{type: basic, key: env:K}";
  assert.deepEqual(
    filled(
      pair,
      { U: "{{credential.username}}", P: "{{credential.password}}", A: "{{credential}}" },
      { key: "u:p:q" },
    ),
    { U: "u", P: "p:q", A: "u:p:q" },
  );
  assert.deepEqual(
    filled(pair, { U: "{{credential.username}}", P: "{{credential.password}}" }, { key: "sk" }),
    { U: "sk", P: "" },
  );
  const headers = "{type: headers, headers: {X-Id: env:A, X-Key: env:B}}";
  const opened = { "headers.X-Id": "i", "headers.X-Key": "k" };
  assert.deepEqual(filled(headers, { A: "{{credential.X-Id}}", B: "{{credential.headers.X-Key}}" }, opened), {
    A: "i",
    B: "k",
  });
});

test("a credential that looks like a placeholder stays what it is", () => {
  const values = { A: "{{credential}}" };
  assert.deepEqual(filled("{type: bearer, key: env:K}", values, { key: "{{credential}}" }), {
    A: "{{credential}}",
  });
});

test("unknown placeholders are refused where they stand, with the nearest right one", () => {
  const basic = "{type: basic, username: u, password: env:K}";
  assert.match(refused(config(basic, '{A: "{{credential.user}}"}')).message, /username/);
  assert.match(refused(config(basic, '{A: "{{credential.pasword}}"}')).message, /did you mean "password"/);
  const several = "{type: headers, headers: {X-Id: env:A, X-Key: env:B}}";
  assert.match(refused(config(several, '{A: "{{credential}}"}')).message, /several secrets.*X-Id/);
  for (const value of [
    ...[
      "{{credentials}}",
      "{{ credential }}",
      "{{Credential}}",
      "{{credential",
      "{{credential.}}",
      "{{}}",
      "{{key}}",
    ],
    ...["{{credential}}}}", "{{{{credential}}", "{{credential.key}}{{x}}"],
  ]) {
    const failure = readConfig(config("{type: bearer, key: env:K}", `{A: ${JSON.stringify(value)}}`), "f");
    assert.ok(failure instanceof Failure && failure.code === "config_invalid", value);
  }
});

test("variables that steer loaders and interpreters are nobody's to set; each has a twin", () => {
  for (const name of [
    ...[
      "LD_PRELOAD",
      "LD_LIBRARY_PATH",
      "LD_AUDIT",
      "DYLD_INSERT_LIBRARIES",
      "PATH",
      "Path",
      "HOME",
      "IFS",
      "ENV",
    ],
    ...[
      "NODE_OPTIONS",
      "NODE_PATH",
      "BUN_OPTIONS",
      "PYTHONSTARTUP",
      "PYTHONPATH",
      "PERL5OPT",
      "PERL5LIB",
      "RUBYOPT",
    ],
    ...[
      "RUBYLIB",
      "GIT_SSH_COMMAND",
      "GIT_CONFIG_COUNT",
      "GIT_ASKPASS",
      "JANEE_HOME",
      "JANEE_KEY",
      "BASH_ENV",
    ],
    ...[
      "SHELLOPTS",
      "PS4",
      "LESSOPEN",
      "PAGER",
      "EDITOR",
      "GH_PAGER",
      "GH_CONFIG_DIR",
      "JAVA_TOOL_OPTIONS",
      "LUA_INIT",
    ],
    ...[
      "XDG_CONFIG_HOME",
      "OPENSSL_CONF",
      "GLIBC_TUNABLES",
      "SSLKEYLOGFILE",
      "BASH_FUNC_x",
      "npm_config_prefix",
    ],
  ]) {
    assert.ok(problemInVariable(name), name);
    assert.equal(
      refused(config("{type: bearer, key: env:K}", `{${name}: "x"}`)).code,
      "config_invalid",
      name,
    );
  }
  for (const name of [
    ...[
      "TWITTER_API_KEY",
      "GH_TOKEN",
      "GITHUB_TOKEN",
      "GH_ENTERPRISE_TOKEN",
      "GH_HOST",
      "STRIPE_API_KEY",
      "TOKEN",
    ],
    ...[
      "GIT_AUTHOR_NAME",
      "GIT_COMMITTER_EMAIL",
      "AWS_ACCESS_KEY_ID",
      "NPM_TOKEN",
      "HOMEPAGE",
      "MY_PATH",
      "ENVIRONMENT",
    ],
    ...["OLDAPI_KEY", "PATHS", "NODEJS_KEY", "TZ", "LANG", "NO_COLOR"],
  ]) {
    assert.equal(problemInVariable(name), undefined, name);
    read(config("{type: bearer, key: env:K}", `{${name}: "x"}`));
  }
});
