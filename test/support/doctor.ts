// What `janee doctor` says of a home.
import { canary, type Home } from "./janee.ts";

export const healthyConfig = `services:
  api: { baseUrl: "http://127.0.0.1:9", auth: { type: bearer, key: ${canary} } }
capabilities:
  api: { service: api, autoApprove: true, rules: [{ allow: GET /v1/* }] }
`;

export interface Finding {
  readonly level: string;
  readonly check: string;
  readonly message: string;
  readonly remedy?: string;
}

interface Examined {
  readonly status: number | null;
  readonly findings: readonly Finding[];
  readonly guarantee: string;
  readonly holds: readonly string[];
  readonly doesNotHold: readonly string[];
}

/** `port` absent: no --port is given. By default a port on which nobody listens. */
export async function examine(
  home: Home,
  options: { env?: Record<string, string>; port?: number | "usual" } = {},
): Promise<Examined> {
  const { status, stdout } = await home.run(
    ["doctor", "--json", ...(options.port === "usual" ? [] : ["--port", String(options.port ?? 1)])],
    {
      env: options.env ?? {},
    },
  );
  return { status, ...(JSON.parse(stdout) as Omit<Examined, "status">) };
}

/** All that is not well. */
export function others(findings: readonly Finding[]): string[] {
  return findings
    .filter(({ level }) => level !== "ok")
    .map(({ level, check, message }) => `${level} ${check}: ${message}`);
}

export async function healthy(home: Home): Promise<void> {
  home.writeConfig(healthyConfig);
  await home.do(["list"]);
}
