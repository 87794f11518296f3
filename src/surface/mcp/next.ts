// Every refusal tells the agent what it can do: where the one that refused said nothing, its kind does.
import type { Failure } from "../../engine/failure.ts";
import { statusOf } from "../http-status.ts";

export function nextOf({ code, next }: Failure): string {
  return next ?? nextByStatus(statusOf[code]);
}

function nextByStatus(status: number): string {
  if (status === 400 || status === 421) return "send it again in the form that the message asks for";
  if (status === 401) return "call request_access for a session";
  if (status === 404) return "list_capabilities shows what there is";
  if (status === 413 || status === 431) return "send less in one request";
  if (status === 429) return "try again later";
  if (status === 403 || status === 407) return "do without it, or ask the person";
  return "try again; if it stays, tell the person what the message says";
}
