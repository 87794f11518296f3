// A person's question as a client shows it: the stakes in plain words, and nothing an agent wrote that could restyle
// or pretend (MCP specification, client/elicitation).
import type { Approval, Verdict } from "../../engine/approval.ts";
import type { Capability } from "../../engine/config.ts";
import { shownCommand, shownTarget } from "../../engine/describe-question.ts";
import { describeRules } from "../../engine/describe-rules.ts";
import { timeLeft } from "../../engine/time-left.ts";
import { visible } from "../../engine/visible.ts";

const answers: Readonly<Record<string, Verdict>> = {
  once: "once",
  "this session": "session",
  deny: "declined",
};

/** Exactly one of these words is a decision; anything else, and nothing, is a "no". */
export function verdictOf(answer: unknown): Verdict {
  return typeof answer === "string" && Object.hasOwn(answers, answer)
    ? (answers[answer] ?? "declined")
    : "declined";
}

/** A form with one field that has no default, so that no client can answer it without a choice. */
export function formOf(approval: Approval): {
  readonly type: "object";
  readonly properties: Record<string, { type: "string"; title: string; description: string; enum: string[] }>;
  readonly required: string[];
} {
  const isRequest = approval.kind === "request";
  return {
    type: "object",
    properties: {
      decision: {
        type: "string",
        title: "Your decision",
        description: isRequest
          ? "once: this one request. this session: also further requests under the same rule, until the session ends. deny: no."
          : `this session: for ${timeLeft(approval.ttlMs ?? 0)} at most. deny: no.`,
        enum: isRequest ? ["once", "this session", "deny"] : ["this session", "deny"],
      },
    },
    required: ["decision"],
  };
}

export function wordsOf(approval: Approval, capability: Capability, baseUrl: string | undefined): string {
  const { kind, service, agent, owner, rule, method, target, reason } = approval;
  const where = `${service}${baseUrl === undefined ? "" : ` (${baseUrl})`}`;
  const lines =
    kind === "request"
      ? [
          `janee asks you: may an agent ${approval.argv ? "run this command with the credential of" : "send this request to"} ${where}?`,
        ]
      : [`janee asks you: may an agent use "${capability.name}" on ${where}?`];
  lines.push(`Who: ${who(owner, agent)}`);
  if (method !== undefined && target !== undefined) lines.push(`Request: ${method} ${shownTarget(target)}`);
  if (approval.argv)
    lines.push(
      `Command: ${visible(shownCommand(approval.argv))}`,
      `Program: ${visible(approval.program ?? "")}`,
    );
  if (approval.cwd !== undefined) lines.push(`In the folder: ${visible(approval.cwd)}`);
  if (rule !== undefined) lines.push(`Rule that asks: ${rule}`);
  if (approval.bodyBytes) lines.push(`Body: ${approval.bodyBytes} bytes, SHA-256 ${approval.bodyDigest}`);
  if (approval.bodyPreview) lines.push(`Body begins (written by the agent): ${plain(approval.bodyPreview)}`);
  if (kind === "session") {
    lines.push(`For how long: ${timeLeft(approval.ttlMs ?? capability.ttlMs)}`);
    lines.push(`What it may do then: ${describeRules(capability).join("; ")}`);
  }
  if (reason !== undefined) lines.push(`Its reason (written by the agent): ${plain(reason)}`);
  return lines.join("\n");
}

function who(owner: string, agent: string | undefined): string {
  if (agent === undefined) return owner;
  return owner.startsWith("agent:")
    ? `the agent "${agent}", by its token`
    : `"${plain(agent)}", as it calls itself`;
}

const longestShown = 600;

/** Without what clients may render: markup, links, controls and marks of direction. */
function plain(text: string): string {
  const shown = visible(text)
    .replace(/[`*_~<>#|[\]]/g, " ")
    .replaceAll("://", ": //");
  return shown.length <= longestShown
    ? shown
    : `${shown.slice(0, longestShown)}… (${shown.length} characters)`;
}
