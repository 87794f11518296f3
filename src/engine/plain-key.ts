// Keys that lie in the clear in the file of an MCP client. What is found names the place; the key itself goes nowhere.
import type { ClientServer, Named } from "./client-server.ts";
import { knownServices } from "./known-services.ts";

export interface PlainKey {
  /** `GITHUB_TOKEN`, `header Authorization`, `argument --api-key`. */
  readonly place: string;
  /** The command that takes the key over. */
  readonly remedy: string;
}

interface Shape {
  readonly shape: RegExp;
  readonly service?: string;
  readonly baseUrl?: string;
}

/** How vendors begin their keys. The generic one comes last. */
const shapes: readonly Shape[] = [
  { shape: /(?:\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,})/, service: "github" },
  { shape: /\bglpat-[\w.-]{16,}/, service: "gitlab" },
  { shape: /\bsk-ant-[\w-]{16,}/, service: "anthropic" },
  { shape: /\bsk-or-[\w-]{16,}/, service: "openrouter" },
  { shape: /\bsk-(?:proj|svcacct|admin)-[\w-]{16,}/, service: "openai" },
  { shape: /\b[rs]k_(?:live|test)_\w{12,}/, service: "stripe" },
  { shape: /\bxox[abeoprs]-[\w-]{10,}|\bxapp-[\w-]{10,}/, service: "slack" },
  { shape: /\bSG\.[\w-]{16,}\.[\w-]{16,}/, service: "sendgrid" },
  { shape: /\blin_api_\w{16,}/, service: "linear" },
  { shape: /\bntn_\w{16,}|\bsecret_[A-Za-z0-9]{40,}/, service: "notion" },
  { shape: /\bsntry[su]_[\w=+/.-]{16,}/, service: "sentry" },
  { shape: /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/, service: "aws" },
  { shape: /\bnpm_[A-Za-z0-9]{30,}/, service: "npm" },
  { shape: /\bhf_[A-Za-z0-9]{20,}/, service: "huggingface", baseUrl: "https://huggingface.co" },
  { shape: /\bAIza[\w-]{30,}/, service: "google", baseUrl: "https://generativelanguage.googleapis.com" },
  { shape: /\bgsk_[A-Za-z0-9]{20,}/, service: "groq", baseUrl: "https://api.groq.com" },
  { shape: /\bxai-[A-Za-z0-9]{20,}/, service: "xai", baseUrl: "https://api.x.ai" },
  { shape: /\bpplx-[A-Za-z0-9]{20,}/, service: "perplexity", baseUrl: "https://api.perplexity.ai" },
  { shape: /\bdop_v1_[a-f0-9]{32,}/, service: "digitalocean", baseUrl: "https://api.digitalocean.com" },
  { shape: /\bfigd_[\w-]{20,}/, service: "figma", baseUrl: "https://api.figma.com" },
  { shape: /\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}/, service: "shopify" },
  { shape: /\bATATT[\w=-]{20,}/, service: "atlassian" },
  { shape: /\bpypi-[\w-]{32,}/, service: "pypi" },
];
/** Several vendors use it. */
const generic: Shape = { shape: /\bsk-[A-Za-z0-9]{20,}/, service: "openai" };

const secretName =
  /(?:^|[_-])(?:api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key|token|secret|password|pat)$/i;
const secretHeader = /^(?:proxy-)?authorization$|^bearer_token$|(?:^|[-_])(?:api-?key|key|token|secret)$/i;

export function plainKeys(server: ClientServer): PlainKey[] {
  const found = [
    ...server.environment.map((one) => judge(one, shownName(one.name), secretName)),
    ...server.headers.map((one) => judge(one, `header ${shownName(one.name)}`, secretHeader)),
    ...server.args.map((_, index) => judgeArgument(server.args, index)),
    ...parametersOf(server.url).map((one) => judge(one, `URL, parameter ${shownName(one.name)}`, secretName)),
    server.url === undefined ? undefined : judge({ name: "", value: server.url }, "URL", /^$(?!)/),
  ].filter((one) => one !== undefined);
  return found.filter(({ place }, index) => found.findIndex((one) => one.place === place) === index);
}

/** A name out of a file is shown, unless a key stands where the name should. */
export function shownName(name: string): string {
  const secret = [...shapes, generic].some(({ shape }) => shape.test(name)) || name.length > 100;
  return secret ? "(a name that looks like a key)" : name;
}

function judge({ name, value }: Named, place: string, telling: RegExp): PlainKey | undefined {
  const specific = shapes.find(({ shape }) => shape.test(value));
  const loose = specific ?? (generic.shape.test(value) ? generic : undefined);
  if (!loose && !(telling.test(name) && isLiteral(value))) return undefined;
  return { place, remedy: remedyFor(name, specific, loose) };
}

/** `--api-key VALUE`, `--token=VALUE`, `-e NAME=VALUE`, `--header "Name: VALUE"`, or a key alone. */
function judgeArgument(args: readonly string[], index: number): PlainKey | undefined {
  const value = args[index] ?? "";
  const before = args[index - 1] ?? "";
  const set = /^(-{0,2}[A-Za-z][\w-]*)=(.*)$/s.exec(value);
  if (set)
    return judge(
      { name: flagName(set[1]), value: set[2] ?? "" },
      `argument ${shownName(set[1] ?? "")}`,
      secretName,
    );
  const header = /^([A-Za-z][\w-]*)\s*:\s*(.*)$/s.exec(value);
  if (header && /^-(?:H|-header)$/.test(before)) {
    return judge(
      { name: header[1] ?? "", value: header[2] ?? "" },
      `header ${shownName(header[1] ?? "")}`,
      secretHeader,
    );
  }
  const flag = /^--?[A-Za-z][\w-]*$/.test(before) ? before : undefined;
  const place = flag === undefined ? `argument ${index + 1}` : `argument ${shownName(flag)}`;
  return judge({ name: flag === undefined ? "" : flagName(flag), value }, place, secretName);
}

function flagName(flag = ""): string {
  return flag.replace(/^-+/, "");
}

function parametersOf(url: string | undefined): Named[] {
  if (url === undefined || !URL.canParse(url)) return [];
  return [...new URL(url).searchParams].map(([name, value]) => ({ name, value }));
}

/** A value, and neither a reference to one nor what a template leaves to be filled in. */
function isLiteral(value: string): boolean {
  const bare = value.replace(/^(?:bearer|basic|token)\s+/i, "").trim();
  if (bare.length < 8 || /\s/.test(bare) || /^\d+$/.test(bare)) return false;
  if (/^(?:\$\w+|%\w+%|\$?\{[^}]*\}|<.*>|\[.*\]|op:\/\/.*|[./~]\S*\/\S*)$/.test(bare)) return false;
  if (/^(?:\$\{[^}]*\}|\{(?:env|file|input):[^}]*\})+$/.test(bare)) return false;
  return !/your[-_ ]|placeholder|change[-_]?me|example|^x+$|^\*+$|^\.+$/i.test(bare);
}

function remedyFor(name: string, specific: Shape | undefined, loose: Shape | undefined): string {
  const named = namedService(name);
  if (named) return `janee add ${named}`;
  if (specific) return addition(specific);
  const vendor = vendorOf(name);
  if (vendor) return addition({ service: vendor });
  return loose ? addition(loose) : "janee add NAME --base-url https://…";
}

function addition({
  service = "NAME",
  baseUrl,
}: {
  readonly service?: string;
  readonly baseUrl?: string;
}): string {
  return Object.hasOwn(knownServices, service)
    ? `janee add ${service}`
    : `janee add ${service} --base-url ${baseUrl ?? "https://…"}`;
}

/** By the variable that the vendor's own tools read, or one that begins with the service's name. */
function namedService(name: string): string | undefined {
  const upper = name.toUpperCase().replaceAll("-", "_");
  return Object.entries(knownServices).find(([service, { variable }]) => {
    return upper === variable || upper.startsWith(`${service.toUpperCase()}_`);
  })?.[0];
}

/** `DEEPSEEK_API_KEY`: what stands before the words that every such name has. */
function vendorOf(name: string): string | undefined {
  const words = name.toLowerCase().split(/[_-]/);
  const common =
    /^(?:x|api|apikey|access|secret|private|key|token|personal|bot|auth|authorization|password|pat|bearer|url)$/;
  const vendor = words.filter((word) => word !== "" && !common.test(word)).join("-");
  return /^[a-z0-9][a-z0-9_-]{0,40}$/.test(vendor) ? vendor : undefined;
}
