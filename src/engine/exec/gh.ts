// What gh never does here, whatever the rules on arguments say: show or change its login, go to another host, read its
// own environment into an answer, or upload files, of which one could be a link to that environment.
import { ghCommands, ghGrammar } from "./gh-grammar.ts";
import { type GivenOption, type ReadArguments, readArguments, shown } from "./options.ts";
import { problemInFolder, readsProcess } from "./paths.ts";

const refused: Readonly<Record<string, string>> = {
  "auth token": "it prints the token",
  auth: "it shows or changes the login",
  alias: "an alias can be a shell command",
  extension: "an extension is a program",
  config: "it names the programs that gh starts",
  codespace: "it opens connections and shells",
  browse: "it starts a browser",
  secret: "it uploads values and files",
  "ssh-key": "it changes who may log in",
  "gpg-key": "it changes whom the account trusts",
  "release upload": "a file can be a link to the environment, which holds the token",
  "gist create": "a file can be a link to the environment, which holds the token",
  "gist edit": "it starts an editor",
  "repo deploy-key": "it changes who may log in",
};

/** Other names of a command would dodge the rules of the config. */
const sameAs: Readonly<Record<string, string>> = {
  new: "create",
  ls: "list",
  co: "checkout",
  dl: "download",
};

export function ghPreset(args: readonly string[]): string | undefined {
  const [group, name, ...rest] = args;
  if (group === undefined) return undefined;
  if (args.length === 1 && (group === "--version" || group === "--help")) return undefined;
  if (group.startsWith("-")) return `the option ${shown(group)} goes behind the command`;
  const whole = ghGrammar(group);
  const command = whole ? group : `${group} ${name ?? ""}`;
  const found = whole ?? ghGrammar(command);
  if (!found) return unknownCommand(group, name);
  const after = whole ? args.slice(1) : rest;
  if (after.length === 1 && (after[0] === "--help" || after[0] === "-h")) return undefined;
  const read = readArguments(found, after);
  const problem = typeof read === "string" ? read : problemIn(command, read, after);
  return problem && `gh ${command}: ${problem}`;
}

function unknownCommand(group: string, name: string | undefined): string {
  const full = `${group} ${name ?? ""}`.trim();
  const real = name === undefined || !Object.hasOwn(sameAs, name) ? undefined : sameAs[name];
  if (real && ghCommands.includes(`${group} ${real}`)) return `write gh ${group} ${real}, which is the same`;
  const reason = [full, group].find((one) => Object.hasOwn(refused, one));
  if (reason) return `gh ${shown(full)} is refused: ${refused[reason]}`;
  return `gh ${shown(full)} is not one that janee lets through`;
}

function problemIn(command: string, read: ReadArguments, words: readonly string[]): string | undefined {
  // `gh repo clone x -- --upload-pack=…` hands the rest to git; a search is the one that needs it.
  if (read.behind && !command.startsWith("search "))
    return '"--" is refused: what follows could be for another program';
  for (const word of words) {
    const problem = readsProcess(word);
    if (problem) return problem;
  }
  for (const option of read.options) {
    const problem = problemInOption(command, option);
    if (problem) return problem;
  }
  if (command.startsWith("search ") || command === "status" || command === "version") return undefined;
  if (command === "api") return problemInEndpoint(read.operands);
  if (command === "release create" && read.operands.length > 1)
    return `files are refused: ${refused["release upload"]}`;
  const [first, ...others] = read.operands;
  if (command === "repo clone" && others[0] !== undefined) {
    const folder = problemInFolder(others[0]);
    if (folder) return folder;
  }
  const single = command.startsWith("repo ") && first !== undefined ? problemInRepository(first) : undefined;
  return single ?? read.operands.map(problemInOperand).find((one) => one !== undefined);
}

/** A URL, or host/owner/name: gh would go to that host, and take the token of enterprise servers along. */
function problemInOperand(operand: string): string | undefined {
  if (/^https:\/\/github\.com\/[A-Za-z0-9._/-]*(?:#[A-Za-z0-9_-]*)?$/.test(operand)) return undefined;
  if (!/:\/\/|^[^/]*@|^git@|\\|^\/\//.test(operand)) return undefined;
  return `${shown(operand)} names another host: expected a number, a name, or an address on https://github.com`;
}

function problemInRepository(name: string): string | undefined {
  if (/^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/)?[A-Za-z0-9._-]+$/.test(name)) return undefined;
  if (/^https:\/\/github\.com\/[A-Za-z0-9_.-]+\/[A-Za-z0-9_.-]+$/.test(name)) return undefined;
  return `${shown(name)} is refused: expected OWNER/REPO, without a host`;
}

function problemInOption(command: string, { name, value: given }: GivenOption): string | undefined {
  // `-X=GET` is `-X GET` to gh.
  const value = name.length === 2 ? given?.replace(/^=/, "") : given;
  if (value === undefined) return undefined;
  switch (name) {
    case "--repo":
    case "-R":
    case "--source":
      return problemInRepository(value);
    case "-s":
      return command === "repo sync" ? problemInRepository(value) : undefined;
    case "-p":
    case "--template":
      return command === "repo create" ? problemInRepository(value) : undefined;
    case "--body-file":
    case "--notes-file":
    case "--input":
      return value === "-"
        ? undefined
        : `${name} takes "-" alone: text comes by standard input, not out of a file`;
    case "-F":
      return /^(?:api|workflow run)$/.test(command) ? problemInField(name, value) : fileOnly(name, value);
    case "--field":
      return problemInField(name, value);
    case "--jq":
    case "-q":
      // jq's `env` and `$ENV` are the environment of gh.
      return /env/i.test(value)
        ? `${name} cannot use "env": it is the environment, which holds the token`
        : undefined;
    case "-H":
    case "--header":
      if (command !== "api" || /^(?:accept|x-github-api-version)\s*:/i.test(value)) return undefined;
      return "of headers, only Accept and X-GitHub-Api-Version are let through";
    case "--dir":
    case "-D":
      return problemInFolder(value);
    case "--output":
    case "-O":
      return command === "release download" && value !== "-" ? problemInFolder(value) : undefined;
    default:
      return undefined;
  }
}

function fileOnly(name: string, value: string): string | undefined {
  return value === "-"
    ? undefined
    : `${name} takes "-" alone: text comes by standard input, not out of a file`;
}

/** `-F body=@/proc/self/environ` would send the token to wherever the request goes. */
function problemInField(name: string, value: string): string | undefined {
  const text = value.slice(value.indexOf("=") + 1);
  if (!text.startsWith("@") || text === "@-") return undefined;
  return `${name} cannot read a file: write the value out, use -f for text that begins with "@", or "@-" for standard input`;
}

/** A path below the API of the one host; an absolute address is another host's. */
function problemInEndpoint(operands: readonly string[]): string | undefined {
  const [endpoint, ...more] = operands;
  if (endpoint === undefined) return "expected the path of the API";
  if (more.length > 0) return "expected one path";
  const path = endpoint.split("?")[0] ?? "";
  const plain = /^\/?[A-Za-z0-9_{][A-Za-z0-9._~%{}:@!$&'()*+,;=/-]*$/.test(path);
  const strange = path.includes("//") || path.includes(":/") || /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i.test(path);
  if (plain && !strange && /^[^\s\\#]*$/.test(endpoint)) return undefined;
  return `${shown(endpoint)} is refused: expected a plain path, such as repos/OWNER/REPO/issues`;
}
