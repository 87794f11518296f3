// A person logs in at the issuer, and what janee gets of it is a refresh token: sealed before anything is said.
import { setTimeout as sleep } from "node:timers/promises";
import type { Service } from "../engine/config.ts";
import {
  authorization,
  codeIn,
  type DevicePrompt,
  deviceLogin,
  exchangeCode,
  type LoginParts,
  ranOut,
} from "../engine/credential/login.ts";
import { grantOf } from "../engine/credential/oauth2.ts";
import type { Grant } from "../engine/credential/token-endpoint.ts";
import { Failure } from "../engine/failure.ts";
import { visible } from "../engine/visible.ts";
import { openInBrowser } from "../host/browser.ts";
import { openLoopback } from "../host/loopback.ts";
import type { Arguments, Command, Talk } from "./command.ts";
import { durationMs } from "./duration.ts";
import { withJanee } from "./open.ts";
import { unknownService } from "./set.ts";
import type { Janee } from "./wire-up.ts";

const usualTimeout = "5m";

export const command: Command = {
  usage: "<service> [--device] [--open] [--timeout 5m]",
  flags: {
    device: { type: "boolean", help: "by a code that is typed on another device, where the issuer has that" },
    browser: { type: "boolean", help: "in a browser on this machine, even where the device flow is there" },
    open: { type: "boolean", help: "open the page in the browser; else its address is only printed" },
    port: { type: "string", value: "PORT", help: "where the browser comes back to (default: any free port)" },
    timeout: {
      type: "string",
      value: "5m",
      help: `how long to wait for the person (default ${usualTimeout})`,
    },
  },
  positionals: { least: 1, most: 1 },
  notes: [
    "For services of the type oauth2. The browser comes back to http://127.0.0.1:PORT/callback.",
    "The refresh token is sealed into the config; access tokens stay in memory.",
  ],
  run: (args, talk) => withJanee(talk, (janee) => login(janee, args, talk)),
};

async function login(janee: Janee, args: Arguments, talk: Talk): Promise<number | Failure> {
  const name = args.positionals[0] ?? "";
  const { services } = janee.home.current().config;
  const service = services.get(name);
  if (!service) return unknownService(name, [...services.keys()]);
  const device = wantsDevice(service, args);
  if (device instanceof Failure) return device;
  const port = Number(args.text("port") ?? 0);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    return new Failure("usage", "--port wants a number from 0 to 65535");
  }
  const timeout = durationMs("--timeout", args.text("timeout") ?? usualTimeout);
  if (timeout instanceof Failure) return timeout;
  const opened = await janee.home.open(service);
  if (opened instanceof Failure) return opened;
  const tools = janee.credentialTools;
  const parts: LoginParts = {
    ...{ service, opened, tools, deadline: tools.now() + timeout },
    wait: (milliseconds) => sleep(milliseconds),
  };
  const grant = device ? await byDevice(parts, args, talk) : await byBrowser(parts, args, talk, port);
  if (grant instanceof Failure) return grant;
  const failure = await store(janee, service, grant);
  if (failure) return failure;
  if (talk.json) talk.printJson({ service: name, loggedIn: true });
  else talk.print(`logged in to ${name}`);
  return 0;
}

/** Which way: as asked, else by the device flow where the service has it. */
function wantsDevice({ name, auth }: Service, args: Arguments): boolean | Failure {
  const [device, browser] = [args.flag("device"), args.flag("browser")];
  if (auth.type !== "oauth2" || grantOf(auth) !== "refresh_token") {
    return new Failure("usage", `"${name}" needs no login: it authenticates by ${kindOf({ auth })}`, {
      next: "a service of the type oauth2 with an authorizeUrl or a deviceUrl takes one",
    });
  }
  if (device && browser) return new Failure("usage", "either --device or --browser, not both");
  const chosen = device || (!browser && auth.open.has("deviceUrl"));
  const field = chosen ? "deviceUrl" : "authorizeUrl";
  if (auth.open.has(field)) return chosen;
  return new Failure("usage", `"${name}" has no ${field}, so it cannot be logged in to in this way`, {
    next: `give it: janee set ${name} ${chosen ? "--device-url" : "--authorize-url"} https://…`,
  });
}

function kindOf({ auth }: Pick<Service, "auth">): string {
  return auth.type === "oauth2" ? "client credentials" : auth.type;
}

function byDevice(parts: LoginParts, args: Arguments, talk: Talk): Promise<Grant | Failure> {
  return deviceLogin(parts, ({ address, code, direct }: DevicePrompt) => {
    talk.say(`open ${visible(address)} and type the code ${visible(code)}`);
    if (direct !== undefined) talk.say(`  or open ${visible(direct)}`);
    if (args.flag("open")) openInBrowser(direct ?? address);
  });
}

async function byBrowser(
  parts: LoginParts,
  args: Arguments,
  talk: Talk,
  port: number,
): Promise<Grant | Failure> {
  const { service, tools, deadline } = parts;
  const loopback = await openLoopback(port);
  if (loopback instanceof Failure) return loopback;
  try {
    const asked = authorization(service, loopback.address, tools);
    talk.say(`open this page to log in to ${service.name}:\n  ${visible(asked.url)}`);
    if (args.flag("open")) openInBrowser(asked.url);
    const judge = (query: URLSearchParams) => codeIn(query, asked, service);
    const answer = await loopback.answer(judge, Math.max(0, deadline - tools.now()));
    if (answer === undefined) return ranOut(service);
    return answer instanceof Failure ? answer : await exchangeCode(parts, answer.code, asked);
  } finally {
    await loopback.close();
  }
}

async function store(janee: Janee, service: Service, { refresh }: Grant): Promise<Failure | undefined> {
  if (!refresh) {
    return new Failure("login_required", `the issuer gave no refresh token for "${service.name}"`, {
      next: "ask for one: often by the scope offline_access, or by access_type=offline in authorizeUrl",
    });
  }
  const unkept = await janee.home.keep(service, new Map([["refreshToken", refresh]]));
  if (unkept) return unkept;
  return janee.note({
    ...{ event: "policy", surface: "cli", owner: "person", outcome: "changed", service: service.name },
    ...{
      message: `login ${service.name}`,
      changes: [`service ${service.name}: auth.refreshToken given anew`],
    },
  });
}
