// One string: what is matched is what is sent. What two servers could read differently is refused.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { Failure } from "../../src/engine/failure.ts";
import { readTarget, spellings, type Target, targetText } from "../../src/engine/target.ts";
import { statusOf } from "../../src/surface/http-status.ts";

interface Case {
  readonly id: string;
  readonly input: { readonly target: string };
  readonly expect: {
    readonly outcome: string;
    readonly status?: number;
    readonly code?: string;
    readonly upstream_saw: string | null;
  };
}

const seed = Number(process.env.JANEE_SEED ?? Math.floor(Math.random() * 2 ** 31));
const fuzzCases = Number(process.env.JANEE_FUZZ_CASES ?? 10_000);
const numRuns = Math.min(fuzzCases, 2_000);
console.log(`target: JANEE_SEED=${seed} JANEE_FUZZ_CASES=${fuzzCases}`);

function corpus(group: string): readonly Case[] {
  const text = readFileSync(new URL(`../corpus/${group}.jsonl`, import.meta.url), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Case);
}

function accepted(raw: string, allowEmptySegments = false): Target {
  const target = readTarget(raw, { allowEmptySegments });
  if (target instanceof Failure) assert.fail(`${raw} was refused: ${target.code}: ${target.message}`);
  return target;
}

function verdict(raw: string, allowEmptySegments = false): string {
  const target = readTarget(raw, { allowEmptySegments });
  return target instanceof Failure ? target.code : targetText(target);
}

/** Each raw target with the code of its refusal, and the nearest twin with what is sent for it. */
function pairs(
  code: string,
  list: readonly (readonly [attack: string, twin: string, sent?: string])[],
): void {
  for (const [attack, twin, sent = twin] of list) {
    assert.equal(verdict(attack), code, JSON.stringify(attack));
    assert.equal(verdict(twin), sent, JSON.stringify(twin));
  }
}

for (const group of ["path", "path-origin"]) {
  test(`corpus: each target of ${group} is refused with its code and its status`, () => {
    const cases = corpus(group);
    assert.ok(cases.length > 5);
    for (const { id, input, expect } of cases) {
      const read = readTarget(input.target);
      if (!(read instanceof Failure)) assert.fail(`${id}: ${input.target} was accepted`);
      assert.equal(read.code, expect.code, id);
      assert.equal(statusOf[read.code], expect.status, id);
    }
  });
}

test("corpus: each target of path-accept goes out as it should", () => {
  for (const { id, input, expect } of corpus("path-accept")) {
    assert.equal(`GET ${targetText(accepted(input.target))}`, expect.upstream_saw, id);
  }
});

test("dot segments are refused however they are written, and names with dots pass", () => {
  pairs("path_ambiguous", [
    ["/v1/../admin", "/v1/..admin"],
    ["/v1/..", "/v1/..."],
    ["/v1/.", "/v1/.a"],
    ["/./v1", "/.v1"],
    ["/v1/./x", "/v1/.x/x"],
    ["/v1/%2e%2e/admin", "/v1/%2e%2ea/admin", "/v1/..a/admin"],
    ["/v1/.%2e/admin", "/v1/a.%2e/admin", "/v1/a../admin"],
    ["/v1/%252e%252e/admin", "/v1/%252e%252ea/admin"],
    ["/v1/%25252e%25252e/admin", "/v1/%25252e%25252ea/admin"],
    ["/v1/%2525252e./admin", "/v1/%2525252ea/admin"],
    ["/v1/..%2fadmin", "/v1/..a%2fadmin", "/v1/..a%2Fadmin"],
    ["/v1/..%252fadmin", "/v1/..a%252fadmin"],
    ["/v1/..;/admin", "/v1/a..;/admin"],
    ["/v1/..;a=b/admin", "/v1/a;..=b/admin"],
    ["/v1/..%3b/admin", "/v1/a..%3b/admin", "/v1/a..%3B/admin"],
    ["/v1/..%253bx/admin", "/v1/a..%253bx/admin"],
    ["/v1/.;x/admin", "/v1/a.;x/admin"],
    ["/v1/..%3fx", "/v1/a..%3fx", "/v1/a..%3Fx"],
    ["/v1/..%23x/admin", "/v1/a..%23x/admin"],
    ["/v1/..%20/admin", "/v1/..%20a/admin"],
    ["/v1/%20../admin", "/v1/%20a/admin"],
    ["/v1/..%C2%A0/admin", "/v1/x%C2%A0/admin"],
    ["/v1/..%E2%80%8B/admin", "/v1/a%E2%80%8B/admin"],
    ["/v1/.%C2%AD./admin", "/v1/a.%C2%AD./admin"],
    ["/v1/%EF%BB%BF../admin", "/v1/%EF%BB%BFa/admin"],
    ["/v1/..%E2%88%95admin", "/v1/a%E2%88%95admin"],
    ["/v1/x%E2%81%84..%E2%81%84admin", "/v1/1%E2%81%842"],
    ["/v1/..%C2%A5admin", "/v1/100%C2%A5"],
  ]);
});

test("empty segments are refused, and a slash at the end passes", () => {
  pairs("path_ambiguous", [
    ["//v1", "/v1"],
    ["//", "/"],
    ["/v1//x", "/v1/x"],
    ["/v1/x//", "/v1/x/"],
    ["/v1/%2f/x", "/v1/a%2fb/x", "/v1/a%2Fb/x"],
    ["/%2Fadmin", "/a%2Fadmin"],
    ["/v1/a%2F/b", "/v1/a%2Fb"],
    ["/v1/a%252F%252Fb", "/v1/a%252Fb"],
    ["/;/admin", "/a;/admin"],
    ["/v1/;x=1/admin", "/v1/v;x=1/admin"],
    ["/v1/%3B/admin", "/v1/a%3B/admin"],
    ["/v1/%20/admin", "/v1/a%20b/admin"],
  ]);
});

test("with allowEmptySegments an empty name is a name, and a dot segment is none", () => {
  assert.equal(verdict("/bucket//key", true), "/bucket//key");
  assert.equal(verdict("//bucket", true), "//bucket");
  assert.equal(verdict("/bucket//key"), "path_ambiguous");
  for (const attack of ["/bucket//../key", "/bucket/..//key", "/bucket//%2e%2e/key", "/bucket//..%2fkey"]) {
    assert.equal(verdict(attack, true), "path_ambiguous", attack);
  }
  // RabbitMQ's default vhost, and object keys with two slashes in them.
  assert.equal(verdict("/api/queues/%2F/q", true), "/api/queues/%2F/q");
  assert.equal(verdict("/bucket/a%2F%2Fkey", true), "/bucket/a%2F%2Fkey");
  assert.equal(verdict("/bucket/a%2F%2Fkey"), "path_ambiguous");
});

test("backslashes are refused in every layer and in the query", () => {
  pairs("path_ambiguous", [
    ["/\\evil.example/x", "/evil.example/x"],
    ["/v1\\x", "/v1/x"],
    ["/v1/..%5cadmin", "/v1/a%5bx", "/v1/a%5Bx"],
    ["/v1/%255cadmin", "/v1/%255badmin"],
    ["/v1/%EF%BC%BCx", "/v1/%EF%BB%BFx"],
    ["/v1?x=\\", "/v1?x=%5C"],
  ]);
});

test("control characters are refused, raw and decoded up to any depth", () => {
  pairs("path_control", [
    ["/v1/a b", "/v1/a%20b"],
    ["/v1/a\tb", "/v1/a%20b"],
    ["/v1/a\r\nX: 1", "/v1/aX:1"],
    ["/v1/a\u0000", "/v1/a"],
    ["/v1/a\u0085", "/v1/a%C2%A9"],
    ["/v1/a%00.json", "/v1/a.json"],
    ["/v1/a%0d%0aX:1", "/v1/a%20X:1"],
    ["/v1/a%250a", "/v1/a%2520"],
    ["/v1/a%25250a", "/v1/a%252520"],
    ["/v1/a%7f", "/v1/a%7e", "/v1/a~"],
    ["/v1/a%C2%85", "/v1/a%C2%A9"],
    ["/v1/a%E2%80%A8b", "/v1/a%E2%80%99b"],
    ["/v1?x=a b", "/v1?x=a%20b"],
    ["/v1?x=\n", "/v1?x=%0a"],
  ]);
});

test("escapes are two hex digits of something that needs them", () => {
  pairs("path_bad_escape", [
    ["/v1/a%", "/v1/a%25"],
    ["/v1/a%2", "/v1/a%20"],
    ["/v1/a%zz", "/v1/a%25zz"],
    ["/v1/%u002e%u002e/x", "/v1/u002eu002e/x"],
    ["/v1?x=%", "/v1?x=%25"],
    ["/v1?x=%u0041", "/v1?x=%41"],
  ]);
  pairs("path_overencoded", [
    ["/%76ault", "/vault"],
    ["/v%31/x", "/v1/x"],
    ["/%41", "/A"],
    ["/v1/%25%32%65/x", "/v1/%252e5/x"],
  ]);
  // Nobody decodes so often: an escape that is still one after five times is refused, whatever it hides.
  const nested = (depth: number): string => `/v1/%${"25".repeat(depth)}20`;
  assert.equal(verdict(nested(4)), nested(4));
  for (const depth of [5, 6, 50]) assert.equal(verdict(nested(depth)), "path_ambiguous");
  assert.equal(verdict("/a%2Db%5Fc%7Ed%2Ee"), "/a-b_c~d.e");
  assert.equal(verdict("/a%2db%5fc%7ed%2ee"), "/a-b_c~d.e");
});

test("what is no UTF-8 is refused, over-long forms in any layer, and UTF-8 passes", () => {
  pairs("path_bad_utf8", [
    ["/v1/%ff", "/v1/%C3%BF"],
    ["/v1/%c0%ae%c0%ae/x", "/v1/%C2%AEx"],
    ["/v1/%c1%9c", "/v1/%C2%A9"],
    ["/v1/%e0%80%af", "/v1/%E0%A4%85"],
    ["/v1/%f0%80%80%af", "/v1/%F0%9F%98%80"],
    ["/v1/%f8%80%80%80%af", "/v1/%F3%A0%80%A0"],
    ["/v1/%ed%a0%80", "/v1/%ED%9F%BF"],
    ["/v1/%ed%a0%bd%ed%b8%80", "/v1/%F0%9F%98%80"],
    ["/v1/%e9", "/v1/%C3%A9"],
    ["/v1/%f4%90%80%80", "/v1/%F4%8F%BF%BF"],
    ["/v1/\ud800", "/v1/\u{1f600}", "/v1/%F0%9F%98%80"],
    ["/v1?x=\udc00", "/v1?x=\u00e9", "/v1?x=%C3%A9"],
  ]);
  pairs("path_ambiguous", [
    ["/v1/%25c0%25ae%25c0%25ae/x", "/v1/%25c3%25a9/x"],
    ["/v1/%25e0%2580%25af", "/v1/%25e0%25a4%2585"],
    ["/v1/%25f0%2580%2580%25ae", "/v1/%25f0%259f%2598%2580"],
    ["/v1/%25u002e%25u002e/x", "/v1/%25u/x"],
    ["/v1/%2525u002e/x", "/v1/%2525u0/x"],
  ]);
});

test("look-alikes of what has a meaning in paths are refused, and other letters pass", () => {
  pairs("path_ambiguous", [
    ["/v1/%EF%BC%8E%EF%BC%8E/admin", "/v1/%E3%80%82%E3%80%82/admin"],
    ["/v1/\uff0e\uff0e/admin", "/v1/\u3002x/admin", "/v1/%E3%80%82x/admin"],
    ["/v1/%E2%80%A4%E2%80%A4/admin", "/v1/%E2%80%A2/admin"],
    ["/v1/%E2%80%A6", "/v1/%E2%80%9C"],
    ["/v1/x%EF%BC%8Fadmin", "/v1/x%E2%A7%B8admin"],
    ["/v1/x%EF%BC%9Badmin", "/v1/x%D8%9Badmin"],
    ["/v1/%EF%BC%A1dmin", "/v1/%C3%84dmin"],
    ["/v1/%EF%BC%85%EF%BC%92", "/v1/%D9%AA"],
    ["/v1/%25EF%25BC%258E", "/v1/%25E3%2580%2582"],
    ["/v1/%E2%84%80", "/v1/%E2%84%96"],
  ]);
});

test("a target is in origin form, ends before any fragment, and is bounded", () => {
  pairs("path_not_origin_form", [
    ["", "/"],
    ["v1", "/v1"],
    ["?x=1", "/?x=1"],
    ["*", "/*"],
    ["http://evil.example/x", "/http:/evil.example/x"],
    ["@evil.example/x", "/@evil.example/x"],
    [":80/x", "/:80/x"],
  ]);
  pairs("path_fragment", [
    ["/v1#", "/v1%23"],
    ["/v1#x", "/v1%23x"],
    ["/v1?x#y", "/v1?x%23y"],
  ]);
  const longest = `/${"a".repeat(16 * 1024 - 1)}`;
  assert.equal(verdict(longest), longest);
  assert.equal(verdict(`${longest}a`), "path_too_long");
});

test("characters that URL parsing would escape are refused, and their escapes pass", () => {
  for (const character of ['"', "<", ">", "^", "`", "{", "|", "}"]) {
    const escaped = `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
    assert.equal(verdict(`/v1/a${character}b`), "path_bad_character", character);
    assert.equal(verdict(`/v1/a${escaped}b`), `/v1/a${escaped}b`);
  }
  for (const character of ['"', "<", ">"]) {
    const escaped = `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
    assert.equal(verdict(`/v1?q=a${character}b`), "path_bad_character", character);
    assert.equal(verdict(`/v1?q=a${escaped}b`), `/v1?q=a${escaped}b`);
  }
});

test("what real APIs need passes as it is", () => {
  for (const target of [
    "/api/v4/projects/group%2Fsub%2Fname/repository/files/src%2Fa.ts/raw?ref=main",
    "/gmail/v1/users/me%40x.com/messages?q=from%3Aa%40b.c%20is%3Aunread",
    "/v1.0/me/drive/root:/Docs/a.txt:/content",
    "/v1.0/sites/contoso.sharepoint.com,2C712604,2D2244C3/lists",
    "/odata/Products(1)/Name/$value",
    "/odata/users('a%40b.com')/items?$filter=Name%20eq%20'x'&$top=1",
    "/odata/$batch",
    "/bucket/a%20%20b/%E6%97%A5%E6%9C%AC.txt?versionId=null&X-Amz-Date=2026",
    "/bucket/100%25%20done.txt",
    "/rest/api/3/search?jql=project%20%3D%20A%20AND%20text%20~%20%22x%22%20ORDER%20BY%20created",
    "/v1/projects/p/databases/(default)/documents:batchGet",
    "/v4/spreadsheets/ID/values/'My%20Sheet'!A1:B2:append",
    "/apis/apps/v1/namespaces/d/deployments?labelSelector=app%3Dx,tier!%3Dy",
    "/api/v1/namespaces/d/pods/p:8080/proxy/",
    "/logs-*,metrics-*/_search?q=a:b",
    "/@scope%2Fname/-/name-1.0.0.tgz",
    "/v2/library/ubuntu/manifests/sha256:0123456789abcdef",
    "/_matrix/client/v3/rooms/!room:host/state/m.room.name/",
    "/_matrix/client/v3/rooms/%21room%3Ahost/send/x/1",
    "/_matrix/client/v3/directory/room/%23room%3Ahost",
    "/repos/o/r/contents/a%23b%3Fc%25d",
    "/wiki/C%2B%2B",
    "/wiki/C++",
    "/wiki/AC%2FDC",
    "/x/%F0%9F%91%A9%E2%80%8D%F0%9F%92%BB",
    "/x/%D9%85%D8%B1%D8%AD%D8%A8%D8%A7",
    "/a;v=1/b;w=2,3",
    "/~user/.well-known/x",
    "/v1/x?u=https://x/y?z&next=/../../admin&e=%2e%2e%2f&a[]=1&b={}&c=|^`",
    "/v1/x?",
  ]) {
    assert.equal(verdict(target), target);
  }
});

// A decoder of its own, written without a look at the one under test: bytes to characters, as naive servers do.
type Charset = "utf-8" | "latin1" | "overlong";

function naiveDecode(text: string, charset: Charset): string {
  let out = "";
  for (let at = 0; at < text.length; ) {
    const bytes: number[] = [];
    while (/^%[0-9a-f]{2}/i.test(text.slice(at, at + 3))) {
      bytes.push(Number.parseInt(text.slice(at + 1, at + 3), 16));
      at += 3;
    }
    if (bytes.length > 0) {
      out += charset === "latin1" ? String.fromCharCode(...bytes) : fromUtf8(bytes, charset === "overlong");
      continue;
    }
    const wide = /^%u([0-9a-f]{4})/i.exec(text.slice(at, at + 6));
    if (wide?.[1] && charset === "overlong") {
      out += String.fromCharCode(Number.parseInt(wide[1], 16));
      at += 6;
    } else {
      out += text[at] ?? "";
      at += 1;
    }
  }
  return out;
}

/** Takes any lead byte at its word; `overlong` accepts forms that are longer than they need to be. */
function fromUtf8(bytes: readonly number[], overlong: boolean): string {
  let out = "";
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at] ?? 0;
    const more =
      lead < 0x80 ? 0 : lead < 0xc0 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf8 ? 3 : -1;
    const tail = bytes.slice(at + 1, at + 1 + Math.max(more, 0));
    if (more < 0 || tail.length < more || tail.some((byte) => (byte & 0xc0) !== 0x80)) {
      out += `%${lead.toString(16).padStart(2, "0")}`;
      at += 1;
      continue;
    }
    let code = more === 0 ? lead : lead & (0x3f >> more);
    for (const byte of tail) code = (code << 6) | (byte & 0x3f);
    const shortest = [0, 0x80, 0x800, 0x10000][more] ?? 0;
    const sound = code <= 0x10ffff && (overlong || code >= shortest);
    out += sound
      ? String.fromCodePoint(code)
      : bytes
          .slice(at, at + 1 + more)
          .map((byte) => `%${byte.toString(16).padStart(2, "0")}`)
          .join("");
    at += 1 + more;
  }
  return out;
}

function segmentsOf(view: string): string[] {
  return view.split(/[/\\]/).map((segment) => segment.split(";")[0] ?? "");
}

/** Why a server that decodes `path` in one of these ways would not see the segments that the rules saw. */
function misread(path: string): string | undefined {
  for (const charset of ["utf-8", "latin1", "overlong"] as const) {
    let view = path;
    for (let depth = 0; depth <= 3; depth++) {
      for (const form of [view, view.normalize("NFKC")]) {
        const segments = segmentsOf(form);
        if (segments.some((segment) => segment === "." || segment === ".."))
          return `a dot segment in ${form}`;
        if (segments.slice(1, -1).includes("")) return `an empty segment in ${form}`;
        if (/[\x00-\x1f\x7f]/.test(form)) return `a control character in ${JSON.stringify(form)}`;
      }
      view = naiveDecode(view, charset);
    }
  }
  return undefined;
}

test("the oracle sees what it is there to see", () => {
  for (const path of [
    "/v1/../x",
    "/v1/%2e%2e/x",
    "/v1/%25252e./x",
    "/v1/..;/x",
    "/v1//x",
    "/v1/%2f/x",
    "/v1/%c0%ae%c0%ae/x",
    "/v1/%e0%80%ae./x",
    "/v1/%25u002e./x",
    "/v1/%25c0%25ae./x",
    "/v1/\uff0e\uff0e/x",
    "/v1/..%5cx",
    "/v1/%2500",
  ]) {
    assert.notEqual(misread(path), undefined, path);
  }
  assert.equal(misread("/v1/a%2Fb/%E6%97%A5/...;v=1/"), undefined);
});

/** The laws that hold for everything that is accepted. */
function holdsLaws(raw: string): boolean {
  const target = readTarget(raw);
  if (target instanceof Failure) return false;
  const text = targetText(target);
  assert.deepEqual(readTarget(text), target, `not a fixed point of its own: ${JSON.stringify(raw)}`);
  assert.match(text, /^\/[\x21-\x7e]*$/, raw);
  const url = new URL(`http://h${text}`);
  assert.equal(url.pathname, target.path, `URL parsing reads another path: ${JSON.stringify(raw)}`);
  assert.equal(url.search, target.query ? `?${target.query.replaceAll("'", "%27")}` : "", raw);
  assert.equal(url.host, "h", raw);
  assert.equal(misread(target.path), undefined, JSON.stringify(raw));
  assert.ok(!target.path.includes("?") && !text.includes("#") && !text.includes("\\"), raw);
  return true;
}

const pieces = [
  ...[
    "/",
    "/",
    "/",
    ".",
    "..",
    "...",
    ";",
    ";x=1",
    "%",
    "%2",
    "%2e",
    "%2E",
    "%2f",
    "%2F",
    "%5c",
    "\\",
    "%25",
  ],
  ...[
    "%252e",
    "%252f",
    "%25252e",
    "%c0%ae",
    "%c0%af",
    "%e0%80%ae",
    "%u002e",
    "%25u002e",
    "%3b",
    "%3f",
    "%23",
  ],
  ...[
    "?",
    "#",
    "%00",
    "%0a",
    "%20",
    "+",
    "%C3%A9",
    "%ff",
    "%E2%80%A4",
    "%EF%BC%8E",
    "%EF%BC%8F",
    "%E2%88%95",
  ],
  ...[
    "a",
    "b",
    "v1",
    "admin",
    "A",
    "%41",
    "%7e",
    "%2d",
    ":",
    "@",
    "!",
    "$",
    "&",
    "'",
    "(",
    ")",
    "*",
    ",",
    "=",
  ],
  ...[
    "[",
    "]",
    "{",
    "}",
    "|",
    "^",
    "`",
    '"',
    "<",
    ">",
    "~",
    "_",
    "-",
    " ",
    "\t",
    "\u00e9",
    "\uff0e",
    "\u2024",
  ],
  ...["\u200b", "\u00ad", "\ud83d\ude00", "\ud800", "%25c0%25ae", "25", "2e", "%ed%a0%80", "%F0%9F%98%80"],
];

/** A small generator of its own, so that one seed gives the same cases on both runtimes. */
function random(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

test("fuzz: what is accepted is canonical, whatever it was made of", () => {
  const next = random(seed);
  let passed = 0;
  for (let run = 0; run < fuzzCases; run++) {
    const length = 1 + Math.floor(next() * 9);
    let raw = "/";
    for (let at = 0; at < length; at++) raw += pieces[Math.floor(next() * pieces.length)] ?? "";
    if (holdsLaws(raw)) passed += 1;
  }
  assert.ok(passed > fuzzCases / 50, `only ${passed} of ${fuzzCases} were accepted: the fuzz is blunt`);
});

test("property: any text, and any text behind a path", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 30 }),
    fc.string({ unit: "grapheme", maxLength: 30 }),
    fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(text, (raw) => {
      holdsLaws(raw);
      holdsLaws(`/v1/${raw}`);
      holdsLaws(`/v1?${raw}`);
    }),
    { seed, numRuns },
  );
});

test("property: any name passes once it is encoded as clients do", () => {
  const name = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
    .filter((text) => text.isWellFormed() && !/[\x00-\x1f\x7f-\x9f\u2028\u2029\uff01-\uff5e]/.test(text))
    .filter((text) => !/[./\\;%?#:@]/.test(text.normalize("NFKC")) && text.trim() !== "");
  fc.assert(
    fc.property(name, (text) => {
      const target = accepted(`/v1/${encodeURIComponent(text)}/x`);
      assert.equal(decodeURIComponent(target.path), `/v1/${text}/x`);
    }),
    { seed, numRuns },
  );
});

test("property: a query goes out byte for byte", () => {
  const query = fc.string({ maxLength: 40 }).map((text) => encodeURIComponent(text.toWellFormed()));
  fc.assert(
    fc.property(
      query,
      fc.constantFrom("&", "+", "[]", "?", "/", "//", "/../", "'", ";", "=", ""),
      (text, extra) => {
        assert.equal(accepted(`/v1?${extra}${text}`).query, `${extra}${text}`);
      },
    ),
    { seed, numRuns },
  );
});

test("the spellings of a path hold its decoded, folded, parameter-less and slashed forms", () => {
  const table: readonly (readonly [path: string, form: string])[] = [
    ["/Admin", "/admin"],
    ["/admin", "/admin/"],
    ["/admin/", "/admin"],
    ["/a%2Fb", "/a/b"],
    ["/a%252Fb", "/a/b"],
    ["/%2541dmin", "/admin"],
    ["/admin;v=1/x", "/admin/x"],
    ["/admin%3Bv/x", "/admin/x"],
    ["/%C3%84", "/\u00e4"],
    ["/e%CC%81", "/\u00e9"],
    ["/%E2%84%AAey", "/key"],
    ["/adm%C4%B1n", "/admin"],
    ["/stra%C3%9Fe", "/strasse"],
    ["/", "/"],
  ];
  for (const [path, form] of table) assert.ok(spellings(path).includes(form), `${path} → ${spellings(path)}`);
  assert.ok(!spellings("/a%2Fb").includes("/a%2Fb"), "spellings are folded");
});
