// Keys that lie in the clear in the file of an MCP client. What is found names the place; the key itself goes nowhere.
import type { ClientServer, Named } from "./client-server.ts";
import { knownServices } from "./services/index.ts";
import { laterScheme } from "./services/later.ts";

export interface PlainKey {
  /** `GITHUB_TOKEN`, `header Authorization`, `argument --api-key`. */
  readonly place: string;
  /** The command that takes the key over. */
  readonly remedy: string;
}

interface Shape {
  readonly shape: RegExp;
  readonly service: string;
}

/** What a text holds, from the vendors' own shapes: whole words of a text begin there. */
const shapes: readonly Shape[] = [
  ...[...knownServices.values()].flatMap(({ name, key }) =>
    key?.own === undefined ? [] : [{ shape: new RegExp(`(?<![A-Za-z0-9])(?:${key.own})`), service: name }],
  ),
  // Registries of packages, which are no services here: their tokens upload.
  { shape: /\bnpm_[A-Za-z0-9]{30,}/, service: "npm" },
  { shape: /\bpypi-[\w-]{32,}/, service: "pypi" },
];
/** Several vendors have keys like OpenAI's old ones. */
const generic: Shape = {
  shape: new RegExp(`\\b(?:${knownServices.get("openai")?.key?.shape ?? "$^"})`),
  service: "openai",
};

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
  const service = namedService(name) ?? specific?.service ?? vendorOf(name) ?? loose?.service;
  return addition(service ?? "NAME");
}

function addition(service: string): string {
  const known = knownServices.get(service);
  const later = known && laterScheme(known.auth);
  if (later) return `janee does not have ${later} yet: give it to the program in some other way`;
  return known && !known.ownHost ? `janee add ${service}` : `janee add ${service} --base-url https://…`;
}

/** By the variable that the vendor's own tools read, or one that begins with the service's name: the longest. */
function namedService(name: string): string | undefined {
  const upper = name.toUpperCase().replaceAll("-", "_");
  const all = [...knownServices.values()];
  const exact = all.find(({ variables }) => variables.includes(upper));
  const begins = all.filter((one) => upper.startsWith(`${one.name.toUpperCase().replaceAll("-", "_")}_`));
  return exact?.name ?? begins.sort((a, b) => b.name.length - a.name.length)[0]?.name;
}

/** `ACME_API_KEY`: what stands before the words that every such name has. */
function vendorOf(name: string): string | undefined {
  const words = name.toLowerCase().split(/[_-]/);
  const common =
    /^(?:x|api|apikey|access|secret|private|key|token|personal|bot|auth|authorization|password|pat|bearer|url)$/;
  const vendor = words.filter((word) => word !== "" && !common.test(word)).join("-");
  return /^[a-z0-9][a-z0-9_-]{0,40}$/.test(vendor) ? vendor : undefined;
}
