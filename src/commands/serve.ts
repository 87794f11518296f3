import { Failure } from "../engine/failure.ts";
import { visible } from "../engine/visible.ts";
import { hasAuthority } from "../host/authority/authority.ts";
import { listen } from "../host/listener.ts";
import { announceServing, retractServing } from "../host/serving.ts";
import { onStopSignal } from "../host/stop-signals.ts";
import { failureBytes } from "../surface/answer.ts";
import { ownAuthorities } from "../surface/foreign.ts";
import { type Load, serveConnection } from "../surface/proxy.ts";
import type { Command, Talk } from "./command.ts";
import { portFrom } from "./flag-slips.ts";
import { forwardFor } from "./forward.ts";
import { grantSession } from "./granting.ts";
import { mcpOverHttp } from "./mcp-http.ts";
import { withJanee } from "./open.ts";
import { pageOf } from "./page.ts";
import { defaultHost, defaultPort } from "./serve-address.ts";
import { bounds } from "./serve-bounds.ts";
import { installation } from "./serve-install.ts";
import { watchOver } from "./watch.ts";
import type { Janee } from "./wire-up.ts";

const { patience, mostConnections, mostRequests } = bounds;

export const command: Command = {
  usage:
    "[--host 127.0.0.1] [--port 5263] [--allow-host NAME]… [--grant CAPABILITY] [--install | --uninstall]",
  flags: {
    host: { type: "string", value: "ADDRESS", help: `address to listen on (default ${defaultHost})` },
    port: {
      type: "string",
      value: "PORT",
      help: `port to listen on (default ${defaultPort}; 0: any free one)`,
    },
    grant: {
      type: "string",
      value: "CAPABILITY",
      help: "also make a session for it, as janee grant does, and print how to use it",
    },
    install: { type: "boolean", help: "start it now and at each login, as a service of your user" },
    uninstall: { type: "boolean", help: "stop it, and take that back" },
    "allow-host": {
      type: "string",
      value: "NAME",
      multiple: true,
      help: "a further Host, NAME or NAME:PORT, that means this listener",
    },
  },
  positionals: { least: 0, most: 0 },
  run: (args, talk) => {
    const port = portFrom(args, 0) ?? defaultPort;
    if (port instanceof Failure) return Promise.resolve(port);
    const host = args.text("host") ?? defaultHost;
    const strange = args
      .texts("allow-host")
      .find((name) => !/^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?$/.test(name));
    if (strange !== undefined) {
      return Promise.resolve(
        new Failure("usage", "--allow-host wants a name, or NAME:PORT, without a scheme or path"),
      );
    }
    if (args.flag("grant") && (args.flag("install") || args.flag("uninstall"))) {
      return Promise.resolve(
        new Failure("usage", "--grant does not go with --install: nobody would read the token", {
          next: "install it, then: janee grant CAPABILITY",
        }),
      );
    }
    if (args.flag("install") || args.flag("uninstall")) return installation(args, talk, { host, port });
    return withJanee(talk, (janee) =>
      serve(janee, talk, {
        ...{ host, port, allowed: args.texts("allow-host"), grant: args.text("grant") },
      }),
    );
  },
};

interface Serving {
  readonly host: string;
  readonly port: number;
  readonly allowed: readonly string[];
  readonly grant: string | undefined;
}

async function serve(
  janee: Janee,
  talk: Talk,
  { host, port, allowed, grant }: Serving,
): Promise<number | Failure> {
  for (const warning of janee.home.warnings) talk.say(`janee: warning: ${visible(warning.message)}`);
  let own: ReadonlySet<string> = new Set();
  const load: Load = { atWork: 0 };
  const page = pageOf(janee);
  const mcp = mcpOverHttp(janee);
  const forward = forwardFor(janee, { callerOf: () => undefined });
  const listening = await listen({
    host,
    port,
    mostConnections,
    tooMany: failureBytes(new Failure("too_busy", "too many connections", { retryAfter: 1 })),
    serve: (connection) => {
      const face = {
        broker: janee.broker,
        policy: janee.home,
        page,
        mcp: mcp.serve,
        own,
        patience,
        mostRequests,
        forward,
      };
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
  const watch = watchOver(janee, talk);
  const close = async (): Promise<void> => {
    watch.stop();
    await mcp.close();
    await listening.close();
  };
  // Only where the forward proxy was used before: no authority is made for nobody.
  if (hasAuthority(janee.home.path)) void forward.warm();
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
  const granted =
    grant === undefined
      ? undefined
      : await grantSession(janee, talk, grant, { command: `serve --grant ${grant}` });
  if (granted instanceof Failure) {
    await close();
    return granted;
  }
  // Whoever reads that it serves may end it at once.
  const stopped = untilStopped();
  const unannounced = announceServing(janee.home.path, url);
  if (unannounced) talk.say(`janee: ${unannounced.message}`);
  const made = granted && { ...granted, capability: grant, baseUrl: `${url}/${grant}` };
  if (talk.json) talk.printJson({ host, port: listening.port, url, ...(made && { granted: made }) });
  else {
    talk.say(`janee serves ${url}/<capability>/ (stop with Ctrl-C)`);
    if (made) {
      talk.say(`a session of ${grant} until ${made.expiresAt}; add a path to the URL:`);
      talk.print(`curl -H "Authorization: Bearer ${made.token}" ${made.baseUrl}/`);
    }
  }
  await stopped;
  retractServing(janee.home.path);
  await close();
  return 0;
}

function untilStopped(): Promise<void> {
  return new Promise((done) => {
    onStopSignal(done);
  });
}
