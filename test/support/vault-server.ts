// A stand-in for Vault on loopback. It verifies: tokens with their time and uses, roles, the signature of a JWT, the
// namespace; and shows a secret of its KV version 2 only to who has all of them.
import { generateKeyPairSync, type KeyObject, randomBytes, sign, verify } from "node:crypto";
import type { Seen } from "./upstream.ts";
import { type Exchange, startUpstream, type Upstream } from "./upstream.ts";

export interface VaultOptions {
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly namespace?: string;
  /** Seconds that a token of a login lives. */
  readonly leaseSeconds?: number;
}

interface Issued {
  readonly until: number;
  uses: number;
}

export class VaultServer {
  readonly upstream: Upstream;
  readonly root = `hvs.${randomBytes(24).toString("base64url")}`;
  readonly roleId = "role-of-janee";
  readonly secretId = randomBytes(16).toString("hex");
  /** By `mount/path`. */
  readonly secrets = new Map<string, Readonly<Record<string, unknown>>>();
  readonly #issued = new Map<string, Issued>();
  readonly #private: KeyObject;
  readonly #public: KeyObject;
  readonly #options: VaultOptions;
  leaseSeconds: number;
  /** How often a token of a login can be used. */
  uses = Number.POSITIVE_INFINITY;
  logins = 0;
  reads = 0;
  /** Answers this to everything. */
  broken: ((exchange: Exchange) => void) | undefined;

  private constructor(upstream: Upstream, options: VaultOptions) {
    this.upstream = upstream;
    this.#options = options;
    this.leaseSeconds = options.leaseSeconds ?? 3600;
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    this.#private = privateKey;
    this.#public = publicKey;
    upstream.answer = (seen, exchange) => this.#answer(seen, exchange);
  }

  static async start(options: VaultOptions = {}): Promise<VaultServer> {
    return new VaultServer(await startUpstream(options.tls ? { tls: options.tls } : {}), options);
  }

  get address(): string {
    return `${this.#options.tls ? "https" : "http"}://127.0.0.1:${this.upstream.port}`;
  }

  stop(): Promise<void> {
    return this.upstream.stop();
  }

  /** A JWT as a workload has it (ES256). */
  jwt(claims: Readonly<Record<string, unknown>> = {}): string {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const exp = Math.floor(Date.now() / 1000) + 300;
    const text = `${part({ alg: "ES256", typ: "JWT" })}.${part({ sub: "janee", aud: "vault", exp, ...claims })}`;
    const signature = sign("sha256", Buffer.from(text), { key: this.#private, dsaEncoding: "ieee-p1363" });
    return `${text}.${signature.toString("base64url")}`;
  }

  revokeAll(): void {
    this.#issued.clear();
  }

  #answer(seen: Seen, exchange: Exchange): void {
    if (this.broken) return this.broken(exchange);
    const { namespace } = this.#options;
    if ((seen.values("x-vault-namespace")[0] ?? undefined) !== namespace) return this.#refuse(exchange, 404);
    if (seen.values("x-vault-request")[0] !== "true") return this.#refuse(exchange, 400);
    const [path = ""] = seen.target.split("?");
    if (seen.method === "POST" && path === "/v1/auth/approle/login") return this.#appRole(seen, exchange);
    if (seen.method === "POST" && path === "/v1/auth/work/loads/login") return this.#jwtLogin(seen, exchange);
    if (seen.method !== "GET" || !this.#knows(seen.values("x-vault-token")))
      return this.#refuse(exchange, 403);
    const [mount, data, ...rest] = path.slice("/v1/".length).split("/").map(decodeURIComponent);
    const secret = data === "data" ? this.secrets.get([mount, ...rest].join("/")) : undefined;
    if (!secret) return this.#refuse(exchange, 404);
    this.reads += 1;
    return json(exchange, 200, { data: { data: secret, metadata: { version: 1, destroyed: false } } });
  }

  #knows(tokens: readonly string[]): boolean {
    const [token = ""] = tokens;
    if (tokens.length !== 1) return false;
    if (token === this.root) return true;
    const issued = this.#issued.get(token);
    if (!issued || issued.until <= Date.now() || issued.uses < 1) return false;
    issued.uses -= 1;
    return true;
  }

  #appRole(seen: Seen, exchange: Exchange): void {
    const { role_id, secret_id } = JSON.parse(seen.body.toString("utf8")) as Record<string, unknown>;
    if (role_id !== this.roleId || secret_id !== this.secretId) return this.#refuse(exchange, 400);
    this.#issue(exchange);
  }

  #jwtLogin(seen: Seen, exchange: Exchange): void {
    const { role, jwt } = JSON.parse(seen.body.toString("utf8")) as Record<string, unknown>;
    const [head = "", payload = "", signature = ""] = String(jwt).split(".");
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString("utf8") || "{}") as Record<
      string,
      unknown
    >;
    const signed = verify(
      "sha256",
      Buffer.from(`${head}.${payload}`),
      { key: this.#public, dsaEncoding: "ieee-p1363" },
      Buffer.from(signature, "base64url"),
    );
    const good = claims.aud === "vault" && claims.sub === "janee" && Number(claims.exp) * 1000 > Date.now();
    if (role !== "ci" || !signed || !good) return this.#refuse(exchange, 400);
    this.#issue(exchange);
  }

  #issue(exchange: Exchange): void {
    this.logins += 1;
    const client_token = `hvs.${randomBytes(24).toString("base64url")}`;
    this.#issued.set(client_token, { until: Date.now() + this.leaseSeconds * 1000, uses: this.uses });
    json(exchange, 200, { auth: { client_token, lease_duration: this.leaseSeconds, renewable: true } });
  }

  #refuse(exchange: Exchange, status: number): void {
    json(exchange, status, { errors: ["permission denied"] });
  }
}

function json(exchange: Exchange, status: number, value: object): void {
  exchange.send(status, { "Content-Type": "application/json" }, JSON.stringify(value));
}
