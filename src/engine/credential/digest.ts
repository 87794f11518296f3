// HTTP Digest: the password never goes out, only a hash over it and what the service has sent last.
// https://www.rfc-editor.org/rfc/rfc7616
import type { Digest, Entropy, HeaderField } from "../ports.ts";
import { Secret } from "../secret.ts";
import { targetText } from "../target.ts";
import { type Challenge, strongest } from "./digest-challenge.ts";
import { type Credential, type MadeScheme, need, type Placed, type Unsigned } from "./scheme.ts";

export const digest: MadeScheme = {
  type: "digest",
  title: "user and password (Digest)",
  page: "https://www.rfc-editor.org/rfc/rfc7616",
  fields: [
    {
      ...{ name: "username", kind: "text", required: true, expected: "the name of the user" },
      problem: (text) =>
        /[":\\]/.test(text) ? "expected a name without quotes, colons and backslashes" : undefined,
    },
    { name: "password", kind: "secret", required: true, expected: "the password of the user" },
    {
      ...{ name: "realm", kind: "text", required: false },
      expected: "the only realm that is answered, where the service has several",
    },
  ],
  yieldsToken: false,
  place: ({ open }) =>
    `header:authorization, by Digest${open.has("realm") ? ` in ${open.get("realm")}` : ""}`,
  headerNames: () => ["authorization"],
  queryNames: () => [],
  // A body that is sent before the service has said what it wants must be sent again.
  readsBody: () => true,
  make({ auth }, opened, tools) {
    const user = { name: auth.open.get("username") ?? "", password: new Secret(need(opened, "password")) };
    return new Answering(user, auth.open.get("realm"), tools);
  },
};

interface User {
  readonly name: string;
  readonly password: Secret;
}

/** One nonce of the service, and how often it was used. */
interface Round {
  readonly challenge: Challenge;
  readonly cnonce: string;
  /** The hash of user, realm and password, and for `-sess` of the nonces. */
  readonly a1: string;
  count: number;
}

export class Answering implements Credential {
  readonly redact: readonly string[] = [];
  readonly #user: User;
  readonly #realm: string | undefined;
  readonly #tools: { readonly digest: Digest; readonly entropy: Entropy };
  readonly #sentIn = new WeakMap<Unsigned, Round>();
  #round: Round | undefined;
  /** What was wanted once: less is a downgrade, and is not answered. */
  #floor = 0;

  constructor(
    user: User,
    realm: string | undefined,
    tools: { readonly digest: Digest; readonly entropy: Entropy },
  ) {
    this.#user = user;
    this.#realm = realm;
    this.#tools = tools;
  }

  sign(request: Unsigned): Placed {
    const round = this.#round;
    if (!round) return { headers: [], query: [] };
    this.#sentIn.set(request, round);
    round.count += 1;
    return { headers: [["Authorization", this.#answer(round, request)]], query: [] };
  }

  challenged(fields: readonly HeaderField[], request: Unsigned): boolean {
    const challenge = strongest(fields, this.#realm);
    if (!challenge || challenge.strength < this.#floor) return false;
    const sentIn = this.#sentIn.get(request);
    if (sentIn && !challenge.stale) {
      // An answer that is wrong once is wrong again. Should it be the nonce all the same, the next request asks anew.
      if (this.#round === sentIn) this.#round = undefined;
      return false;
    }
    this.#floor = challenge.strength;
    const cnonce = Buffer.from(this.#tools.entropy.bytes(36)).toString("base64");
    this.#round = { challenge, cnonce, a1: this.#a1(challenge, cnonce), count: 0 };
    return true;
  }

  #hash({ hash }: Challenge, ...parts: readonly (string | Buffer)[]): string {
    const bytes = parts.flatMap((part, at) => [at === 0 ? "" : ":", part]);
    // What the service sent goes back byte for byte.
    const all = bytes.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part));
    return this.#tools.digest.hash(hash, Buffer.concat(all)).toString("hex");
  }

  #a1(challenge: Challenge, cnonce: string): string {
    const { name, password } = this.#user;
    const [user, secret] = [name, password.reveal()].map((text) => Buffer.from(text, "utf8"));
    const a1 = this.#hash(challenge, user ?? "", challenge.realm, secret ?? "");
    return challenge.isSession ? this.#hash(challenge, a1, challenge.nonce, cnonce) : a1;
  }

  #answer({ challenge, cnonce, a1, count }: Round, { method, target, body }: Unsigned): string {
    const { realm, nonce, qop, opaque, algorithm, userhash } = challenge;
    if (body.kind === "stream") throw new Error("a body that may have to be sent twice was not read");
    const uri = targetText(target);
    const content = body.kind === "whole" ? body.bytes : Buffer.alloc(0);
    const a2 = [method, uri, ...(qop === "auth-int" ? [this.#hash(challenge, content)] : [])];
    const nc = count.toString(16).padStart(8, "0");
    const between = qop ? [nonce, nc, cnonce, qop] : [nonce];
    const response = this.#hash(challenge, a1, ...between, this.#hash(challenge, ...a2));
    const parts = [
      this.#username(challenge),
      `realm="${realm}"`,
      `uri="${uri}"`,
      ...(algorithm === undefined ? [] : [`algorithm=${algorithm}`]),
      `nonce="${nonce}"`,
      ...(qop ? [`nc=${nc}`, `cnonce="${cnonce}"`, `qop=${qop}`] : []),
      `response="${response}"`,
      ...(opaque === undefined ? [] : [`opaque="${opaque}"`]),
      ...(userhash ? ["userhash=true"] : []),
    ];
    return `Digest ${parts.join(", ")}`;
  }

  /** https://www.rfc-editor.org/rfc/rfc7616#section-3.4.4 */
  #username(challenge: Challenge): string {
    const { name } = this.#user;
    if (challenge.userhash) {
      return `username="${this.#hash(challenge, Buffer.from(name, "utf8"), challenge.realm)}"`;
    }
    if (/^[\x20-\x7e]*$/.test(name)) return `username="${name}"`;
    return `username*=UTF-8''${encodeURIComponent(name).replace(/['()*]/g, escaped)}`;
  }
}

function escaped(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
