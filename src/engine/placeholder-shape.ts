// How vendors' keys look, as far as their own SDKs and tools check it.
import type { Service } from "./config.ts";
import { vendorOf } from "./vendor-variables.ts";

export interface Shape {
  readonly prefix: string;
  /** Of what follows the prefix, at least; letters and digits. */
  readonly length: number;
}

const plain: Shape = { prefix: "", length: 32 };

const shapes: Readonly<Record<string, Shape>> = {
  anthropic: { prefix: "sk-ant-api03-", length: 95 },
  github: { prefix: "ghp_", length: 36 },
  gitlab: { prefix: "glpat-", length: 20 },
  huggingface: { prefix: "hf_", length: 34 },
  linear: { prefix: "lin_api_", length: 40 },
  notion: { prefix: "ntn_", length: 46 },
  openai: { prefix: "sk-proj-", length: 48 },
  openrouter: { prefix: "sk-or-v1-", length: 64 },
  sendgrid: { prefix: "SG.", length: 66 },
  sentry: { prefix: "sntrys_", length: 40 },
  slack: { prefix: "xoxb-", length: 50 },
  stripe: { prefix: "sk_test_", length: 99 },
};

export function shapeOf(service: Service): Shape {
  return shapes[vendorOf(service)?.vendor ?? ""] ?? plain;
}
