// Who listens where `janee serve` would. By hand over a socket: no proxy of the environment gets in between.
import { connect } from "node:net";
import type { Found } from "./doctor-checks.ts";
import { version } from "./version.ts";

const limitMs = 1_000;
const longestAnswer = 64 * 1024;

export async function checkPort(host: string, port: number): Promise<Found> {
  const check = "port";
  const answer = await askHealth(host, port);
  if (answer === undefined)
    return { level: "ok", check, message: `${port} is free: janee serve is not running` };
  const running = /"status":\s*"ok".*"version":\s*"([^"]{1,40})"/s.exec(answer)?.[1];
  if (running === undefined) {
    const remedy = `stop that program, or choose another port: janee serve --port ${port + 1}`;
    return { level: "warn", check, message: `${port} is taken by another program`, remedy };
  }
  if (running === version) return { level: "ok", check, message: `janee serve answers on ${port}` };
  const message = `janee serve on ${port} is version ${running}, this is ${version}`;
  return { level: "warn", check, message, remedy: "start janee serve again" };
}

/** undefined: nobody listens. */
function askHealth(host: string, port: number): Promise<string | undefined> {
  return new Promise((done) => {
    let answer = "";
    let connected = false;
    const socket = connect({ host, port });
    const finish = (): void => {
      clearTimeout(late);
      socket.destroy();
      done(connected ? answer : undefined);
    };
    const late = setTimeout(finish, limitMs);
    socket.on("connect", () => {
      connected = true;
      socket.write(`GET /_janee/health HTTP/1.1\r\nHost: ${host}:${port}\r\nConnection: close\r\n\r\n`);
    });
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
      if (answer.length > longestAnswer || /"version":/.test(answer)) finish();
    });
    socket.on("end", finish);
    socket.on("error", finish);
  });
}
