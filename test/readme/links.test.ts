import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const root = new URL("../../", import.meta.url);
const docs = readdirSync(new URL("docs/", root)).filter((name) => name.endsWith(".md"));
const pages = ["README.md", "CONTRIBUTING.md", "SECURITY.md", ...docs.map((name) => `docs/${name}`)];

test("every page and heading that the docs link to exists", () => {
  let count = 0;
  for (const page of pages) {
    const text = readFileSync(new URL(page, root), "utf8");
    for (const [, target = ""] of text.matchAll(/\]\(((?!https?:|mailto:)[^)\s]+)\)/g)) {
      count += 1;
      const [path = "", heading] = target.split("#");
      const file = path === "" ? new URL(page, root) : new URL(path, new URL(page, root));
      assert.ok(existsSync(file), `${page} links to ${target}`);
      if (heading === undefined) continue;
      const headings = [...readFileSync(file, "utf8").matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
        title
          .toLowerCase()
          .replace(/[^\p{L}\p{N} _-]/gu, "")
          .replaceAll(" ", "-"),
      );
      assert.ok(headings.includes(heading), `${page} links to ${target}, and there is no such heading`);
    }
  }
  assert.ok(count > 10);
});
