// Puts the usage of every command into docs/commands.md, word for word: `bun scripts/usage.ts`.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { usageOfAll } from "../src/commands/index.ts";

const path = join(import.meta.dir, "..", "docs", "commands.md");
const marks = /<!-- usage -->[\s\S]*<!-- \/usage -->/;
const text = readFileSync(path, "utf8");
if (!marks.test(text)) throw new Error("docs/commands.md has no place for the usage");
const usage = `<!-- usage -->\n\`\`\`text\n${await usageOfAll()}\n\`\`\`\n<!-- /usage -->`;
writeFileSync(
  path,
  text.replace(marks, () => usage),
);
