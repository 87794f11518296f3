// The environment of a command that runs behind the forward proxy: no real key, a placeholder for each.
import type { Service } from "../../engine/config.ts";
import { baseUrlVariable, variablesOf } from "../../engine/vendor-variables.ts";

export type Variables = Readonly<Record<string, string | undefined>>;

export interface RunWish {
  readonly parent: Variables;
  /** With the token. */
  readonly proxyUrl: string;
  /** Marks the child, so that a run inside a run is recognised. */
  readonly id: string;
  /** Nothing of the parent's but what a program needs to start. */
  readonly pristine: boolean;
  /** Every configured service: its real key is nobody's to see. */
  readonly services: readonly Service[];
  /** In order, those that the command may use, each with what stands for its key. */
  readonly used: readonly { readonly service: Service; readonly placeholder: string }[];
  /** Variables that a person chose for a service's key. */
  readonly mapped: ReadonlyMap<string, string>;
  /** Values that are real credentials. */
  readonly isSecret: (value: string) => boolean;
  readonly files: {
    readonly bundle: string;
    readonly authority: string;
    readonly wgetrc: string;
    readonly node: string;
  };
}

export interface RunEnvironment {
  readonly variables: Record<string, string>;
  /** Names whose real value the child does not get. */
  readonly withheld: readonly string[];
}

/** Lists of authorities, roots of the system included: each of these replaces what a client would take otherwise. */
const bundleNames: readonly string[] = [
  ...["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "AWS_CA_BUNDLE", "PIP_CERT"],
  ...[
    "CARGO_HTTP_CAINFO",
    "HTTPLIB2_CA_CERTS",
    "NIX_SSL_CERT_FILE",
    "BUNDLE_SSL_CA_CERT",
    "HEX_CACERTS_PATH",
  ],
  ...["CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "NPM_CONFIG_CAFILE"],
];
/** Added to what a client trusts anyway. */
const additionalNames: readonly string[] = ["NODE_EXTRA_CA_CERTS", "DENO_CERT"];

const proxyNames: readonly string[] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

/** These start other code inside a Bun program, or are janee's own. */
function isJanees(name: string): boolean {
  return /^(?:BUN_OPTIONS$|BUN_BE_BUN$|JANEE_)/i.test(name);
}

const neededToStart =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|TERM|COLORTERM|NO_COLOR|LANG|LC_[A-Z]+|TZ|TMPDIR|TMP|TEMP|PWD|XDG_RUNTIME_DIR|SystemRoot|SystemDrive|ComSpec|PATHEXT|windir|USERPROFILE|APPDATA|LOCALAPPDATA)$/;

export function runEnvironment(wish: RunWish): RunEnvironment {
  const { parent, services, used, pristine, isSecret } = wish;
  const variables: Record<string, string> = {};
  const withheld: string[] = [];
  const vendors = new Set(services.flatMap((service) => variablesOf(service)));
  const referenced = new Set(services.flatMap(referencedVariables));
  for (const [name, value] of Object.entries(parent)) {
    if (value === undefined || isJanees(name)) continue;
    if (pristine && !neededToStart.test(name)) continue;
    if (value !== "" && (vendors.has(name) || referenced.has(name) || isSecret(value))) withheld.push(name);
    else variables[name] = value;
  }
  for (const { service, placeholder } of used) {
    const baseUrl = baseUrlVariable(service);
    for (const name of variablesOf(service)) if (variables[name] === undefined) variables[name] = placeholder;
    if (baseUrl) variables[baseUrl[0]] = baseUrl[1];
  }
  for (const [name, value] of wish.mapped) variables[name] = value;
  const hosts = used.flatMap(({ service }) => service.base?.host ?? []);
  return { variables: { ...variables, ...ways(wish, variables, hosts) }, withheld: withheld.sort() };
}

function referencedVariables({ auth }: Service): string[] {
  return [...auth.secret.values()].flatMap((stored) =>
    stored.kind === "reference" ? (/^env:(.+)$/s.exec(stored.text)?.[1]?.trim() ?? []) : [],
  );
}

/** How the child reaches the world, and whom it trusts on the way. */
function ways(wish: RunWish, child: Variables, hosts: readonly string[]): Record<string, string> {
  const { files, proxyUrl, id } = wish;
  const made: Record<string, string> = { JANEE_RUN: id };
  const direct = noProxy(child, hosts);
  for (const [name, value] of [
    ...proxyNames.map((one) => [one, proxyUrl] as const),
    ["NO_PROXY", direct] as const,
  ]) {
    made[name] = value;
    made[name.toLowerCase()] = value;
  }
  for (const name of bundleNames) made[name] = files.bundle;
  for (const name of additionalNames) made[name] = files.authority;
  made.WGETRC = files.wgetrc;
  // Node 22.21 and 24 obey the proxy's variables when told so; for older ones a few lines are loaded first.
  made.NODE_USE_ENV_PROXY = "1";
  made.NODE_OPTIONS = [child.NODE_OPTIONS ?? "", `--require ${quoted(files.node)}`].join(" ").trim();
  return made;
}

function quoted(path: string): string {
  return /[\s"\\]/.test(path) ? `"${path.replace(/["\\]/g, "\\$&")}"` : path;
}

const thisMachine: readonly string[] = ["localhost", "127.0.0.1", "::1"];

/** This machine is reached directly, and what was before; but never a service, whose requests need their key. */
function noProxy(child: Variables, hosts: readonly string[]): string {
  const before = (child.NO_PROXY ?? child.no_proxy ?? "").split(",").map((entry) => entry.trim());
  const entries = [...new Set([...thisMachine, ...before])].filter((entry) => entry !== "" && entry !== "*");
  return entries.filter((entry) => !hosts.some((host) => covers(entry.toLowerCase(), host))).join(",");
}

function covers(entry: string, host: string): boolean {
  const name = entry
    .replace(/:\d+$/, "")
    .replace(/^\*?\./, "")
    .replace(/^\[|\]$/g, "");
  return host === name || host.endsWith(`.${name}`);
}
