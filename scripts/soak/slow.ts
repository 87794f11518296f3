// A thousand clients that send a head one byte a second, and one that wants an answer.
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { residentBytes } from "../../bench/box.ts";
import { megabytes, quantile } from "../../bench/figures.ts";
import { JaneeHome } from "../../bench/home.ts";
import { type Part, scaled } from "./part.ts";
import { smallUpstream } from "./upstream.ts";

const clients = 1_000;
const headDeadlineMs = 15_000;
const toleranceMs = 3_000;
const head =
  "GET /bench/v1/items HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\r\n";

export const slowParts: Part = async (box, table, scale) => {
  const upstream = await smallUpstream(box);
  const home = new JaneeHome(join(box.folder, "slow"));
  home.configure(upstream.port);
  const { token } = home.grant();
  const serving = await home.serve(box);
  const before = residentBytes(serving.pid);
  const count = scaled(clients, scale);
  const startedAt = performance.now();
  const lives: number[] = [];
  for (let index = 0; index < count; index++) {
    trickle(serving.port, (lifeMs) => lives.push(lifeMs));
    if (index % 50 === 49) await sleep(10);
  }
  const latencies: number[] = [];
  let failed = 0;
  let highest = before ?? 0;
  while (performance.now() - startedAt < headDeadlineMs + toleranceMs + 1_000) {
    const askedAt = performance.now();
    const answer = await fetch(`http://127.0.0.1:${serving.port}/bench/v1/items`, {
      headers: { authorization: `Bearer ${token}` },
    });
    await answer.arrayBuffer();
    if (answer.status !== 200) failed += 1;
    latencies.push(performance.now() - askedAt);
    highest = Math.max(highest, residentBytes(serving.pid) ?? 0);
    await sleep(50);
  }
  const inTime = lives.filter((life) => Math.abs(life - headDeadlineMs) <= toleranceMs).length;
  const served = `${latencies.length - failed} of ${latencies.length} answered, p99 ${quantile(latencies, 0.99).toFixed(1)} ms`;
  table.judge(`a good client among ${count} slow ones`, served, "all answered", failed === 0);
  const cut = `${inTime} of ${count}${lives.length > 0 ? `, after ${(quantile(lives, 0.5) / 1000).toFixed(1)} s` : ""}`;
  table.judge("slow heads cut at the deadline", cut, "all, near 15 s", inTime === count);
  table.add("RSS with slow clients", `${megabytes(before)} → ${megabytes(highest)}`);
  await serving.stop();
  await upstream.stop();
};

function trickle(port: number, ended: (lifeMs: number) => void): void {
  const startedAt = performance.now();
  let sent = 0;
  const socket: Socket = connect(port, "127.0.0.1");
  const drip = setInterval(() => socket.write(head.charAt(sent++ % head.length)), 1_000);
  socket.once("connect", () => socket.write(head.charAt(sent++)));
  socket.on("error", () => {});
  socket.resume();
  socket.once("close", () => {
    clearInterval(drip);
    ended(performance.now() - startedAt);
  });
}
