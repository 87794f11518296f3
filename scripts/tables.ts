// Puts the tables that come from the code into their files: `bun scripts/tables.ts`. test/readme holds these to them.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tables, withTables } from "./tables/index.ts";

for (const [file, wanted] of tables()) {
  const path = join(import.meta.dir, "..", file);
  writeFileSync(path, withTables(readFileSync(path, "utf8"), wanted));
}
