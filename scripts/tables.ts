// Puts the tables that come from the code into the README: `bun scripts/tables.ts`. test/readme holds it to them.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tables, withTables } from "./tables/index.ts";

const path = join(import.meta.dir, "..", "README.md");
writeFileSync(path, withTables(readFileSync(path, "utf8"), tables()));
