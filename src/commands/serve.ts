import { Failure } from "../engine/failure.ts";
import { visible } from "../engine/visible.ts";
import { changes as changesOf } from "../engine/widening.ts";
import type { ConfigChange } from "../host/home.ts";
import { listen } from "../host/listener.ts";
import { announceServing, retractServing } from "../host/serving.ts";
import { failureBytes } from "../surface/answer.ts";
import { ownAuthorities } from "../surface/foreign.ts";
import { makePage } from "../surface/page.ts";
import { type Load, serveConnection } from "../surface/proxy.ts";
import type { Command, Talk } from "./command.ts";
import { withJanee } from "./open.ts";
import { defaultHost, defaultPort } from "./serve-address.ts";
import { version } from "./version.ts";
import type { Janee } from "./wire-up.ts";

const patience = { idle: 75_000, head: 15_000, body: 60_000 };
const mostConnections = 4096;
const mostRequests = 2048;
const recheckEveryMs = 50;
const countRefusalsEveryMs = 1_000;
const tidyEveryMs = 3_600_000;

export const command: Command = {
  usage: "[--host 127.0.0.1] [--port 5263] [--allow-host NAME]…",
  flags: {
    host: { type: "string", value: "ADDRESS", help: `address to listen on (default ${defaultHost})` },
    port: {
      type: "string",
      value: "PORT",
      help: `port to listen on (default ${defaultPort}; 0: any free one)`,
    },
    "allow-host": {
      type: "string",
      value: "NAME",
      multiple: true,
      help: "a further Host, NAME or NAME:PORT, that means this listener",
    },
  },
  positionals: { least: 0, most: 0 },
  run: (args, talk) => {
    const port = Number(args.text("port") ?? defaultPort);
    if (!Number.isInteger(port) || port < 0 || port > 65_535) {
      return Promise.resolve(new Failure("usage", "--port wants a number from 0 to 65535"));
    }
    const host = args.text("host") ?? defaultHost;
    const strange = args
      .texts("allow-host")
      .find((name) => !/^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?$/.test(name));
    if (strange !== undefined) {
      return Promise.resolve(
        new Failure("usage", "--allow-host wants a name, or NAME:PORT, without a scheme or path"),
      );
    }
    return withJanee(talk, (janee) => serve(janee, talk, host, port, args.texts("allow-host")));
  },
};

async function serve(
  janee: Janee,
  talk: Talk,
  host: string,
  port: number,
  allowed: readonly string[],
): Promise<number | Failure> {
  for (const warning of janee.home.warnings) talk.say(`janee: warning: ${visible(warning.message)}`);
  janee.home.onChange((change) => void tellChange(janee, talk, change));
  let own: ReadonlySet<string> = new Set();
  const load: Load = { atWork: 0 };
  const page = makePage({ version });
  const listening = await listen({
    host,
    port,
    mostConnections,
    tooMany: failureBytes(new Failure("too_busy", "too many connections", { retryAfter: 1 })),
    serve: (connection) => {
      const face = { broker: janee.broker, policy: janee.home, page, own, patience, mostRequests };
      serveConnection(connection, face, load).catch((error: unknown) => {
        connection.destroy();
        talk.say(
          `janee: a bug while serving a request: ${error instanceof Error ? error.message : String(error)}`,
        );
        if (talk.environment.JANEE_DEBUG && error instanceof Error) talk.say(error.stack ?? "");
      });
    },
  });
  if (listening instanceof Failure) return listening;
  own = ownAuthorities(listening.port, ["127.0.0.1", "localhost", "::1", host], allowed);
  const rechecking = setInterval(() => {
    void janee.home.refreshVault();
    janee.broker.recheckInFlight();
  }, recheckEveryMs);
  const counting = setInterval(() => void janee.broker.writeRefusalCounts(), countRefusalsEveryMs);
  janee.sessions.tidy();
  const tidying = setInterval(() => janee.sessions.tidy(), tidyEveryMs);
  const unwritten = await janee.note({
    event: "start",
    surface: "proxy",
    message: `serve on ${host}:${listening.port}`,
  });
  if (unwritten) talk.say(`janee: ${unwritten.message}`);
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${listening.port}`;
  if (!/^(?:127\.|::1$|localhost$)/.test(host)) {
    talk.say(
      "janee: warning: tokens and answers travel in the clear on this address; put TLS in front of it",
    );
  }
  const unannounced = announceServing(janee.home.path, url);
  if (unannounced) talk.say(`janee: ${unannounced.message}`);
  if (talk.json) talk.printJson({ host, port: listening.port, url });
  else talk.say(`janee serves ${url}/<capability>/ (stop with Ctrl-C)`);
  await untilStopped();
  clearInterval(rechecking);
  clearInterval(counting);
  clearInterval(tidying);
  retractServing(janee.home.path);
  await listening.close();
  return 0;
}

async function tellChange(janee: Janee, talk: Talk, change: ConfigChange): Promise<void> {
  if (change.kind === "kept") {
    const at = change.problem.at;
    const place = at ? `${at.line}:${at.column}: ` : "";
    talk.say(
      `janee: the config on disk is not in force, the last good one is: ${place}${change.problem.message}`,
    );
    await janee.note({
      event: "policy",
      outcome: "kept",
      code: change.problem.code,
      message: change.problem.message,
    });
    return;
  }
  const { widened, other } = changesOf(change.before, change.after);
  if (widened.length + other.length === 0) return;
  talk.say("janee: the config has changed and is in force");
  for (const line of widened) talk.say(`  wider: ${visible(line)}`);
  const message = widened.length > 0 ? "policy widened" : "policy changed";
  const changes = [...widened.map((line) => `wider: ${line}`), ...other];
  await janee.note({ event: "policy", outcome: "changed", message, changes });
}

function untilStopped(): Promise<void> {
  return new Promise((done) => {
    process.once("SIGINT", () => done());
    process.once("SIGTERM", () => done());
  });
}
