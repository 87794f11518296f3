// What credential schemes may use, for tests of the engine: real hashes, keys and clock.
import { Endpoint } from "../../src/engine/credential/endpoint.ts";
import type { CredentialTools } from "../../src/engine/credential/scheme.ts";
import { Tokens } from "../../src/engine/credential/tokens.ts";
import { Failure } from "../../src/engine/failure.ts";
import type { Policy, Upstream } from "../../src/engine/ports.ts";
import { alarm, clock, entropy } from "../../src/host/clock.ts";
import { digest } from "../../src/host/digest.ts";
import { privateKeys } from "../../src/host/private-keys.ts";

const nowhere: Upstream = {
  pooled: () => undefined,
  connect: async () => new Failure("upstream_unreachable", "not in this test"),
};
const noPolicy: Policy = {
  current: () => {
    throw new Error("no config in this test");
  },
};

export function toolsWith(
  own: Partial<CredentialTools> & { readonly upstream?: Upstream; readonly policy?: Policy } = {},
): CredentialTools {
  const { upstream = nowhere, policy = noPolicy, ...rest } = own;
  const now = rest.now ?? clock.wall;
  return {
    ...{ now, digest, entropy, keys: privateKeys, tokens: new Tokens(now) },
    endpoint: new Endpoint(upstream, policy, alarm),
    exchange: async () => new Failure("credential_failed", "nothing is kept in this test"),
    ...rest,
  };
}
