// The only differences between Bun and Deno that the rest of janee may notice.

/** The operating system's keychain. */
export interface Keychain {
  get(name: string): Promise<string | undefined>;
  set(name: string, value: string): Promise<void>;
  delete(name: string): Promise<void>;
}

/** HMAC-SHA256 under one key, base64url; a text counts as its UTF-8. */
export type Keyed = (bytes: string | Uint8Array) => string;

interface BunHasher {
  copy(): BunHasher;
  update(bytes: string | Uint8Array): BunHasher;
  digest(encoding: "base64url"): string;
}

interface BunSecrets {
  get(entry: { service: string; name: string }): Promise<string | null>;
  set(entry: { service: string; name: string; value: string }): Promise<void>;
  delete(entry: { service: string; name: string }): Promise<boolean>;
}

const world = globalThis as {
  readonly Bun?: {
    readonly main: string;
    gc(now: boolean): void;
    readonly secrets?: BunSecrets;
    readonly CryptoHasher: new (algorithm: "sha256", key: Uint8Array) => BunHasher;
  };
  readonly Deno?: { readonly build: { readonly standalone?: boolean } };
};

export function runtimeName(): "bun" | "deno" | "node" {
  if (world.Bun) return "bun";
  return world.Deno ? "deno" : "node";
}

/** True in the single binary, where there is no source file to start again. */
export const isCompiled: boolean =
  /^(?:\/\$bunfs\/|[A-Za-z]:[\\/]~BUN[\\/])/.test(world.Bun?.main ?? "") ||
  world.Deno?.build.standalone === true;

/** A third of what node:crypto takes in Bun; undefined where there is only node:crypto. */
export const keyedSha256: ((key: Uint8Array) => Keyed) | undefined =
  world.Bun &&
  ((key) => {
    const Hasher = (world.Bun as NonNullable<typeof world.Bun>).CryptoHasher;
    const fresh = new Hasher("sha256", key);
    return (bytes) => fresh.copy().update(bytes).digest("base64url");
  });

/** An entry of any program; undefined where the runtime has no keychain. */
export function keychainEntry(service: string, name: string): Promise<string | undefined> | undefined {
  return world.Bun?.secrets?.get({ service, name }).then((value) => value ?? undefined);
}

/** undefined where the runtime has none. Where only the system has none, its calls throw. */
export function keychain(): Keychain | undefined {
  const secrets = world.Bun?.secrets;
  if (!secrets) return undefined;
  const service = "janee";
  return {
    get: async (name) => (await secrets.get({ service, name })) ?? undefined,
    set: (name, value) => secrets.set({ service, name, value }),
    delete: async (name) => {
      await secrets.delete({ service, name });
    },
  };
}

/** Deno reads on, without bound, below a TLS socket that is paused, where that lies over another socket. */
export function pauseBelow(socket: object, paused: boolean): void {
  if (!world.Deno) return;
  const { _handle: handle } = socket as { _handle?: { readStop?(): void; readStart?(): void } | null };
  if (paused) handle?.readStop?.();
  else handle?.readStart?.();
}

/** Bun lets large texts lie for long; where the runtime has no such call, it decides by itself. */
export function collectGarbage(): void {
  world.Bun?.gc(true);
}
