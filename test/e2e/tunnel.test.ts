// Tunnels to where no capability is: whoever is behind them holds up nobody, and they end with what let them be opened.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { canary, Home, root } from "../support/janee.ts";
import { askTunnel, basic } from "../support/through.ts";
import { pause, until, within } from "../support/wait.ts";

const limit = { timeout: 60_000 };
const authority = "9.9.9.9:443";

/** A network's proxy and the far end in one, which never closes by itself. */
async function startStubborn(): Promise<{
  readonly port: number;
  readonly heard: () => string;
  readonly answerAtEnd: (text: string) => void;
  readonly stop: () => void;
}> {
  const sockets = new Set<Socket>();
  let heard = "";
  let atEnd: string | undefined;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      socket.on("data", (bytes: Buffer) => {
        heard += bytes.toString("latin1");
        socket.write(bytes);
      });
      socket.on("end", () => {
        if (atEnd === undefined) return;
        // Later than a peer that sends no more is taken for gone.
        void pause(900).then(() => socket.end(atEnd ?? ""));
      });
    });
  });
  await new Promise<void>((done) => server.listen({ host: "127.0.0.1", port: 0 }, () => done()));
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : 0,
    heard: () => heard,
    answerAtEnd: (text) => {
      atEnd = text;
    },
    stop: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

async function withStubborn(
  work: (
    on: { home: Home; port: number; far: Awaited<ReturnType<typeof startStubborn>> } & Record<
      "token" | "session" | "other",
      string
    >,
  ) => Promise<void>,
): Promise<void> {
  const home = new Home();
  const far = await startStubborn();
  try {
    await home.do(["init"]);
    home.writeConfig(`
services:
  gh: { baseUrl: https://api.github.com, auth: { type: bearer, key: "${canary}" } }
capabilities:
  gh: { service: gh, autoApprove: true }
  too: { service: gh, autoApprove: true }
network: { proxy: "http://127.0.0.1:${far.port}", unmatched: tunnel }
`);
    const { token, session } = await home.grant("gh");
    const { token: other } = await home.grant("too");
    const { port } = await home.serve();
    await work({ home, port, far, token, session, other });
  } finally {
    far.stop();
    await home.dispose();
  }
}

function received(socket: Socket): () => string {
  let text = "";
  socket.on("data", (bytes: Buffer) => {
    text += bytes.toString("latin1");
  });
  return () => text;
}

test("a tunnel ends when its client has gone, though the far end never closes", limit, async () => {
  await withStubborn(async ({ home, port, token }) => {
    const { status, socket } = await askTunnel({ port, authority, authorization: basic("x", token) });
    assert.equal(status, 200);
    const text = received(socket);
    socket.write("hello");
    await until(5_000, "the echo", () => text() === "hello");
    socket.destroy();
    await until(30_000, "the line of the tunnel's end", () =>
      home.audit().find(({ event, outcome }) => event === "tunnel" && outcome === "ended"),
    );
  });
});

test("a client that has only finished sending still gets its answer", limit, async () => {
  await withStubborn(async ({ far, port, token }) => {
    far.answerAtEnd("late");
    const { socket } = await askTunnel({ port, authority, authorization: basic("x", token) });
    const text = received(socket);
    socket.end("hello");
    await until(5_000, "the late answer", () => text() === "hellolate");
  });
});

test("nothing passes a tunnel whose session was revoked, and it opens no other", limit, async () => {
  await withStubborn(async ({ home, far, port, token, session, other }) => {
    const mine = await askTunnel({ port, authority, authorization: basic("x", token) });
    const others = await askTunnel({ port, authority, authorization: basic("x", other) });
    const [text, othersText] = [received(mine.socket), received(others.socket)];
    mine.socket.write("before");
    await until(5_000, "the echo", () => text() === "before");
    const closed = new Promise<void>((done) => mine.socket.once("close", () => done()));
    await home.do(["revoke", session]);
    mine.socket.write("after");
    await within(5_000, closed, "the end of the tunnel");
    const again = await askTunnel({ port, authority, authorization: basic("x", token) });
    again.socket.destroy();
    assert.equal(again.status, 403, again.head);
    others.socket.write("other");
    await until(5_000, "the other's echo", () => othersText() === "other");
    others.socket.destroy();
    assert.equal(far.heard(), "beforeother");
  });
});

function closing(socket: Socket, what: string): Promise<void> {
  return within(10_000, new Promise<void>((done) => socket.once("close", () => done())), what);
}

test("a tunnel in which nothing moves ends with its session: revoked, or at its time", limit, async () => {
  await withStubborn(async ({ home, port, token, session, other }) => {
    const [mine, others] = [
      await askTunnel({ port, authority, authorization: basic("x", token) }),
      await askTunnel({ port, authority, authorization: basic("x", other) }),
    ];
    const text = received(others.socket);
    const ended = closing(mine.socket, "the end of the revoked one's tunnel");
    mine.socket.resume();
    await home.do(["revoke", session]);
    await ended;
    others.socket.write("still");
    await until(5_000, "the other's echo", () => text() === "still");
    others.socket.destroy();
    const short = await home.json<{ token: string }>(["grant", "too", "--ttl", "2s"]);
    const brief = await askTunnel({ port, authority, authorization: basic("x", short.token) });
    assert.equal(brief.status, 200);
    brief.socket.resume();
    await closing(brief.socket, "the end of a session's time");
  });
});

test(
  "an agent's tunnel ends when something is taken from it; with nothing left it has none",
  limit,
  async () => {
    await withStubborn(async ({ home, port }) => {
      const unattended = { env: { JANEE_UNATTENDED: "1" } };
      const { token } = await home.json<{ token: string }>(["agent", "add", "several"], unattended);
      const ask = () => askTunnel({ port, authority, authorization: basic("x", token) });
      for (const [words, after] of [
        [["--capability", "gh"], 200],
        [["--all"], 403],
      ] as const) {
        const { status, socket } = await ask();
        assert.equal(status, 200);
        socket.resume();
        const ended = closing(socket, `the end at revoke ${words.join(" ")}`);
        await home.do(["revoke", ...words]);
        await ended;
        const again = await ask();
        again.socket.destroy();
        assert.equal(again.status, after, words.join(" "));
      }
      await home.do(["grant", "gh"], unattended);
      const granted = await ask();
      const ended = closing(granted.socket, "the end with its token");
      assert.equal(granted.status, 200);
      granted.socket.resume();
      await home.do(["agent", "rm", "several"], unattended);
      await ended;
    });
  },
);

test("the tunnel of a run ends when what it runs with is revoked", limit, async () => {
  await withStubborn(async ({ home, far }) => {
    const script = join(root, "test/support/clients/tunnel.mjs");
    const words = ["--capability", "gh", "--unmatched", "tunnel", "--", "node", script, authority];
    const running = home.run(["run", ...words]);
    await until(15_000, "the command's hello", () => far.heard().includes("hello"));
    await home.do(["revoke", "--capability", "gh"]);
    const { status, stdout, stderr } = await running;
    assert.deepEqual([stdout.trim().split("\n"), status], [["200", "closed"], 0], stderr);
  });
});

test("no tunnel of a run is left when it ends, though what it started goes on", limit, async () => {
  await withStubborn(async ({ home, far }) => {
    const script = join(root, "test/support/clients/tunnel.mjs");
    const out = join(home.beside, "tunnel.out");
    // Until the tunnel stands; then the command ends, and leaves the other one behind.
    const leaving =
      'node "$1" "$2" >"$3" 2>&1 & n=0; until grep -q 200 "$3" || [ $n -ge 100 ]; do n=$((n+1)); sleep 0.1; done';
    const words = ["--capability", "gh", "--unmatched", "tunnel", "--", "sh", "-c", leaving, "sh"];
    const { status, stderr } = await home.run(["run", ...words, script, authority, out]);
    assert.equal(status, 0, stderr);
    await until(10_000, "the tunnel's end", () => readFileSync(out, "utf8").includes("closed"));
    assert.ok(readFileSync(out, "utf8").startsWith("200"));
    assert.ok("hello".startsWith(far.heard()));
    assert.ok(home.audit().some(({ event, outcome }) => event === "tunnel" && outcome === "ended"));
  });
});
