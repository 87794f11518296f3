// The variables that `envMap` sets: which names nobody may set, and what stands for the credential in a value.
import { schemeOf } from "../credential/index.ts";
import { type Auth, isMade, type OpenedSecrets } from "../credential/scheme.ts";
import { didYouMean } from "../nearest.ts";

/** Names that make a loader, an interpreter or a tool take code, or its whole configuration, from elsewhere. */
const steering: readonly RegExp[] = [
  /^(?:LD|DYLD|_RLD|LDR)_/,
  /^(?:JANEE|GIT|BUN|DENO|NODE|NPM_CONFIG|PYTHON|RUBY|PERL|GEM|BUNDLE|LUA|PHP|R|CARGO|RUSTC|RUSTUP)_/,
  /^(?:PYTHON|RUBY|PERL|BUNDLE|LUA|BASH_FUNC_)/,
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|ENV|BASH_ENV|ZDOTDIR|IFS|CDPATH|PS[0-4]|PROMPT_COMMAND|SHELLOPTS|BASHOPTS)$/,
  /^(?:GLIBC_TUNABLES|GCONV_PATH|LOCPATH|NLSPATH|HOSTALIASES|MALLOC_TRACE|TERMINFO|TERMINFO_DIRS|TERMCAP)$/,
  /^(?:JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|JDK_JAVA_OPTIONS|CLASSPATH|PHPRC|GOFLAGS|GOENV|DOTNET_STARTUP_HOOKS)$/,
  /^(?:EDITOR|VISUAL|PAGER|MANPAGER|BROWSER|LESSOPEN|LESSCLOSE|LESSKEY|FCEDIT|SUDO_ASKPASS|SSH_ASKPASS)$/,
  /^(?:OPENSSL_CONF|OPENSSL_MODULES|OPENSSL_ENGINES|SSLKEYLOGFILE|CURL_HOME|WGETRC|SSH_AUTH_SOCK)$/,
  /^GH_(?:PAGER|EDITOR|BROWSER|PATH|CONFIG_DIR|DEBUG)$/,
  /^XDG_(?:CONFIG|DATA|STATE|CACHE)_(?:HOME|DIRS)$/,
];

/** Who wrote a commit steers nothing, and git in an empty home does not commit without it. */
const harmless = /^GIT_(?:AUTHOR|COMMITTER)_(?:NAME|EMAIL|DATE)$/;

/** On Windows, and to some tools, `Path` is PATH. */
export function problemInVariable(name: string): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    return "expected the name of a variable, such as TWITTER_API_KEY";
  }
  const upper = name.toUpperCase();
  if (harmless.test(upper) || !steering.some((pattern) => pattern.test(upper))) return undefined;
  return "this variable decides which code a program loads or where it looks: janee does not set it";
}

const placeholder = /\{\{credential(?:\.([^{}\s]+))?\}\}/g;

/** What is wrong with a value of `envMap`; without `auth`, the fields of the service are not known. */
export function problemInValue(value: string, auth: Auth | undefined): string | undefined {
  if (/[\0]/.test(value)) return "a NUL character";
  const fields = auth && fieldsOf(auth);
  for (const [, field] of value.matchAll(placeholder)) {
    if (!fields) continue;
    const known = [...fields].map((name) => `{{credential.${name}}}`).join(", ");
    if (field === undefined && !hasWhole(auth)) {
      return `this service has several secrets: expected one of ${known}`;
    }
    if (field === undefined || fields.has(field)) continue;
    return `the service has no such field: expected {{credential}} or ${known}${didYouMean(field, fields)}`;
  }
  if (!/\{\{|\}\}/.test(value.replace(placeholder, ""))) return undefined;
  return 'expected "{{credential}}", or "{{credential.<field>}}" with a field of the service\'s auth, such as username';
}

/** The variables as the command gets them. The caller has opened every secret field of the service. */
export function fillEnvironment(
  envMap: ReadonlyMap<string, string>,
  auth: Auth,
  opened: OpenedSecrets,
): ReadonlyMap<string, string> {
  const fill = (_: string, field: string | undefined): string => {
    const value = field === undefined ? wholeOf(auth, opened) : fieldOf(auth, opened, field);
    if (value === undefined) throw new Error("a placeholder that the config reader let through has no value");
    return value;
  };
  return new Map([...envMap].map(([name, value]) => [name, value.replace(placeholder, fill)]));
}

/** The variables of a command that gets no credential, only what stands for one. */
export function fillWithPlaceholder(
  envMap: ReadonlyMap<string, string>,
  auth: Auth,
  stand: string,
): ReadonlyMap<string, string> {
  const fill = (_: string, field: string | undefined): string => auth.open.get(field ?? "") ?? stand;
  return new Map([...envMap].map(([name, value]) => [name, value.replace(placeholder, fill)]));
}

/** The variables that hold nothing of the credential, such as who wrote a commit. */
export function openVariables(envMap: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...envMap].filter(([, value]) => value.search(placeholder) < 0));
}

/** `username`, `password`, `key`, and the name of a header or parameter with or without what groups it. */
function fieldsOf(auth: Auth): ReadonlySet<string> {
  if (yieldsToken(auth)) return new Set(auth.open.keys());
  const fields = new Set([...auth.open.keys(), ...auth.secret.keys()]);
  for (const field of auth.secret.keys()) fields.add(shortName(field));
  if (auth.type === "basic") fields.add("username").add("password");
  return fields;
}

function shortName(field: string): string {
  return field.slice(field.indexOf(".") + 1);
}

function hasWhole(auth: Auth | undefined): boolean {
  return auth === undefined || auth.secret.size === 1 || yieldsToken(auth);
}

/** Then commands get the token, and never what it was made with. */
function yieldsToken(auth: Auth): boolean {
  const scheme = schemeOf(auth.type);
  return isMade(scheme) && scheme.yieldsToken;
}

/** Of a user with a password both, as they are sent: user:password. */
function wholeOf(auth: Auth, opened: OpenedSecrets): string | undefined {
  if (yieldsToken(auth)) return opened.get("token")?.reveal();
  const username = auth.open.get("username");
  const [only] = auth.secret.size === 1 ? [...auth.secret.keys()] : [];
  const secret = only === undefined ? undefined : opened.get(only)?.reveal();
  return username === undefined || secret === undefined ? secret : `${username}:${secret}`;
}

function fieldOf(auth: Auth, opened: OpenedSecrets, field: string): string | undefined {
  const open = auth.open.get(field);
  if (open !== undefined) return open;
  for (const [name, secret] of opened) {
    if (name === field || shortName(name) === field) return secret.reveal();
  }
  const pair = auth.type === "basic" ? opened.get("key")?.reveal() : undefined;
  if (pair === undefined) return field === "username" && auth.type === "basic" ? "" : undefined;
  const colon = pair.includes(":") ? pair.indexOf(":") : pair.length;
  return field === "username" ? pair.slice(0, colon) : pair.slice(colon + 1);
}
