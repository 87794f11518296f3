// The attack corpus, and how a case of it is put to the proxy.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./janee.ts";

export interface UpstreamResponse {
  readonly status?: number;
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Readonly<Record<string, unknown>>;
  readonly raw?: string;
  readonly chunks?: string;
  readonly connect?: readonly string[];
}

export interface Case {
  readonly id: string;
  readonly group: string;
  readonly surface: string;
  readonly input: {
    readonly title?: string;
    readonly rules?: readonly string[];
    readonly method?: string;
    readonly target?: string;
    readonly raw_target?: string;
    readonly raw?: string;
    readonly headers?: Readonly<Record<string, string | { readonly $repeat: readonly [string, number] }>>;
    readonly body?: string;
    readonly key?: string;
    readonly inject?: string;
    readonly token?: string | null;
    readonly upstream_response?: UpstreamResponse;
  };
  readonly expect: {
    readonly outcome: string | readonly string[];
    readonly status?: number;
    readonly code?: string;
    readonly status_in?: readonly number[];
    readonly upstream_saw?: string | null;
    readonly upstream_requests?: number;
    readonly upstream_requests_max?: number;
    readonly upstream_headers_absent?: readonly string[];
    readonly upstream_auth?: string;
    readonly contains_key?: boolean;
    readonly replacement?: string;
    readonly body_unchanged?: boolean;
    readonly response_headers_absent?: readonly string[];
    readonly connection_closed?: boolean;
    readonly audited?: boolean;
    readonly redactions?: number;
    readonly max_rss_mb?: number;
  };
}

const folder = join(root, "test/corpus");

export function readCorpus(): Case[] {
  const files = readdirSync(folder).filter((name) => name.endsWith(".jsonl"));
  return files.sort().flatMap((name) =>
    readFileSync(join(folder, name), "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Case),
  );
}

/** Why a case is not put to the proxy. A case that is neither here nor run fails the test of the corpus. */
export const notOverHttp: Readonly<Record<string, string>> = {
  // Groups of other faces, which have tests of their own or come with a later issue.
  approval:
    "questions and answers: mcp.test.ts, mcp-calls.test.ts; by command: sessions.test.ts; of commands: exec.test.ts",
  audit: "the log itself: test/engine/audit, test/host/journal, canary.test.ts",
  cli: "commands: binary.test.ts and canary.test.ts; `janee run` comes later",
  config: "the reader of the config: test/engine/read-config.test.ts",
  "rules-config": "the reader of the config: test/engine/read-config.test.ts",
  store: "the vault and its files: test/engine/seal, test/host/files and keyring",
  exec: "commands: exec-corpus.test.ts",
  "forward-proxy": "the forward proxy comes later",
  mcp: "tool calls: mcp.test.ts, mcp-calls.test.ts, mcp-http.test.ts, mcp-abuse.test.ts",
  signing: "signatures: signing.test.ts; tokens of GitHub Apps: github-app.test.ts",
  // Cases of groups that are run.
  "DOS-009": "100,000 parameters are 700 kB of head: heads are bounded, so this is refused (DOS-005)",
  "HDR-011": "over HTTP a foreign Host is 403 by contract: WEB-001",
  "HDR-017": "CR LF in a value is two header fields in a raw head",
  "HDR-020": "over HTTP these are bytes beyond ASCII, which a field may carry; over MCP: faces.test.ts",
  "HDR-029": "two framings are refused over HTTP: HDR-066, the same head",
  "RULE-010":
    "methods are case-sensitive on the wire (RFC 9110 section 9.1): it is 400; over MCP: faces.test.ts",
  "LEAK-070m": "an exception cannot be provoked from outside; the text of errors: canary.test.ts",
  "SESS-006": "the clock is a port: test/engine",
  "SESS-014": "sessions.test.ts: rules edited while serving",
  "SESS-016": "no client names itself to the proxy; a token of another capability: proxy.test.ts",
  "SESS-018": "a stream of MCP: mcp-http.test.ts",
  "SESS-019": "an agent opens sessions through MCP only: mcp-http.test.ts",
  "SESS-020": "canary.test.ts and sessions.test.ts: the token is in no file",
  "SESS-021": "sessions.test.ts in small, scripts/soak in large",
  "WEB-009": "against /_janee/: page.test.ts",
  "WEB-010": "against /_janee/: page.test.ts",
  "WEB-011": "against /_janee/: page.test.ts",
  "WEB-012": "against /_janee/: page.test.ts",
  "WEB-017": "against /mcp: mcp-http.test.ts",
  "WEB-018": "against /mcp: mcp-http.test.ts",
  "WEB-020": "against /mcp: mcp-http.test.ts",
  "WEB-021": "against /mcp: mcp-http.test.ts",
  "WEB-027": "against /_janee/: page.test.ts",
};

/** Where a case about commands is shown that is no single tool call. */
export const notOverExec: Readonly<Record<string, string>> = {
  "EXEC-006": "exec-corpus.test.ts: a home of its own",
  "EXEC-087": "exec.test.ts",
  "EXEC-088": "exec.test.ts: what is listed is scrubbed; the rest is a limit that the README names",
  "EXEC-089": "exec-corpus.test.ts: a limit that the README names",
  "EXEC-090": "exec.test.ts",
  "EXEC-091": "exec-corpus.test.ts: a limit that the README names",
  "EXEC-093": "exec-corpus.test.ts: a limit that the README names",
  "EXEC-094": "exec-corpus.test.ts: a limit that the README names",
  "EXEC-096": "exec.test.ts",
  "EXEC-100": "exec.test.ts",
  "EXEC-101": "exec.test.ts",
  "EXEC-103": "exec.test.ts: stdin is at its end; gh auth login is refused as it is",
  "EXEC-108": "exec.test.ts",
  "EXEC-109": "exec-git.test.ts",
  "EXEC-111": "exec-git.test.ts",
};

/** Why a case of a group that is about requests is not put to MCP. */
export const notOverMcp: Readonly<Record<string, string>> = {
  "path-cross-service":
    "a raw target that names two capabilities: a tool call names one, apart from its path",
  "path-wire": "a request line in bytes: a tool call has none",
  "HDR-066":
    "two framings are refused on the wire; a tool call has none, and both names are dropped: HDR-029",
  "LEAK-045m": "a tool call shows the first MiB of it and reads no further: mcp-calls.test.ts",
  "LEAK-045r": "corpus.test.ts",
  "LEAK-070m": "an exception cannot be provoked from outside; the text of errors: mcp-abuse.test.ts",
};

/** Why a case is put to MCP on stdio and over HTTP, and not to the reverse proxy beside them. */
export const onlyOverMcp: Readonly<Record<string, string>> = {
  "HDR-011": "over HTTP a foreign Host is 403 by contract: WEB-001",
  "HDR-017": "CR LF in a value is two header fields in a raw head",
  "HDR-020": "over HTTP these are bytes beyond ASCII, which a field may carry; MCP truncates no code unit",
  "HDR-029": "two framings are refused over HTTP: HDR-066, the same head",
  "RULE-010": "on the wire a method is case-sensitive (RFC 9110 section 9.1); a tool call's is upper-cased",
};

/** Why a case is refused on the wire before its target is looked at, so that the codes differ. */
export const refusedByTheWire: Readonly<Record<string, string>> = {
  "PATH-047m": "a tab in a request line",
  "PATH-052m": "a space in a request line",
  "PATH-054m": "a control character in a request line",
  "PATH-055m": "bytes beyond ASCII in a request line",
  "PATH-061m": "a target without a slash stands behind no capability's name: it is the whole request target",
  "PATH-062m": "as PATH-061m",
  "PATH-066m": "as PATH-061m",
  "PATH-067m": "as PATH-061m",
  "PATH-070m": "as PATH-061m",
};

const ofRequests = [
  "headers",
  "leak",
  "path",
  "path-accept",
  "path-cross-service",
  "path-origin",
  "path-wire",
];

/** Whether a case is put to every face: see notOverMcp for those that are not. */
export function overFaces(one: Case): boolean {
  const isOfRequest = [...ofRequests, "redirect", "rules"].includes(one.group);
  return isOfRequest && notOverMcp[one.group] === undefined && notOverMcp[one.id] === undefined;
}

export function isRun(one: Case): boolean {
  return notOverHttp[one.group] === undefined && notOverHttp[one.id] === undefined;
}

/** A target that cannot stand behind a capability's name is sent as the whole request target. */
export function targetOn(capability: string, target: string): string {
  return target.startsWith("/") ? `/${capability}${target}` : target;
}

/** Bytes that look random and are the same each time. */
export function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 0x2545f491;
  for (let index = 0; index < length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state & 0xff;
  }
  return bytes;
}
