import type { Approval } from "./approval.ts";
import { timeLeft } from "./time-left.ts";
import { visible } from "./visible.ts";

const longestShown = 2048;

/** What is at stake, in lines that nothing an agent wrote can restyle, hide or push off the screen. */
export function describeQuestion(approval: Approval, now: number): string[] {
  const { id, kind, state, capability, service, agent, owner, rule, method, target, reason } = approval;
  const lines = [
    `${id}  ${state}${state === "pending" ? `, ${timeLeft(approval.expiresAt - now)} left to decide` : ""}`,
    `  who      ${visible(agent ?? owner)}`,
    `  wants    ${kind === "session" ? `a session of ${capability}` : approval.argv ? "this one command" : "this one request"} on ${service}`,
  ];
  if (approval.ttlMs !== undefined && kind === "session")
    lines.push(`  for      ${timeLeft(approval.ttlMs)}`);
  if (method !== undefined && target !== undefined) lines.push(`  request  ${method} ${shownTarget(target)}`);
  if (approval.argv)
    lines.push(`  command  ${shownCommand(approval.argv)}`, `  program  ${visible(approval.program ?? "")}`);
  if (approval.cwd !== undefined) lines.push(`  in       ${visible(approval.cwd)}`);
  if (rule !== undefined) lines.push(`  rule     ${visible(rule)}`);
  if (approval.bodyBytes) lines.push(`  body     ${approval.bodyBytes} bytes, sha256 ${approval.bodyDigest}`);
  if (approval.bodyPreview) lines.push(`  begins   ${visible(approval.bodyPreview)}`);
  if (reason !== undefined) lines.push(`  it says  ${visible(reason.slice(0, 500))}`);
  return lines;
}

/** Each argument as one word, so that no blank or quote in it can look like two. */
export function shownCommand(argv: readonly string[]): string {
  return shownTarget(
    argv.map((word) => (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))).join(" "),
  );
}

/** Long targets keep both ends, so that the tail cannot hide. */
export function shownTarget(target: string): string {
  const text = visible(target);
  if (text.length <= longestShown) return text;
  return `${text.slice(0, longestShown / 2)} … ${text.length - longestShown} characters … ${text.slice(-longestShown / 2)}`;
}
