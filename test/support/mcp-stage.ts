// A stage with agents on it: one for each face and each era, shared by the tests of a file.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { canary } from "./janee.ts";
import { Agent, type AgentOptions, type Era, eras, yes } from "./mcp.ts";
import { type Stage, shared } from "./stage.ts";

export type Face = "stdio" | "http";
export const faces: readonly Face[] = ["stdio", "http"];
export const unattended = { env: { JANEE_UNATTENDED: "1" } };

export interface Waiting {
  readonly id: string;
  readonly capability: string;
  readonly owner: string;
}

type Run = (on: Stage, agent: Agent, face: Face, era: Era) => Promise<void>;

/** `capabilities`: name to what stands in it beside its service, `up`. */
export class McpStage {
  readonly capabilities: Readonly<Record<string, string>>;
  readonly #shared: ReturnType<typeof shared>;
  readonly #agents = new Map<string, Promise<Agent>>();
  readonly #tokens = new Map<string, Promise<string>>();
  readonly #everyAgent: Agent[] = [];
  /** Tokens that must be found nowhere. */
  readonly secrets = new Set<string>([canary]);

  constructor(capabilities: Readonly<Record<string, string>>, grant: readonly string[] = []) {
    this.capabilities = capabilities;
    const lines = Object.entries(capabilities).map(([name, rest]) => `  ${name}: { service: up, ${rest} }\n`);
    const config = (origin: string): string =>
      `services:\n  up: { baseUrl: "${origin}", auth: { type: bearer, key: ${canary} } }\ncapabilities:\n${lines.join("")}`;
    this.#shared = shared({ config, grant });
  }

  stage(): Promise<Stage> {
    return this.#shared.stage();
  }

  async close(): Promise<void> {
    for (const agent of this.#everyAgent) await agent.close();
    await this.#shared.close();
  }

  /** The token of the agent of this name, which a person adds when it is first needed. */
  async token(name: string): Promise<string> {
    const on = await this.stage();
    const add = async (): Promise<string> => {
      const { token } = await on.home.json<{ token: string }>(["agent", "add", name], unattended);
      this.secrets.add(token);
      return token;
    };
    const known = this.#tokens.get(name) ?? add();
    this.#tokens.set(name, known);
    return known;
  }

  /** A client of its own: on stdio a process, over HTTP a connection with the token of `name`. */
  async connect(face: Face, options: AgentOptions, name: string = options.era): Promise<Agent> {
    const on = await this.stage();
    const connecting =
      face === "stdio" ? Agent.stdio(on.home, options) : Agent.http(on.port, await this.token(name), options);
    const agent = await connecting;
    this.#everyAgent.push(agent);
    return agent;
  }

  /** The agent that most tests of a face and an era share, its questions forgotten. */
  async agent(face: Face, era: Era): Promise<Agent> {
    const key = `${face} ${era}`;
    const known = this.#agents.get(key) ?? this.connect(face, { era });
    this.#agents.set(key, known);
    const agent = await known;
    agent.asked.length = 0;
    agent.answer = yes;
    return agent;
  }

  /** A test for each face and each era. */
  everywhere(name: string, run: Run, over: readonly Face[] = faces): void {
    for (const face of over) {
      for (const era of eras) {
        test(`${name} (${face}, ${era})`, { timeout: 60_000 }, async () => {
          const on = await this.stage();
          const agent = await this.agent(face, era);
          on.fresh();
          on.upstream.answer = (_, exchange) => exchange.send(200, { "Content-Type": "text/plain" }, "ok");
          await run(on, agent, face, era);
        });
      }
    }
  }

  async waiting(capability: string): Promise<Waiting[]> {
    const on = await this.stage();
    const all = await on.home.json<Waiting[]>(["approvals"]);
    return all.filter((one) => one.capability === capability);
  }

  /** A person's yes to the one question that waits. */
  async approve(capability: string): Promise<void> {
    const on = await this.stage();
    const found = await this.waiting(capability);
    assert.equal(found.length, 1, `questions that wait: ${JSON.stringify(found)}`);
    await on.home.do(["approve", found[0]?.id ?? ""], unattended);
  }

  /** The trail is whole, and no secret is in it, in a file, or in anything that anyone was told. */
  async assertClean(): Promise<void> {
    const on = await this.stage();
    await on.home.do(["logs", "verify"]);
    const told = this.#everyAgent.map(({ heard }, at): [string, string] => [`client ${at}`, heard]);
    const printed: [string, string][] = [["janee serve", on.serving.stdout() + on.serving.stderr()]];
    printed.push(["commands", withoutAddedTokens(on.home.printed, this.secrets)]);
    const files = [on.home.path, on.home.state].flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
    );
    const stored = files
      .filter((name) => statSync(name).isFile())
      .map((name): [string, string] => [name, readFileSync(name).toString("latin1")]);
    for (const [where, text] of [...told, ...printed, ...stored]) {
      for (const secret of this.secrets) {
        for (const shape of [secret, Buffer.from(secret).toString("base64").replace(/=+$/, "")]) {
          assert.ok(!text.includes(shape), `${where} shows ${secret.slice(0, 8)}…`);
        }
      }
    }
  }
}

/** `agent add` is the one command whose purpose it is to print a token. */
function withoutAddedTokens(printed: string, secrets: ReadonlySet<string>): string {
  let rest = printed;
  for (const secret of secrets) {
    if (secret.startsWith("jna_"))
      rest = rest.replace(`"token": "${secret}"`, "").replace(`"token":"${secret}"`, "");
  }
  return rest;
}
