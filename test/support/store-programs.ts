// Stand-ins for the command lines of stores. Each checks its arguments word by word and prints as the real one does.
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface StoreProgram {
  readonly program: string;
  readonly reference: string;
  /** As the program must get them. */
  readonly words: readonly string[];
  /** What the real one prints for this value. */
  readonly prints: (value: string) => string;
}

const aws = ["secretsmanager", "get-secret-value", "--secret-id", "prod/shop", "--output", "json"];

export const storePrograms: readonly StoreProgram[] = [
  {
    program: "op",
    reference: "op://dev/My shop/key",
    words: ["read", "--no-newline", "op://dev/My shop/key"],
    prints: (value) => value,
  },
  {
    program: "aws",
    reference: "aws-sm:prod/shop",
    words: aws,
    prints: (value) => JSON.stringify({ Name: "prod/shop", SecretString: value }, undefined, 4),
  },
  {
    program: "aws",
    reference: "aws-sm:prod/shop#api key",
    words: aws,
    prints: (value) => JSON.stringify({ SecretString: JSON.stringify({ "api key": value, other: 1 }) }),
  },
  {
    program: "gcloud",
    reference: "gcp-sm:projects/shop-1/secrets/key/versions/3",
    words: ["secrets", "versions", "access", "3", "--secret", "key", "--project", "shop-1", "--quiet"],
    prints: (value) => value,
  },
  {
    program: "doppler",
    reference: "doppler:shop/prd/KEY",
    words: ["secrets", "get", "KEY", "--plain", "--project", "shop", "--config", "prd"],
    prints: (value) => `${value}\n`,
  },
  {
    program: "infisical",
    reference: "infisical:5f1c2a/prod/pay/KEY",
    words: [
      "secrets",
      "get",
      "KEY",
      "--projectId=5f1c2a",
      "--env=prod",
      "--path=/pay",
      "--plain",
      "--silent",
    ],
    prints: (value) => `${value}\n`,
  },
];

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** A folder of programs, beside a folder with what they print and what they were started with. */
export class ProgramFolder {
  readonly path: string;
  readonly #notes: string;

  constructor(beside: string, mode = 0o700) {
    this.path = join(beside, "programs");
    this.#notes = join(beside, "notes");
    for (const folder of [this.path, this.#notes]) mkdirSync(folder, { recursive: true, mode });
  }

  /** Prints what `print` last said, where the arguments are these; otherwise only complains. */
  put({ program, words }: Pick<StoreProgram, "program" | "words">): void {
    const expected = words.map((word) => `[${word}]`).join("");
    this.script(
      program,
      [
        `for word; do given="$given[$word]"; done`,
        `printf '%s\\n' "$given" >> ${quoted(join(this.#notes, `${program}.started`))}`,
        `[ "$given" = ${quoted(expected)} ] || { echo "unexpected arguments" >&2; exit 64; }`,
        `cat ${quoted(join(this.#notes, program))}`,
      ].join("\n"),
    );
  }

  script(program: string, body: string, mode = 0o700): string {
    const file = join(this.path, program);
    writeFileSync(file, `#!/bin/sh\n${body}\n`);
    chmodSync(file, mode);
    return file;
  }

  print(program: string, text: string): void {
    writeFileSync(join(this.#notes, program), text);
  }

  /** How often a program was started. */
  started(program: string): number {
    const file = join(this.#notes, `${program}.started`);
    return existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0;
  }
}
