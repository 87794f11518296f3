// Stores that are read through their vendor's own command line, which knows how a person is signed in.
import { Failure } from "../../engine/failure.ts";
import type { Reference } from "../../engine/reference.ts";
import { storeCommand } from "../../engine/reference-command.ts";
import type { Environment } from "../key-place.ts";
import { notThere } from "./credential.ts";
import { printed } from "./program.ts";

type Stored = Parameters<typeof storeCommand>[0];

export async function readStore(
  reference: Stored,
  environment: Environment,
  patienceMs: number,
): Promise<string | Failure> {
  const [program, ...words] = storeCommand(reference);
  const text = await printed(program, words, environment, patienceMs);
  if (text instanceof Failure) return text;
  if (reference.kind === "aws-sm") return awsSecret(reference, text);
  // The Infisical CLI ends well without the secret, and prints this in its place.
  if (reference.kind === "infisical" && text.trim() === "*not found*") {
    return notThere("infisical has no such secret in this project and environment");
  }
  return text;
}

function awsSecret({ field }: Extract<Reference, { kind: "aws-sm" }>, text: string): string | Failure {
  const secret = memberOf(text, "SecretString");
  if (secret === undefined) return notThere("the secret in AWS Secrets Manager has no text (SecretString)");
  if (field === undefined) return secret;
  const value = memberOf(secret, field);
  return value ?? notThere("the secret in AWS Secrets Manager has no such field, or it is no text");
}

/** A member of a JSON object that is text. */
export function memberOf(json: string, name: string): string | undefined {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    const member = (value as Record<string, unknown>)[name];
    return typeof member === "string" ? member : undefined;
  } catch {
    return undefined;
  }
}
