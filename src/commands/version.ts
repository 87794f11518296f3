// Replaced at compile time by scripts/compile.ts; from source they say so.
declare const JANEE_VERSION: string | undefined;
declare const JANEE_COMMIT: string | undefined;

export const version: string = typeof JANEE_VERSION === "string" ? JANEE_VERSION : "0.1.0";
export const commit: string = typeof JANEE_COMMIT === "string" ? JANEE_COMMIT : "from source";

const { bun, deno } = process.versions;
export const runtime: string = bun === undefined ? `deno ${deno}` : `bun ${bun}`;
