// A client certificate is shown to its own service alone, and the service lets nobody in without it.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { createServer, type TLSSocket } from "node:tls";
import { type Certificate, makeCertificate } from "../support/certificates.ts";
import { request } from "../support/client.ts";
import { type Home, inHome } from "../support/janee.ts";
import { Agent } from "../support/mcp.ts";

const limit = { timeout: 60_000 };
const names = ["DNS:localhost", "IP:127.0.0.1"];

/** Lets in who shows a certificate of `authority`, and says who that was. */
async function withService<T>(
  own: Certificate,
  authority: Certificate,
  work: (port: number) => Promise<T>,
): Promise<T> {
  const options = {
    key: own.key,
    cert: own.cert,
    ca: [authority.cert],
    requestCert: true,
    rejectUnauthorized: false,
  };
  const sockets = new Set<TLSSocket>();
  const server = createServer(options, (socket) => {
    sockets.add(socket);
    let head = "";
    socket.on("error", () => {});
    socket.on("data", (bytes: Buffer) => {
      head += bytes.toString("latin1");
      if (!head.includes("\r\n\r\n")) return;
      const [, bearer = "none"] = /^authorization: (.*)\r$/im.exec(head) ?? [];
      head = "";
      const subject = socket.getPeerCertificate()?.subject as { CN?: string } | undefined;
      const body = JSON.stringify({ who: subject?.CN ?? "nobody", bearer });
      const status = socket.authorized ? "200 OK" : "401 Unauthorized";
      socket.write(
        `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  try {
    return await work(typeof address === "object" && address ? address.port : 0);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((done) => server.close(done));
  }
}

function add(home: Home, name: string, port: number, client: string, ...more: string[]) {
  const file = (kind: string): string => join(home.beside, `${client}${kind}.pem`);
  const flags = [
    "--mtls",
    "--certificate-file",
    file(""),
    "--private-key-file",
    file("-key"),
    "--auto-approve",
  ];
  return home.run(["add", name, "-u", `https://localhost:${port}`, ...flags, "--allow", "GET *", ...more]);
}

async function whoSees(port: number, capability: string, token: string): Promise<[number, string, string]> {
  const { status, body } = await request(port, { target: `/${capability}/x`, token });
  const said = JSON.parse(body.toString()) as { who?: string; bearer?: string };
  return [status, said.who ?? "", said.bearer ?? ""];
}

test(
  "a service lets in who shows the right certificate, and its twin with another stays outside",
  limit,
  () =>
    inHome(async (home) => {
      const server = makeCertificate(home.beside, "server", names);
      const right = makeCertificate(home.beside, "agent-desk", names);
      makeCertificate(home.beside, "stranger", names);
      await withService(server, right, async (port) => {
        for (const [name, client] of [
          ["good", "agent-desk"],
          ["bad", "stranger"],
        ] as const) {
          const added = await add(home, name, port, client);
          assert.equal(added.status, 0, added.stderr);
        }
        home.writeConfig(
          home.readConfig().replaceAll(/^( *)(baseUrl: https.*)$/gm, `$1$2\n$1caFile: ${server.file}`),
        );
        // What a credential is bound to was edited by hand: it has to be given again.
        for (const [name, client] of [
          ["good", "agent-desk"],
          ["bad", "stranger"],
        ] as const) {
          const file = (kind: string): string => join(home.beside, `${client}${kind}.pem`);
          await home.do(["set", name, "--certificate-file", file(""), "--private-key-file", file("-key")], {
            env: { JANEE_UNATTENDED: "1" },
          });
        }
        const good = await home.grant("good");
        const bad = await home.grant("bad");
        const serving = await home.serve();
        assert.deepEqual(await whoSees(serving.port, "good", good.token), [200, "agent-desk", "none"]);
        assert.deepEqual(await whoSees(serving.port, "bad", bad.token), [401, "stranger", "none"]);
        // The kept connection of the one is not the other's.
        assert.deepEqual(await whoSees(serving.port, "good", good.token), [200, "agent-desk", "none"]);

        const agent = await Agent.stdio(home, { era: "modern" });
        try {
          const seen = async (name: string): Promise<unknown> =>
            (await agent.execute(name, "/x")).content.body;
          assert.match(String(await seen("good")), /agent-desk/);
          assert.match(String(await seen("bad")), /stranger/);
        } finally {
          await agent.close();
        }

        const file = (kind: string): string => join(home.beside, `agent-desk${kind}.pem`);
        await home.do(["set", "bad", "--certificate-file", file(""), "--private-key-file", file("-key")], {
          env: { JANEE_UNATTENDED: "1" },
        });
        assert.deepEqual(await whoSees(serving.port, "bad", bad.token), [200, "agent-desk", "none"]);
        const { key } = right;
        const [, secretLine = ""] = key.split("\n");
        await serving.stop();
        for (const text of [home.printed, home.auditText(), home.readConfig()])
          assert.ok(!text.includes(secretLine));
      });
    }),
);

test("a key that is not the certificate's, or no key at all, is refused in words without it", limit, () =>
  inHome(async (home) => {
    const server = makeCertificate(home.beside, "server", names);
    const one = makeCertificate(home.beside, "one", names);
    makeCertificate(home.beside, "two", names);
    await withService(server, one, async (port) => {
      const file = (name: string): string => join(home.beside, `${name}.pem`);
      const given = (key: string): string[] => [
        ...["add", "mixed", "-u", `https://localhost:${port}`, "--mtls", "--auto-approve"],
        ...["--certificate-file", file("one"), "--private-key-file", file(key)],
      ];
      const refused = await home.run(given("two-key"));
      assert.equal(refused.status, 2);
      assert.match(refused.stderr, /not the one of the client certificate/);
      // One at a time each is a good one of its kind.
      await home.do(given("one-key"));
      const env = { JANEE_UNATTENDED: "1" };
      await home.do(["set", "mixed", "--private-key-file", file("two-key")], { env });
      const tested = await home.run(["test", "mixed", "--json"]);
      assert.equal(tested.status, 6);
      assert.match(tested.stdout + tested.stderr, /not the one of the client certificate/);

      const missing = await home.run(["add", "bare", "-u", `https://localhost:${port}`, "--mtls"]);
      assert.equal(missing.status, 2);
      assert.match(missing.stderr, /--certificate-file PATH/);
      assert.ok(!/BEGIN|MII|MHc/.test(home.printed));
    });
  }),
);

test(
  "certificate and key that references lead to are shown; a reference to something else is refused",
  limit,
  () =>
    inHome(async (home) => {
      const server = makeCertificate(home.beside, "server", names);
      const right = makeCertificate(home.beside, "agent-desk", names);
      await withService(server, right, async (port) => {
        const service = (name: string, key: string): string =>
          `  ${name}:\n    baseUrl: https://localhost:${port}\n    caFile: ${server.file}\n    auth: { type: mtls, certificate: "file:${right.file}", privateKey: "${key}" }\n`;
        const keyFile = join(home.beside, "agent-desk-key.pem");
        home.writeConfig(
          `services:\n${service("good", `file:${keyFile}`)}${service("printed", `cmd:cat ${keyFile}`)}${service("bad", `file:${join(home.beside, "agent-desk.cnf")}`)}`,
        );
        for (const name of ["good", "printed"]) await home.do(["test", name]);
        const refused = await home.run(["test", "bad"]);
        assert.equal(refused.status, 5);
        assert.match(refused.stderr, /leads to what is no credential/);
        assert.ok(!home.printed.includes(right.key.split("\n")[1] ?? ""));
      });
    }),
);
