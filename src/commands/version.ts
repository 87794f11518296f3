// Replaced at compile time by scripts/compile.ts; from source they say so.
declare const JANEE_VERSION: string | undefined;
declare const JANEE_COMMIT: string | undefined;
declare const JANEE_MADE: number | undefined;

export const version: string = typeof JANEE_VERSION === "string" ? JANEE_VERSION : "0.1.0";
export const commit: string = typeof JANEE_COMMIT === "string" ? JANEE_COMMIT : "from source";

/** When the commit was made, in milliseconds since 1970; undefined from source, and where nobody knows. */
export const madeAt: number | undefined =
  typeof JANEE_MADE === "number" && JANEE_MADE > 0 ? JANEE_MADE * 1000 : undefined;

const { bun, deno } = process.versions;
export const runtime: string = bun === undefined ? `deno ${deno}` : `bun ${bun}`;
