// The last act of the quickstart: curl as it is, behind the proxy, with a placeholder where the key would be.
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Issuer, makeAuthority } from "../src/host/authority/certificates.ts";
import type { Stage } from "./quickstart-mcp.ts";

type Run = (words: readonly string[], input?: string) => Promise<{ status: number; out: string }>;

export async function runAct({ environment, say, expect }: Stage, run: Run, key: string): Promise<void> {
  // A vendor's API on https, with a certificate of an authority that only this service's config trusts.
  const authority = await makeAuthority(["localhost"], Date.now());
  const issuer = await Issuer.open(authority);
  if (!(issuer instanceof Issuer)) throw new Error(issuer.message);
  const certificate = { key: issuer.key, cert: issuer.leaf("localhost", Date.now()) };
  const caFile = join(environment.HOME ?? "", "vendor-ca.pem");
  writeFileSync(caFile, authority.cert);
  let right = 0;
  const vendor = createServer(certificate, (request, response) => {
    const authorized = request.headers.authorization === `Bearer ${key}`;
    if (authorized) right += 1;
    response.writeHead(authorized ? 200 : 401, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ youSent: request.headers.authorization }));
  });
  await new Promise<void>((ready) => vendor.listen(0, "127.0.0.1", () => ready()));
  try {
    const url = `https://localhost:${(vendor.address() as AddressInfo).port}`;
    await run(
      ["add", "stripe", "--base-url", url, "--key-stdin", "--auto-approve", "--allow", "GET /v1/*"],
      `${key}\n`,
    );
    const config = join(environment.JANEE_HOME ?? "", "config.yaml");
    const text = readFileSync(config, "utf8");
    writeFileSync(config, text.replace(`baseUrl: ${url}`, `baseUrl: ${url}\n    caFile: ${caFile}`));
    await run(["set", "stripe", "--key-stdin"], `${key}\n`);
    const script = `echo "its key: $STRIPE_API_KEY"; curl -sS -H "Authorization: Bearer $STRIPE_API_KEY" ${url}/v1/balance; echo; curl -sS -X DELETE ${url}/v1/x`;
    const ran = await run(["run", "--capability", "stripe", "--", "sh", "-c", script]);
    expect(
      "the command had a placeholder, never the key",
      /its key: sk_test_/.test(ran.out) && !ran.out.includes(key),
    );
    expect("the service saw the real one", right === 1);
    expect("and its echo was scrubbed", ran.out.includes("[janee:redacted]"));
    expect("what no rule allows is refused here as well", ran.out.includes("rule_denied"));
    say("   (curl knew nothing of it: proxy, placeholder and certificate came in its environment)");
  } finally {
    vendor.closeAllConnections();
    vendor.close();
  }
}
