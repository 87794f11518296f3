// One upstream, one home and one `janee serve`, shared by the tests of a file.
import assert from "node:assert/strict";
import { type Answer, type Ask, Client, request, requestBytes } from "./client.ts";
import { type Granted, Home, type Line, type RunOptions, type Serving } from "./janee.ts";
import { type Seen, startUpstream, type Upstream } from "./upstream.ts";

export interface StageOptions {
  /** config.yaml; `origin` is the upstream's, such as `http://127.0.0.1:40000`. */
  readonly config: (origin: string, home: Home) => string;
  /** Capabilities that get a session. */
  readonly grant: readonly string[];
  readonly serve?: RunOptions;
  readonly arguments?: readonly string[];
}

export class Stage {
  readonly home: Home;
  readonly upstream: Upstream;
  readonly #granted = new Map<string, Granted>();
  serving: Serving;

  private constructor(home: Home, upstream: Upstream, serving: Serving) {
    this.home = home;
    this.upstream = upstream;
    this.serving = serving;
  }

  static async open(options: StageOptions): Promise<Stage> {
    const home = new Home();
    let upstream: Upstream | undefined;
    try {
      upstream = await startUpstream();
      await home.do(["init"]);
      home.writeConfig(options.config(`http://127.0.0.1:${upstream.port}`, home));
      const granted = new Map<string, Granted>();
      for (const name of options.grant) granted.set(name, await home.grant(name));
      const serving = await home.serve(options.arguments, options.serve);
      const stage = new Stage(home, upstream, serving);
      for (const [name, one] of granted) stage.#granted.set(name, one);
      return stage;
    } catch (error) {
      await home.dispose();
      await upstream?.stop();
      throw error;
    }
  }

  get port(): number {
    return this.serving.port;
  }

  token(capability: string): string {
    const granted = this.#granted.get(capability);
    assert.ok(granted, `no session for ${capability}`);
    return granted.token;
  }

  /** One request with the capability's own session, unless another token or none is given. */
  ask(capability: string, target: string, more: Omit<Ask, "target"> = {}): Promise<Answer> {
    const token = "token" in more ? more.token : this.token(capability);
    return request(this.port, { ...more, target: `/${capability}${target}`, token });
  }

  /** The bytes of a request with the capability's own session. */
  bytes(capability: string, target: string, more: Omit<Ask, "target" | "token"> = {}): Buffer {
    return requestBytes(this.port, {
      ...more,
      target: `/${capability}${target}`,
      token: this.token(capability),
    });
  }

  client(): Client {
    return new Client(this.port);
  }

  /** Forgets what the upstream has seen so far. */
  fresh(): Seen[] {
    this.upstream.eager = false;
    this.upstream.seen.length = 0;
    this.upstream.received.length = 0;
    return this.upstream.seen;
  }

  audit(): Line[] {
    return this.home.audit();
  }

  async close(): Promise<void> {
    await this.home.dispose();
    await this.upstream.stop();
  }
}

/** A stage that opens when it is first needed. Close it in an `after` hook. */
export function shared(options: StageOptions): { stage: () => Promise<Stage>; close: () => Promise<void> } {
  let opened: Promise<Stage> | undefined;
  return {
    stage() {
      opened ??= Stage.open(options);
      return opened;
    },
    async close() {
      const stage = await opened?.catch(() => undefined);
      await stage?.close();
    },
  };
}

export async function withStage<T>(options: StageOptions, work: (stage: Stage) => Promise<T>): Promise<T> {
  const stage = await Stage.open(options);
  try {
    return await work(stage);
  } finally {
    await stage.close();
  }
}
