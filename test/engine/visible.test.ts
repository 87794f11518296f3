import assert from "node:assert/strict";
import { test } from "node:test";
import { visible } from "../../src/engine/visible.ts";

test("what steers a terminal or hides is shown by its code point", () => {
  for (const [text, shown] of [
    ["\x1b[2J", "\\u001b[2J"],
    ["a\nb\tc\r\x07\x7f", "a\\u000ab\\u0009c\\u000d\\u0007\\u007f"],
    ["\x9b31m", "\\u009b31m"],
    ["\u202egpj.exe", "\\u202egpj.exe"],
    ["\u2066a\u2069\u200e\u200f\u061c", "\\u2066a\\u2069\\u200e\\u200f\\u061c"],
    ["a\u200bb\u200c\u200d\u2060\ufeff\u00ad", "a\\u200bb\\u200c\\u200d\\u2060\\ufeff\\u00ad"],
    ["a\u2028b\u2029", "a\\u2028b\\u2029"],
    ["\u{e0041}", "\\u{e0041}"],
    ["\ud800", "\\ud800"],
    ["\u3164", "\\u3164"],
  ] as const)
    assert.equal(visible(text), shown);
});

test("what people write passes as it is", () => {
  for (const text of ["", "GET /v1/*", "Ünïcode ✓ 日本語 עברית العربية", "🙂", "a b", "\\u0041", "e\u0301"])
    assert.equal(visible(text), text);
});
