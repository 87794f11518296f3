// HashiCorp Vault and OpenBao, KV version 2, over HTTP: a login where the config asks for one, then one read.
import type { Config, Service, VaultStore } from "../../engine/config.ts";
import { Failure } from "../../engine/failure.ts";
import type { Reference } from "../../engine/reference.ts";
import type { Secret } from "../../engine/secret.ts";
import { askOnce, type OwnRequest } from "../upstream-once.ts";
import { notThere } from "./credential.ts";

export interface VaultParts {
  readonly config: () => Pick<Config, "network" | "stores">;
  readonly patienceMs: number;
  readonly secretOf: (owner: Service, field: string) => Promise<Secret | Failure>;
}

interface Login {
  readonly token: Promise<string | Failure>;
  /** Endless as long as nobody knows better. */
  until: number;
}

/** A token is not used in the last tenth of its time, nor in the last seconds of it. */
const lastMs = 10_000;

export class VaultClient {
  readonly #parts: VaultParts;
  /** By the store as the config has it: another config means another login. Many who wait have one begun. */
  readonly #logins = new WeakMap<VaultStore, Login>();

  constructor(parts: VaultParts) {
    this.#parts = parts;
  }

  async read(reference: Extract<Reference, { kind: "vault" }>): Promise<string | Failure> {
    const store = this.#parts.config().stores.vault;
    if (!store) return notThere("the config has no stores.vault, which a vault: reference needs");
    const login = this.#login(store);
    const first = await this.#secret(store, reference, login);
    // A token of a login can be revoked, or be good for so many uses: one new login tells.
    if (first !== "refused" || store.login.type === "token") return first === "refused" ? refused() : first;
    if (this.#logins.get(store) === login) this.#logins.delete(store);
    const second = await this.#secret(store, reference, this.#login(store));
    return second === "refused" ? refused() : second;
  }

  async #secret(
    store: VaultStore,
    { mount, path, field }: Extract<Reference, { kind: "vault" }>,
    login: Login,
  ): Promise<string | Failure | "refused"> {
    const token = await login.token;
    if (token instanceof Failure) return token;
    const way = [mount, "data", ...path.split("/")].map(encodeURIComponent).join("/");
    const answer = await this.#ask(store, {
      method: "GET",
      target: `/v1/${way}`,
      headers: { "X-Vault-Token": token },
    });
    if (answer instanceof Failure) return answer;
    if (answer.status === 403) return "refused";
    if (answer.status === 404) return notThere("Vault has nothing at this mount and path (404)");
    if (answer.status !== 200) return unexpected(answer.status);
    const value = at(parsed(answer.text), "data", "data", field);
    return typeof value === "string"
      ? value
      : notThere("the secret in Vault has no such field, or it is no text");
  }

  #login(store: VaultStore): Login {
    const known = this.#logins.get(store);
    if (known && performance.now() < known.until) return known;
    const login: Login = {
      token: this.#tokenOf(store, (until) => {
        login.until = until;
      }),
      until: Number.POSITIVE_INFINITY,
    };
    this.#logins.set(store, login);
    return login;
  }

  /** What failed, and a token that somebody else looks after, is good for those who wait now and no longer. */
  async #tokenOf(store: VaultStore, goodUntil: (time: number) => void): Promise<string | Failure> {
    const begun = performance.now();
    const secret = await this.#parts.secretOf(store.service, store.secret);
    const answer =
      secret instanceof Failure || store.login.type === "token"
        ? secret
        : await this.#logIn(store, store.login, secret);
    if (answer instanceof Failure || !("leaseMs" in answer)) {
      goodUntil(0);
      return answer instanceof Failure ? answer : tokenIn(answer.reveal());
    }
    goodUntil(begun + answer.leaseMs - Math.min(lastMs, answer.leaseMs / 10));
    return tokenIn(answer.text);
  }

  async #logIn(
    store: VaultStore,
    login: Exclude<VaultStore["login"], { type: "token" }>,
    secret: Secret,
  ): Promise<{ readonly text: unknown; readonly leaseMs: number } | Failure> {
    const body =
      login.type === "approle"
        ? { role_id: login.roleId, secret_id: secret.reveal() }
        : { role: login.role, jwt: secret.reveal() };
    const answer = await this.#ask(store, {
      method: "POST",
      target: `/v1/auth/${login.mount}/login`,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (answer instanceof Failure) return answer;
    if (answer.status === 400 || answer.status === 403) {
      return notThere(`Vault refused the login of stores.vault by ${login.type} (${answer.status})`);
    }
    if (answer.status !== 200) return unexpected(answer.status);
    const auth = at(parsed(answer.text), "auth");
    const seconds = at(auth, "lease_duration");
    const leaseMs = typeof seconds === "number" && seconds > 0 ? seconds * 1000 : Number.POSITIVE_INFINITY;
    return { text: at(auth, "client_token"), leaseMs };
  }

  async #ask(store: VaultStore, request: OwnRequest): Promise<{ status: number; text: string } | Failure> {
    const { service, namespace } = store;
    const headers = {
      ...request.headers,
      "X-Vault-Request": "true",
      ...(namespace === undefined ? {} : { "X-Vault-Namespace": namespace }),
    };
    const target = `${service.base?.prefix ?? ""}${request.target}`;
    const { network } = this.#parts.config();
    const answer = await askOnce(service, network, { ...request, target, headers }, this.#parts.patienceMs);
    return answer instanceof Failure ? notThere(`Vault could not be asked: ${answer.message}`) : answer;
  }
}

/** It goes into a header. */
function tokenIn(text: unknown): string | Failure {
  if (typeof text === "string" && /^[\x21-\x7e]{1,8192}$/.test(text)) return text;
  return notThere("what stores.vault has for a token is none");
}

function refused(): Failure {
  return notThere(
    "Vault refused to show the secret (403): the token of stores.vault or its policy does not allow it",
  );
}

function unexpected(status: number): Failure {
  if (status >= 300 && status < 400) {
    return notThere(
      `Vault answered with a redirect (${status}), which is not followed: name the active node`,
    );
  }
  return notThere(status === 503 ? "Vault is sealed or not ready (503)" : `Vault answered ${status}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function at(value: unknown, ...names: readonly string[]): unknown {
  let inner = value;
  for (const name of names) {
    if (typeof inner !== "object" || inner === null || !Object.hasOwn(inner, name)) return undefined;
    inner = (inner as Record<string, unknown>)[name];
  }
  return inner;
}
