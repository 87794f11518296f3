// Configs that several tests build on.
import assert from "node:assert/strict";
import { Failure } from "../../src/engine/failure.ts";
import { type ReadConfig, readConfig } from "../../src/engine/read-config.ts";

export function read(text: string): ReadConfig {
  const config = readConfig(text, "config.yaml");
  if (config instanceof Failure) assert.fail(`${config.message} at ${config.at?.line}:${config.at?.column}`);
  return config;
}

export function refused(text: string): Failure {
  const failure = readConfig(text, "config.yaml");
  assert.ok(failure instanceof Failure, `expected a refusal of:\n${text}`);
  return failure;
}

/** A service with these further lines, and nothing else. */
export function service(...lines: string[]): string {
  return ["services:", "  s:", ...lines.map((line) => `    ${line}`), ""].join("\n");
}

/** A capability of a sound service, with these further lines. */
export function capability(...lines: string[]): string {
  return [
    "services:",
    "  s: {baseUrl: https://api.example.com, auth: {type: bearer, key: env:KEY}}",
    "capabilities:",
    "  c:",
    "    service: s",
    ...lines.map((line) => `    ${line}`),
    "",
  ].join("\n");
}

export const bearer = "auth: {type: bearer, key: env:KEY}";

export const contractExample = `services:
  stripe:
    baseUrl: https://api.stripe.com
    auth: { type: bearer, key: sk_live_xxx }     # sealed in place at the next command
  github:
    baseUrl: https://api.github.com
    auth: { type: bearer, key: env:GITHUB_TOKEN }
  twitter:
    auth: { type: bearer, key: sealed:v1:AAAA }
capabilities:
  stripe-readonly:
    service: stripe
    ttl: 1h                  # 30s, 30m, 1h, 8h; default 1h; over 8h warns; over 24h is an error
    autoApprove: true        # default false: a human confirms each session
    rules:
      - allow: GET /v1/*
      - deny: "*"
  github-repos:
    service: github
    ttl: 30m
    rules:
      - allow: GET /repos/*
      - allow: POST /repos/*/issues
      - ask: PUT /repos/*     # a human confirms this one request
      - deny: DELETE *
  twitter:
    service: twitter
    mode: exec
    allowCommands: [bird, tweet-cli]
    envMap: { TWITTER_API_KEY: "{{credential}}" }
    timeout: 30s
    workDir: ~/projects
network:                      # how janee itself reaches the world; never taken from the environment
  proxy: http://proxy.corp:3128
  noProxy: [.corp]
  caFile: ~/corp-root.pem
`;
