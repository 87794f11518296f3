// The only differences between Bun and Deno that the rest of janee may notice.

/** The operating system's keychain. */
export interface Keychain {
  get(name: string): Promise<string | undefined>;
  set(name: string, value: string): Promise<void>;
  delete(name: string): Promise<void>;
}

interface BunSecrets {
  get(entry: { service: string; name: string }): Promise<string | null>;
  set(entry: { service: string; name: string; value: string }): Promise<void>;
  delete(entry: { service: string; name: string }): Promise<boolean>;
}

const world = globalThis as {
  readonly Bun?: { readonly main: string; readonly secrets?: BunSecrets };
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
