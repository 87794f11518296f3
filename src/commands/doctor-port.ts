// Who listens where `janee serve` would. By hand over a socket: no proxy of the environment gets in between.
import { connect } from "node:net";
import type { Found } from "./doctor-checks.ts";
import { defaultHost, defaultPort } from "./serve-address.ts";
import { version } from "./version.ts";

const check = "port";
const limitMs = 1_000;
const longestAnswer = 64 * 1024;

export interface Announced {
  /** Where the `janee serve` of this home said that it listens. */
  readonly host: string;
  readonly port: number;
}

export function announcedAt(url: string | undefined): Announced | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 80) };
}

/** `asked`: the port that was named with --port. Without it, the one that is in use is looked at. */
export async function checkPort(asked: number | undefined, announced: Announced | undefined): Promise<Found> {
  const usual = asked ?? defaultPort;
  if (announced && (asked === undefined || asked === announced.port)) return ownServe(announced);
  const elsewhere = announced ? `; janee serve of this home is on ${announced.port}` : "";
  const answer = await askHealth(defaultHost, usual);
  if (answer === undefined) {
    const message = announced
      ? `${usual} is free${elsewhere}`
      : `${usual} is free: janee serve is not running`;
    return { level: "ok", check, message };
  }
  if (versionIn(answer) !== undefined) {
    const message = `a janee serve of another home or user answers on ${usual}: it knows no token of this one${elsewhere}`;
    return { level: "warn", check, message, remedy: another(usual) };
  }
  const message = `${usual} is taken by another program${elsewhere}`;
  return { level: "warn", check, message, remedy: `stop that program, or ${another(usual)}` };
}

async function ownServe({ host, port }: Announced): Promise<Found> {
  const reached = host === "0.0.0.0" ? defaultHost : host === "::" ? "::1" : host;
  const running = versionIn((await askHealth(reached, port)) ?? "");
  if (running === undefined) {
    const message = `janee serve said that it is on ${port}, and does not answer there`;
    return { level: "warn", check, message, remedy: "stop it, and start janee serve again" };
  }
  const usual =
    port === defaultPort
      ? ""
      : `, not on the usual ${defaultPort}: janee grant and janee connect name ${port}`;
  if (running === version) return { level: "ok", check, message: `janee serve answers on ${port}${usual}` };
  const message = `janee serve on ${port} is version ${running}, this is ${version}`;
  return { level: "warn", check, message, remedy: "start janee serve again" };
}

function versionIn(answer: string): string | undefined {
  return /"status":\s*"ok".*"version":\s*"([^"]{1,40})"/s.exec(answer)?.[1];
}

function another(port: number): string {
  return `choose another port: janee serve --port ${port < 65_535 ? port + 1 : port - 1}`;
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
