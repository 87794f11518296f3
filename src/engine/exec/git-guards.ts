// What janee itself puts before and around git, so that neither the machine's settings nor the repository's say what
// git runs. What cannot be switched off from here is for `unsafeGitConfig` to find.

/** A later value wins over the repository's own; an empty one clears what it held before. */
const settings: readonly (readonly [key: string, value: string])[] = [
  // programs
  ["core.hooksPath", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["core.pager", "cat"],
  ["core.editor", ":"],
  ["sequence.editor", ":"],
  ["core.askPass", ""],
  ["core.sshCommand", "false"],
  ["interactive.diffFilter", ""],
  ["credential.helper", ""],
  ["gpg.program", "false"],
  ["gpg.openpgp.program", "false"],
  ["gpg.x509.program", "false"],
  ["gpg.ssh.program", "false"],
  ["commit.gpgSign", "false"],
  ["tag.gpgSign", "false"],
  ["push.gpgSign", "false"],
  ["log.showSignature", "false"],
  ["merge.verifySignatures", "false"],
  ["gc.auto", "0"],
  ["maintenance.auto", "false"],
  // other repositories inside this one, which have settings of their own
  ["submodule.recurse", "false"],
  ["fetch.recurseSubmodules", "false"],
  ["push.recurseSubmodules", "no"],
  ["status.submoduleSummary", "false"],
  ["diff.ignoreSubmodules", "all"],
  ["safe.bareRepository", "explicit"],
  // the way to the service
  ["protocol.allow", "never"],
  ["protocol.https.allow", "always"],
  ["protocol.ext.allow", "never"],
  ["protocol.fd.allow", "never"],
  ["protocol.file.allow", "never"],
  ["http.sslVerify", "true"],
  ["http.followRedirects", "initial"],
  ["http.extraHeader", ""],
  ["http.cookieFile", ""],
  ["http.saveCookies", "false"],
  ["http.proxy", ""],
  ["transfer.bundleURI", "false"],
];

export interface GitGuards {
  /** Before the arguments that were asked for. */
  readonly args: readonly string[];
  readonly environment: ReadonlyMap<string, string>;
}

/** For git itself, and for the git that gh starts: a `-c` reaches only the one, the environment both. */
export function gitGuards(): GitGuards {
  const environment = new Map([...gitLookEnvironment(), ["GIT_CONFIG_COUNT", `${settings.length}`]]);
  for (const [at, [key, value]] of settings.entries()) {
    environment.set(`GIT_CONFIG_KEY_${at}`, key).set(`GIT_CONFIG_VALUE_${at}`, value);
  }
  return { args: settings.flatMap(([key, value]) => ["-c", `${key}=${value}`]), environment };
}

/**
 * What the repository itself says, for `unsafeGitConfig`: run this where the command will run, without credential, and
 * without the guards' own settings, which would be listed as well.
 */
export function gitLook(): GitGuards {
  return { args: ["config", "--includes", "--list", "-z"], environment: gitLookEnvironment() };
}

/** Where the work tree begins. */
export function topLook(): GitGuards {
  return { args: ["rev-parse", "--show-toplevel"], environment: gitLookEnvironment() };
}

/** The same for the `.gitmodules` at the top of the work tree, where there is one. */
export function gitModulesLook(top: string): GitGuards {
  return {
    args: ["config", "--file", `${top}/.gitmodules`, "--list", "-z"],
    environment: gitLookEnvironment(),
  };
}

function gitLookEnvironment(): Map<string, string> {
  return new Map([
    ["GIT_CONFIG_NOSYSTEM", "1"],
    ["GIT_CONFIG_SYSTEM", "/dev/null"],
    ["GIT_CONFIG_GLOBAL", "/dev/null"],
    ["GIT_ATTR_NOSYSTEM", "1"],
    // Wins over every protocol.*.allow, also over that of a transport which this list does not know.
    ["GIT_ALLOW_PROTOCOL", "https"],
    ["GIT_PROTOCOL_FROM_USER", "0"],
    ["GIT_TERMINAL_PROMPT", "0"],
    ["GIT_EDITOR", ":"],
    ["GIT_SEQUENCE_EDITOR", ":"],
    ["GIT_PAGER", "cat"],
    ["PAGER", "cat"],
    ["GIT_SSH_COMMAND", "false"],
    ["GIT_SSH", "false"],
    ["GIT_OPTIONAL_LOCKS", "0"],
    ["GIT_ADVICE", "0"],
  ]);
}
