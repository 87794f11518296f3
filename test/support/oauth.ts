// A stand-in for an issuer of OAuth tokens and for the API behind it. It verifies whatever a client shows it: its secret and
// where that stands, scope, PKCE, redirect addresses, states of the device flow, assertions; a refresh token is good once.
import { createHash, createPublicKey, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { jwtVerify } from "jose";

export interface AccessToken {
  readonly token: string;
  readonly scope: string;
  readonly audience: string;
  readonly endsAt: number;
  withdrawn: boolean;
}

interface Login {
  readonly refresh: string[];
  used: number;
}

interface Pending {
  readonly challenge: string;
  readonly redirect: string;
  readonly scope: string;
}

export const client = { id: "client:one", secret: "s3cr3t-FAKE&value=%" };
export const account = "robot@project.iam.gserviceaccount.com";

export class Issuer {
  readonly origin: string;
  readonly #server: ReturnType<typeof createServer>;
  readonly issued: AccessToken[] = [];
  /** Every request to the token endpoint, by its form. */
  readonly asked: Readonly<Record<string, string>>[] = [];
  readonly refused: string[] = [];
  readonly logins: Login[] = [];
  readonly #codes = new Map<string, Pending>();
  readonly #devices = new Map<string, { polls: number; lastAt: number }>();
  lifeSeconds = 3600;
  /** The answers say how long a token lives. */
  saysLife = true;
  rotates = true;
  clientAuth: "basic" | "post" | "none" = "basic";
  /** Of the next requests for a token. */
  failures: { status: number; body: unknown }[] = [];
  /** What the person does with the device code after the first polls. */
  person: "agrees" | "declines" | "sleeps" = "agrees";
  slowDowns = 0;
  /** Milliseconds before a token is given. */
  delay = 0;
  publicKey = "";
  intervalSeconds: number | undefined = 1;
  allowedScope = "read write offline_access";

  private constructor(server: ReturnType<typeof createServer>, port: number) {
    this.#server = server;
    this.origin = `http://127.0.0.1:${port}`;
  }

  static async start(): Promise<Issuer> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const address = server.address();
    const issuer = new Issuer(server, typeof address === "object" && address ? address.port : 0);
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      issuer.#answer(request, response).catch(() => response.destroy());
    });
    return issuer;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  /** Everything that must be found nowhere. */
  get secrets(): string[] {
    return [
      client.secret,
      ...this.issued.map(({ token }) => token),
      ...this.logins.flatMap(({ refresh }) => refresh),
    ];
  }

  /** As though a person had logged in somewhere else. */
  newLogin(): string {
    const login: Login = { refresh: [`rt-FAKE.${randomBytes(24).toString("base64url")}`], used: 0 };
    this.logins.push(login);
    return login.refresh[0] ?? "";
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? "/", this.origin);
    const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
    const reply = (status: number, body: unknown): void => {
      response
        .writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" })
        .end(typeof body === "string" ? body : JSON.stringify(body));
    };
    const isPost = request.method === "POST";
    if (isPost && /^\/(?:oauth\/token|tenant-1\/oauth2\/v2\.0\/token)$/.test(url.pathname)) {
      if (this.delay > 0) await new Promise((done) => setTimeout(done, this.delay));
      this.asked.push(form);
      const failure = this.failures.shift();
      if (failure) return reply(failure.status, failure.body);
      const answer = await this.#grant(form, request, url.pathname);
      if ("error" in answer) this.refused.push(`${answer.error}: ${answer.error_description}`);
      return reply("error" in answer ? (answer.error === "invalid_client" ? 401 : 400) : 200, answer);
    }
    if (isPost && url.pathname === "/oauth/device") return this.#device(form, request, reply);
    if (isPost && url.pathname === "/oauth/revoke") {
      const held = this.issued.find(({ token }) => token === form.token);
      if (this.#wrongClient(form, request)) return reply(401, { error: "invalid_client" });
      if (held) held.withdrawn = true;
      return reply(200, {});
    }
    if (url.pathname === "/oauth/authorize") return this.#authorize(url, response);
    return this.#api(request, url, reply);
  }

  #wrongClient(form: Readonly<Record<string, string>>, request: IncomingMessage): boolean {
    const { authorization } = request.headers;
    const decode = (text: string): string => decodeURIComponent(text.replaceAll("+", " "));
    if (this.clientAuth === "basic") {
      const pair = Buffer.from((authorization ?? "").replace("Basic ", ""), "base64")
        .toString()
        .split(":")
        .map(decode);
      return "client_secret" in form || pair[0] !== client.id || pair[1] !== client.secret;
    }
    if (authorization !== undefined || form.client_id !== client.id) return true;
    return form.client_secret !== (this.clientAuth === "post" ? client.secret : undefined);
  }

  async #grant(
    form: Readonly<Record<string, string>>,
    request: IncomingMessage,
    path: string,
  ): Promise<Record<string, unknown>> {
    const no = (error: string, why = ""): Record<string, unknown> => ({
      error,
      error_description: `${why} do-not-repeat-${form.refresh_token ?? ""}`,
    });
    const scope = form.scope ?? "";
    const azure = path.startsWith("/tenant-1/");
    if (form.grant_type === "urn:ietf:params:oauth:grant-type:jwt-bearer") {
      const claims = await this.#assertion(form.assertion ?? "");
      return typeof claims === "string" ? no("invalid_grant", claims) : this.#issue(claims.scope, "");
    }
    if (this.#wrongClient(form, request)) return no("invalid_client");
    if (azure) {
      const resource = scope.replace(/\/\.default$/, "");
      if (resource === scope || resource !== this.origin) return no("invalid_scope", scope);
    } else if (scope.split(" ").some((one) => one !== "" && !this.allowedScope.split(" ").includes(one))) {
      return no("invalid_scope", scope);
    }
    switch (form.grant_type) {
      case "client_credentials":
        return this.#issue(scope, form.audience ?? "");
      case "refresh_token": {
        const login = this.logins.find(({ refresh }) => refresh.includes(form.refresh_token ?? ""));
        if (!login) return no("invalid_grant", "unknown");
        if (login.refresh.at(-1) !== form.refresh_token) {
          this.refused.push("a refresh token came twice");
          return no("invalid_grant", "used");
        }
        login.used += 1;
        if (!this.rotates) return this.#issue(scope, form.audience ?? "");
        const next = `rt-FAKE.${randomBytes(24).toString("base64url")}`;
        login.refresh.push(next);
        return { ...this.#issue(scope, form.audience ?? ""), refresh_token: next };
      }
      case "authorization_code": {
        const pending = this.#codes.get(form.code ?? "");
        this.#codes.delete(form.code ?? "");
        if (!pending) return no("invalid_grant", "no such code");
        if (pending.redirect !== form.redirect_uri) return no("invalid_grant", "another redirect address");
        const challenge = createHash("sha256")
          .update(form.code_verifier ?? "")
          .digest("base64url");
        if (challenge !== pending.challenge) return no("invalid_grant", "another verifier");
        return { ...this.#issue(pending.scope, ""), refresh_token: this.newLogin() };
      }
      case "urn:ietf:params:oauth:grant-type:device_code": {
        const device = this.#devices.get(form.device_code ?? "");
        if (!device || form.client_id !== client.id) return no("invalid_grant", "no such device");
        const soon = Date.now() - device.lastAt < (this.intervalSeconds ?? 5) * 1000 - 100;
        device.lastAt = Date.now();
        device.polls += 1;
        if (soon) this.refused.push("polled too soon");
        if (this.slowDowns > 0) {
          this.slowDowns -= 1;
          return no("slow_down");
        }
        if (device.polls === 1 || this.person === "sleeps") return no("authorization_pending");
        this.#devices.delete(form.device_code ?? "");
        if (this.person === "declines") return no("access_denied");
        return { ...this.#issue(scope, ""), refresh_token: this.newLogin() };
      }
      default:
        return no("unsupported_grant_type");
    }
  }

  #issue(scope: string, audience: string): Record<string, unknown> {
    const token = `at-FAKE.${randomBytes(24).toString("base64url")}`;
    const endsAt = Date.now() + this.lifeSeconds * 1000;
    this.issued.push({ token, scope, audience, endsAt, withdrawn: false });
    return {
      ...{ access_token: token, token_type: "Bearer" },
      ...(this.saysLife ? { expires_in: this.lifeSeconds } : {}),
    };
  }

  /** RFC 7523 section 3. */
  async #assertion(text: string): Promise<{ scope: string } | string> {
    try {
      const key = createPublicKey(this.publicKey);
      const { payload } = await jwtVerify(text, key, {
        ...{ algorithms: ["RS256"], audience: `${this.origin}/oauth/token`, issuer: account },
        ...{ requiredClaims: ["exp", "iat", "scope"], maxTokenAge: 3600 },
      });
      if ((payload.exp ?? 0) - (payload.iat ?? 0) > 3600) return "lives too long";
      if (payload.sub !== undefined && payload.sub !== "person@example.com") return "another subject";
      return { scope: String(payload.scope) };
    } catch (error) {
      return (error as Error).message;
    }
  }

  #device(
    form: Readonly<Record<string, string>>,
    request: IncomingMessage,
    reply: (status: number, body: unknown) => void,
  ): void {
    if (this.#wrongClient(form, request) || form.client_id !== client.id)
      return reply(401, { error: "invalid_client" });
    const code = `dc-${randomBytes(16).toString("hex")}`;
    this.#devices.set(code, { polls: 0, lastAt: Date.now() });
    reply(200, {
      ...{
        device_code: code,
        user_code: "WDJB-MJHT",
        verification_uri: `${this.origin}/activate`,
        expires_in: 60,
      },
      ...(this.intervalSeconds === undefined ? {} : { interval: this.intervalSeconds }),
    });
  }

  /** The person says yes at once. */
  #authorize(url: URL, response: ServerResponse): void {
    const asked = url.searchParams;
    const redirect = asked.get("redirect_uri") ?? "";
    const wrong =
      asked.get("response_type") !== "code" ||
      asked.get("client_id") !== client.id ||
      asked.get("code_challenge_method") !== "S256" ||
      !/^[A-Za-z0-9_-]{43}$/.test(asked.get("code_challenge") ?? "") ||
      (asked.get("state") ?? "").length < 22 ||
      asked.get("prompt") !== "consent" ||
      !/^http:\/\/127\.0\.0\.1:\d+\/callback$/.test(redirect);
    if (wrong) {
      response.writeHead(400).end("wrong");
      return;
    }
    const back = new URL(redirect);
    back.searchParams.set("state", asked.get("state") ?? "");
    if (this.person === "declines") back.searchParams.set("error", "access_denied");
    else {
      const code = randomBytes(16).toString("hex");
      this.#codes.set(code, {
        ...{ challenge: asked.get("code_challenge") ?? "", redirect },
        scope: asked.get("scope") ?? "",
      });
      back.searchParams.set("code", code);
    }
    response.writeHead(302, { Location: back.href }).end();
  }

  #api(request: IncomingMessage, url: URL, reply: (status: number, body: unknown) => void): void {
    const [scheme, token = ""] = (request.headers.authorization ?? "").split(" ");
    const held = this.issued.find((one) => one.token === token);
    if (scheme !== "Bearer" || !held || held.withdrawn || Date.now() >= held.endsAt) {
      return reply(401, { message: "no such token" });
    }
    if (request.method !== "GET" && !held.scope.includes("write"))
      return reply(403, { message: "insufficient_scope" });
    reply(200, {
      path: url.pathname,
      scope: held.scope,
      audience: held.audience,
      echo: request.headers.authorization,
    });
  }
}
