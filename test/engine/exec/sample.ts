// The corpus of exec mode, and a config around one capability in it.
import { readFileSync } from "node:fs";
import { capability } from "../config-sample.ts";

export interface ExecCase {
  readonly id: string;
  readonly input: {
    readonly title: string;
    readonly allowCommands: readonly string[];
    readonly argv?: readonly string[] | string;
  };
  readonly expect: { readonly outcome: string | readonly string[]; readonly code?: string };
}

export function execCorpus(): readonly ExecCase[] {
  const text = readFileSync(new URL("../../corpus/exec.jsonl", import.meta.url), "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as ExecCase);
}

export function exec(...lines: string[]): string {
  return capability("mode: exec", ...lines).replace("baseUrl: https://api.example.com, ", "");
}
