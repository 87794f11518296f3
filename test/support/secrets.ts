// Where in folders of files a secret lies: it should be nowhere.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export function findIn(folders: readonly string[], secrets: readonly string[]): string[] {
  const found: string[] = [];
  for (const folder of folders) {
    for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      const path = join(folder, name);
      if (!statSync(path, { throwIfNoEntry: false })?.isFile()) continue;
      const text = readFileSync(path, "latin1");
      const forms = secrets.flatMap((secret) => [
        secret,
        Buffer.from(secret).toString("base64").replace(/=+$/, ""),
      ]);
      if (forms.some((form) => form !== "" && text.includes(form))) found.push(path);
    }
  }
  return found;
}
