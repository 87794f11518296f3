import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure, type FailureCode } from "../../../src/engine/failure.ts";
import { statusOf } from "../../../src/surface/http-status.ts";
import { nextOf } from "../../../src/surface/mcp/next.ts";

test("no kind of refusal leaves the agent without a next step, and none tells it to approve", () => {
  for (const code of Object.keys(statusOf) as FailureCode[]) {
    const next = nextOf(new Failure(code, "m"));
    assert.ok(next.length > 10, code);
    assert.doesNotMatch(next, /janee (approve|grant)/u);
  }
});

test("what the one that refused says goes before what its kind says", () => {
  assert.equal(nextOf(new Failure("rule_denied", "m", { next: "use /v2" })), "use /v2");
  assert.equal(nextOf(new Failure("rule_denied", "m")), "do without it, or ask the person");
});
