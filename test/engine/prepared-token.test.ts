// A service made ready: its token is used until it ends, is refused, or is given back.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { Endpoint, type EndpointRequest } from "../../src/engine/credential/endpoint.ts";
import { Tokens } from "../../src/engine/credential/tokens.ts";
import { Failure } from "../../src/engine/failure.ts";
import { type Prepared, PreparedServices } from "../../src/engine/prepared.ts";
import { Secret } from "../../src/engine/secret.ts";
import { toolsWith } from "../support/tools.ts";
import { read } from "./config-sample.ts";

const pem = generateKeyPairSync("rsa", { modulusLength: 2048 })
  .privateKey.export({ type: "pkcs1", format: "pem" })
  .toString();

class Bench {
  now = 1_700_000_000_000;
  readonly asked: EndpointRequest[] = [];
  readonly services: PreparedServices;
  readonly service = this.readService();

  constructor() {
    const bench = this;
    class Issuer extends Endpoint {
      override async ask(_service: unknown, request: EndpointRequest) {
        bench.asked.push(request);
        if (request.method === "DELETE") return { status: 204, json: {}, text: "" };
        const token = `ghs_FAKE${bench.asked.length}`;
        const expires = new Date(bench.now + 3_600_000).toISOString();
        return { status: 201, json: { token, expires_at: expires }, text: "" };
      }
    }
    const nothing = [{}, {}, () => () => {}] as unknown as ConstructorParameters<typeof Endpoint>;
    const now = (): number => this.now;
    const opener = {
      open: async () => new Map([["privateKey", new Secret(pem)]]),
      exchange: async () => new Failure("credential_failed", "nothing is kept in this test"),
    };
    this.services = new PreparedServices(
      opener,
      toolsWith({ now, tokens: new Tokens(now), endpoint: new Issuer(...nothing) }),
    );
  }

  /** What each reading of the config makes anew. */
  readService() {
    const auth = "{type: github-app, appId: 1, installationId: 2, privateKey: env:PEM}";
    const text = `services:\n  s: {baseUrl: "https://api.example.com", auth: ${auth}}\n`;
    const found = read(text).config.services.get("s");
    assert.ok(found);
    return found;
  }

  async prepare(service = this.service): Promise<Prepared> {
    const prepared = await this.services.prepare(service);
    if (prepared instanceof Failure) assert.fail(prepared.message);
    return prepared;
  }
}

const tokenIn = ({ secrets }: Prepared): string | undefined => secrets.get("token")?.reveal();

test("a token that the service refuses is replaced for the next request, once in a while", async () => {
  const on = new Bench();
  const first = await on.prepare();
  on.services.refused(on.service, first);
  assert.equal(tokenIn(await on.prepare()), "ghs_FAKE1", "it is quite new: another would be refused as well");
  on.now += 30_000;
  on.services.refused(on.service, first);
  assert.equal(on.services.known(on.service), undefined);
  const second = await on.prepare();
  assert.equal(tokenIn(second), "ghs_FAKE2");
  // The old one can still come back in an answer.
  assert.equal(second.scrubber.text("ghs_FAKE1 ghs_FAKE2").text, "[janee:redacted] [janee:redacted]");
});

test("a config that is read anew keeps the token, and what was given back is used no more", async () => {
  const on = new Bench();
  await on.prepare();
  const again = on.readService();
  assert.equal(tokenIn(await on.prepare(again)), "ghs_FAKE1");
  assert.equal(on.asked.length, 1);
  await on.services.withdraw("s", on.now);
  assert.deepEqual(
    on.asked.map(({ method, url }) => `${method} ${url}`),
    [
      "POST https://api.example.com/app/installations/2/access_tokens",
      "DELETE https://api.example.com/installation/token",
    ],
  );
  assert.equal(on.services.known(again), undefined);
  assert.equal(tokenIn(await on.prepare(again)), "ghs_FAKE3");
});
