// MCP as an agent meets it: on stdio and over HTTP, with clients of 2025-11-25 and of 2026-07-28, and a person who says
// yes, no, or nothing at all.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { request } from "../support/client.ts";
import { canary } from "../support/janee.ts";
import { Agent, type Elicited, eras, say, type Told, verdict, yes } from "../support/mcp.ts";
import { faces, McpStage, unattended } from "../support/mcp-stage.ts";
import { pause, until } from "../support/wait.ts";

const limit = { timeout: 60_000 };

const asksForPost = "autoApprove: true, rules: [{ ask: POST /* }, { allow: GET * }]";
const noes: readonly (readonly [name: string, answer: () => Elicited])[] = [
  ["deny", say("deny")],
  ["decline", () => ({ action: "decline" })],
  ["cancel", () => ({ action: "cancel" })],
  ["nothing chosen", () => ({ action: "accept", content: {} })],
  ["a word that was not offered", say("always")],
  [
    "a client that breaks",
    () => {
      throw new Error("no window");
    },
  ],
];

const capabilities: Readonly<Record<string, string>> = {
  open: "autoApprove: true",
  once: asksForPost,
  session: asksForPost,
  shown: asksForPost,
  graph: "autoApprove: true, rules: [{ ask: POST /graphql }]",
  manual: "rules: [{ allow: GET * }]",
  ...Object.fromEntries(noes.map((_, at) => [`no-${at}`, asksForPost])),
  ...Object.fromEntries(noes.map((_, at) => [`never-${at}`, "rules: [{ allow: GET * }]"])),
  mute: asksForPost,
  "mute-manual": "rules: [{ allow: GET * }]",
  "by-url": asksForPost,
  outside: `${asksForPost}, approval: out-of-band`,
  burst: asksForPost,
  "burst-manual": "rules: [{ allow: GET * }]",
  terminal: asksForPost,
  changing: asksForPost,
  short: "ttl: 1s, autoApprove: true, rules: [{ allow: GET * }]",
  ending: "autoApprove: true, rules: [{ allow: GET * }]",
  a: "autoApprove: true, rules: [{ allow: GET * }]",
  b: "autoApprove: true, rules: [{ allow: GET * }]",
  reasons: "autoApprove: true, requireReason: true, rules: [{ allow: GET * }]",
  limited: "autoApprove: true, limit: 2/h, rules: [{ allow: GET * }]",
  named: "autoApprove: true, allowedAgents: [alice], rules: [{ allow: GET * }]",
};

const scene = new McpStage(capabilities);
const everywhere = scene.everywhere.bind(scene);
const stage = scene.stage.bind(scene);
after(() => scene.close());

const post = (body: unknown = { n: 1 }) => ({ method: "POST", body });

// ---- what the tools say

everywhere("the tools are listed with schemas, titles and annotations", async (_, agent, __, era) => {
  const { tools } = await agent.client.listTools();
  assert.deepEqual(tools.map(({ name }) => name).sort(), [
    "end_session",
    "exec",
    "execute",
    "explain",
    "list_capabilities",
    "request_access",
  ]);
  for (const { name, title, annotations, inputSchema, outputSchema, description } of tools) {
    assert.ok(title && description, name);
    assert.equal(inputSchema.type, "object", name);
    assert.equal(outputSchema?.type, "object", name);
    assert.equal(annotations?.readOnlyHint, ["explain", "list_capabilities"].includes(name), name);
  }
  assert.equal(agent.client.getNegotiatedProtocolVersion(), era === "modern" ? "2026-07-28" : "2025-11-25");
});

// MCP-010: what an agent needs to know, and not where the credential goes or what it is.
everywhere(
  "list_capabilities shows names, rules and times, and nothing of the service's insides",
  async (on, agent) => {
    const told = await agent.call("list_capabilities");
    const listed = told.content.capabilities as {
      capability: string;
      needsApproval: boolean;
      rules: string[];
    }[];
    assert.deepEqual(listed.map(({ capability }) => capability).sort(), Object.keys(capabilities).sort());
    assert.equal(listed.find(({ capability }) => capability === "manual")?.needsApproval, true);
    assert.equal(listed.find(({ capability }) => capability === "once")?.needsApproval, false);
    assert.ok(!told.text.includes(String(on.upstream.port)) && !told.text.includes("bearer"));
  },
);

everywhere("explain says what would be decided, and by which rule", async (on, agent) => {
  const explained = async (method: string, path: string): Promise<unknown> =>
    (await agent.call("explain", { capability: "once", method, path })).content;
  assert.deepEqual(await explained("get", "/v1/x"), { decision: "allow", rule: "allow: GET *" });
  assert.deepEqual(await explained("POST", "/v1/x"), { decision: "ask", rule: "ask: POST /*" });
  const denied = (await explained("DELETE", "/v1/x")) as { decision: string; code: string };
  assert.deepEqual([denied.decision, denied.code], ["deny", "rule_denied"]);
  const bad = (await explained("GET", "/v1/../x")) as { decision: string; code: string };
  assert.deepEqual([bad.decision, bad.code], ["deny", "path_ambiguous"]);
  assert.deepEqual(on.upstream.seen, []);
});

// ---- a person's yes

everywhere(
  "a yes to one request: it is sent once, and the next one is asked about again",
  async (on, agent) => {
    const first = await agent.execute("once", "/v1/pay", { ...post(), reason: "to pay" });
    assert.equal(verdict(first), "200", first.text);
    assert.equal(agent.asked.length, 1);
    const [question] = agent.asked;
    assert.deepEqual(question?.choices, ["once", "this session", "deny"]);
    assert.ok(!JSON.stringify(question?.requestedSchema).includes('"default"'));
    assert.match(question?.message ?? "", /POST \/v1\/pay/);
    assert.match(question?.message ?? "", /written by the agent\): to pay/);
    assert.match(question?.message ?? "", /Body begins \(written by the agent\): \{"n":1\}/);
    assert.equal(on.upstream.seen[0]?.body.toString(), '{"n":1}');
    assert.deepEqual(on.upstream.seen[0]?.values("authorization"), [`Bearer ${canary}`]);

    agent.answer = say("deny");
    assert.equal(
      verdict(await agent.execute("once", "/v1/pay", { ...post(), reason: "to pay" })),
      "approval_declined",
    );
    assert.equal(agent.asked.length, 2, "a yes is used once");
    assert.equal(on.upstream.seen.length, 1);
  },
);

everywhere('"this session" covers the rule until the session ends, and no further', async (_on, agent) => {
  agent.answer = say("this session");
  assert.equal(verdict(await agent.execute("session", "/v1/one", post())), "200");
  assert.equal(verdict(await agent.execute("session", "/v1/two", post({ n: 2 }))), "200");
  assert.equal(agent.asked.length, 1, "the second request falls under the same rule");
  const { content } = await agent.call("request_access", { capability: "session" });
  assert.equal(verdict(await agent.call("end_session", { session: content.session })), "ok");
  assert.equal(verdict(await agent.execute("session", "/v1/three", post())), "200");
  assert.equal(agent.asked.length, 2, "a new session begins with a question");
});

everywhere("a capability that is not autoApprove: one question opens it for its time", async (on, agent) => {
  const first = await agent.call("request_access", { capability: "manual", reason: "look <b>here</b>" });
  assert.equal(verdict(first), "ok", first.text);
  assert.deepEqual(agent.asked[0]?.choices, ["this session", "deny"]);
  const { message = "" } = agent.asked[0] ?? {};
  assert.match(message, /For how long: 1h/);
  assert.match(message, /allow: GET \*/);
  assert.ok(!message.includes("<b>"), "what the agent wrote is no markup");
  assert.equal(verdict(await agent.execute("manual", "/v1/x")), "200");
  assert.equal(
    (await agent.call("request_access", { capability: "manual" })).content.session,
    first.content.session,
  );
  assert.equal(agent.asked.length, 1);
  assert.equal(on.upstream.seen.length, 1);
});

// APPR-011, APPR-012, APPR-013, APPR-014: what a person reads is what will be sent, and all of what matters of it.
everywhere("a question hides nothing: controls, long paths, look-alikes, large bodies", async (on, agent) => {
  agent.answer = say("once");
  const ask = async (path: string, body: unknown, reason?: string): Promise<string> => {
    agent.asked.length = 0;
    const told = await agent.execute("shown", path, {
      ...post(body),
      ...(reason === undefined ? {} : { reason }),
    });
    assert.equal(verdict(told), "200", told.text);
    return agent.asked[0]?.message ?? "";
  };
  const reason = "ok\u001b[2K\u001b[1A GET /safe \u202e [here](https://evil.example)\nWho: root";
  const styled = await ask("/v1/x", "\u001b]0;x\u0007", reason);
  assert.doesNotMatch(styled.replaceAll("\n", ""), /[\p{Cc}\p{Cf}]/u);
  assert.match(styled, /ok\\u001b/);
  assert.ok(!styled.includes("https://evil.example") && !styled.includes("[here]"), styled);
  assert.equal(styled.match(/^Who: /gm)?.length, 1, "a reason makes no line of its own");
  const long = await ask(`/v1/${"a".repeat(4000)}/delete-all`, "x");
  assert.match(long, /characters … a+\/delete-all$/m);
  const alike = await ask("/repos/\u0430cme/x", "x");
  assert.match(alike, /\/repos\/%D0%B0cme\/x/);
  const body = "z".repeat(5_000_000);
  const large = await ask("/v1/x", body);
  assert.match(large, /5000000 bytes, SHA-256 [0-9a-f]{64}/);
  assert.ok(large.length < 3_000, `${large.length} characters`);
  assert.equal(on.upstream.seen.at(-1)?.body.length, body.length);
});

// MCP-013: rules cannot see into a body; a question shows it.
everywhere("a GraphQL mutation under an ask rule is shown with its body", async (_, agent) => {
  agent.answer = say("deny");
  await agent.execute("graph", "/graphql", post({ query: "mutation { deleteRepo }" }));
  assert.match(agent.asked[0]?.message ?? "", /mutation \{ deleteRepo \}/);
});

// ---- a no, in every form that a no can take

for (const [at, [name, answer]] of noes.entries()) {
  everywhere(`${name}: the request is not sent, and nobody is asked again`, async (on, agent, _, era) => {
    agent.answer = answer;
    const first = await agent.execute(`no-${at}`, "/v1/pay", post());
    assert.ok(first.isError, first.text);
    // A client of 2026-07-28 that breaks never comes back: its question waits, unanswered.
    const brokeOff = name === "a client that breaks" && era === "modern";
    if (!brokeOff) {
      assert.equal(verdict(first), "approval_declined", first.text);
      agent.answer = yes;
      assert.equal(verdict(await agent.execute(`no-${at}`, "/v1/pay", post())), "approval_declined");
      assert.equal(agent.asked.length, 1);
    }
    assert.deepEqual(on.upstream.seen, []);
    // The twin: what no rule asks about goes on.
    assert.equal(verdict(await agent.execute(`no-${at}`, "/v1/pay")), "200");
  });

  everywhere(
    `${name}: no session, and no other reason brings the question back`,
    async (on, agent, _, era) => {
      agent.answer = answer;
      const first = await agent.execute(`never-${at}`, "/v1/x", { reason: "one" });
      assert.ok(first.isError, first.text);
      if (name === "a client that breaks" && era === "modern") return;
      assert.equal(verdict(first), "approval_declined", first.text);
      agent.answer = yes;
      for (const reason of ["one", "two", undefined]) {
        const more = reason === undefined ? {} : { reason };
        assert.equal(verdict(await agent.execute(`never-${at}`, "/v1/x", more)), "approval_declined");
        assert.equal(
          verdict(await agent.call("request_access", { capability: `never-${at}`, ...more })),
          "approval_declined",
        );
      }
      assert.equal(agent.asked.length, 1);
      assert.deepEqual(on.upstream.seen, []);
    },
  );
}

// ---- a person at a terminal

// APPR-005: a client that cannot ask is no yes. APPR-002: a yes is used once.
everywhere(
  "a client without elicitation waits for janee approve, and finds the decision once",
  async (on, _, face, era) => {
    const mute = await scene.connect(face, { era, elicitation: "none" });
    const send = () => mute.execute("mute", "/v1/pay", post(era));
    const first = await send();
    assert.equal(verdict(first), "approval_pending", first.text);
    const [one] = await scene.waiting("mute");
    assert.ok(one && first.text.includes(one.id), "the agent can name what waits");
    assert.doesNotMatch(first.text, /janee approve/, "no command that approves");
    assert.equal(verdict(await send()), "approval_pending");
    assert.deepEqual(on.upstream.seen, []);
    await scene.approve("mute");
    assert.equal(
      verdict(await mute.execute("mute", "/v1/pay", post("another"))),
      "approval_pending",
      "bound to its body",
    );
    assert.equal(verdict(await send()), "200");
    assert.equal(on.upstream.seen.length, 1);
    assert.equal(verdict(await send()), "approval_pending", "a replay");
    assert.equal(on.upstream.seen.length, 1);
    for (const { id } of await scene.waiting("mute")) await on.home.do(["deny", id], unattended);
    assert.equal(verdict(await send()), "approval_declined");

    assert.equal(verdict(await mute.execute("mute-manual", "/v1/x")), "approval_pending");
    await scene.approve("mute-manual");
    assert.equal(verdict(await mute.execute("mute-manual", "/v1/x")), "200");
    assert.equal(verdict(await mute.execute("mute-manual", "/v1/y")), "200", "the session lives on");
    await mute.call("end_session", {
      session: (await mute.call("request_access", { capability: "mute-manual" })).content.session,
    });
  },
);

everywhere(
  "approval: out-of-band takes no answer from the agent's own client",
  async (_on, agent, _, era) => {
    const first = await agent.execute("outside", "/v1/pay", post(era));
    assert.equal(verdict(first), "approval_pending", first.text);
    assert.deepEqual(agent.asked, []);
    await scene.approve("outside");
    assert.equal(verdict(await agent.execute("outside", "/v1/pay", post(era))), "200");
    assert.deepEqual(agent.asked, []);
  },
);

everywhere("a client that only opens URLs cannot ask", async (on, _, face, era) => {
  const byUrl = await scene.connect(face, { era, elicitation: { url: {} } });
  const told = await byUrl.execute("by-url", "/v1/pay", post(era));
  assert.equal(verdict(told), "approval_pending", told.text);
  assert.deepEqual(on.upstream.seen, []);
});

everywhere(
  "a burst of the same request is one question, and all of it hears the answer",
  async (on, agent) => {
    let release: () => void = () => {};
    const gate = new Promise<void>((done) => {
      release = done;
    });
    agent.answer = async () => {
      await gate;
      return { action: "accept", content: { decision: "this session" } };
    };
    const burst = Array.from({ length: 10 }, () => agent.execute("burst", "/v1/pay", post()));
    await until(5_000, "the question", () => agent.asked.length > 0);
    await pause(300);
    release();
    assert.deepEqual([...new Set((await Promise.all(burst)).map(verdict))], ["200"]);
    assert.equal(agent.asked.length, 1);
    assert.equal(on.upstream.seen.length, 10);

    agent.answer = say("deny");
    const refused = Array.from({ length: 10 }, () => agent.execute("burst-manual", "/v1/x"));
    assert.deepEqual([...new Set((await Promise.all(refused)).map(verdict))], ["approval_declined"]);
    assert.equal(agent.asked.length, 2);
  },
);

everywhere(
  "a yes at a terminal lets the call go on, whatever the client says then",
  async (on, agent, _, era) => {
    let release: () => void = () => {};
    const gate = new Promise<void>((done) => {
      release = done;
    });
    agent.answer = async () => {
      await gate;
      return { action: "decline" };
    };
    const call = agent.execute("terminal", "/v1/pay", post());
    await until(5_000, "the question", () => agent.asked.length > 0);
    await scene.approve("terminal");
    // A client of 2026-07-28 has the call back, and sends it again only when its form is closed.
    if (era === "modern") release();
    const told = await call;
    release();
    assert.equal(verdict(told), "200", told.text);
    assert.equal(on.upstream.seen.length, 1);
  },
);

// APPR-004
test("rules that change between a yes and its use are the ones that count", limit, async () => {
  const on = await stage();
  on.fresh();
  const mutes: Agent[] = [];
  for (const face of faces)
    for (const era of eras) mutes.push(await scene.connect(face, { era, elicitation: "none" }));
  for (const [at, mute] of mutes.entries()) {
    assert.equal(verdict(await mute.execute("changing", "/v1/pay", post(at))), "approval_pending");
  }
  const found = await scene.waiting("changing");
  assert.equal(found.length, mutes.length);
  for (const { id } of found) await on.home.do(["approve", id], unattended);
  const before = on.home.readConfig();
  on.home.writeConfig(before.replace(/( changing: .*)ask: POST/, "$1deny: POST"));
  for (const [at, mute] of mutes.entries()) {
    const told = await mute.execute("changing", "/v1/pay", post(at));
    assert.equal(verdict(told), "rule_denied", told.text);
  }
  assert.deepEqual(on.upstream.seen, []);
  on.home.writeConfig(before);
  // The yes was not used up by a refusal.
  for (const [at, mute] of mutes.entries())
    assert.equal(verdict(await mute.execute("changing", "/v1/pay", post(at))), "200");
});

// ---- sessions

test("after an expiry: session_expired, then request_access, then it goes on", limit, async () => {
  const on = await stage();
  const seen = on.fresh();
  const agents: Agent[] = [];
  for (const face of faces) for (const era of eras) agents.push(await scene.agent(face, era));
  const all = async (call: (agent: Agent) => Promise<Told>): Promise<string[]> => [
    ...new Set((await Promise.all(agents.map(call))).map(verdict)),
  ];
  assert.deepEqual(await all((agent) => agent.execute("short", "/v1/x")), ["200"]);
  await pause(1_100);
  const late = await Promise.all(agents.map((agent) => agent.execute("short", "/v1/x")));
  for (const told of late) {
    assert.equal(verdict(told), "session_expired", told.text);
    assert.match(String(told.content.next), /request_access/);
  }
  assert.deepEqual(await all((agent) => agent.call("request_access", { capability: "short" })), ["ok"]);
  assert.deepEqual(await all((agent) => agent.execute("short", "/v1/x")), ["200"]);
  assert.equal(seen.length, 2 * agents.length);
});

everywhere("an end_session is no revocation: the next call has a session again", async (_, agent) => {
  const first = await agent.call("request_access", { capability: "ending" });
  assert.equal(verdict(await agent.call("end_session", { session: first.content.session })), "ok");
  assert.equal(verdict(await agent.call("end_session", { session: first.content.session })), "not_found");
  assert.equal(verdict(await agent.execute("ending", "/v1/x")), "200");
  const second = await agent.call("request_access", { capability: "ending" });
  assert.notEqual(second.content.session, first.content.session);
  assert.deepEqual(agent.asked, []);
});

everywhere("nobody else can see, use or end a session", async (_on, agent, face, era) => {
  const mine = await agent.call("request_access", { capability: "ending" });
  const other = await scene.connect(face, { era }, `other-${era}`);
  const listed = (await other.call("list_capabilities")).content.capabilities as { session: unknown }[];
  assert.ok(listed.every(({ session }) => session === null));
  assert.equal(verdict(await other.call("end_session", { session: mine.content.session })), "not_found");
  assert.equal(verdict(await agent.execute("ending", "/v1/x")), "200");
  const theirs = await other.call("request_access", { capability: "ending" });
  assert.notEqual(theirs.content.session, mine.content.session);
  assert.equal(
    (await agent.call("request_access", { capability: "ending" })).content.session,
    mine.content.session,
  );
  // What the other one is given does not come to this one: a yes is its owner's alone.
  await other.close();
});

for (const era of eras) {
  test(`--capability a: there is no b, whatever is asked about it (${era})`, limit, async () => {
    const on = await stage();
    const agent = await scene.connect("stdio", { era, arguments: ["--capability", "a"] });
    const seen = on.fresh();
    const listed = (await agent.call("list_capabilities")).content.capabilities as { capability: string }[];
    assert.deepEqual(
      listed.map(({ capability }) => capability),
      ["a"],
    );
    // Words for words what is said of a name that stands for nothing.
    const heard = async (capability: string): Promise<unknown> => [
      await agent.execute(capability, "/v1/x"),
      await agent.execute(capability, "/v1/../x"),
      await agent.execute(capability, "/v1/x", { method: "POST" }),
      await agent.call("explain", { capability, method: "GET", path: "/v1/x" }),
      await agent.call("explain", { capability, method: "POST", path: "/v1/../x" }),
      await agent.call("exec", { capability, command: ["id"] }),
      await agent.call("request_access", { capability }),
      await agent.call("request_access", { capability, proxy: true }),
    ];
    const ofNothing = (await heard("n")) as Told[];
    assert.deepEqual(
      ofNothing.map(verdict),
      ofNothing.map(() => "unknown_capability"),
    );
    assert.deepEqual(await heard("b"), ofNothing);
    assert.deepEqual(seen, []);
    assert.equal(verdict(await agent.execute("a", "/v1/x")), "200");
    await agent.close();
  });
}

everywhere("a capability that wants a reason gets none without", async (on, agent) => {
  assert.equal(verdict(await agent.execute("reasons", "/v1/x")), "reason_required");
  assert.equal(
    verdict(await agent.call("request_access", { capability: "reasons", reason: "" })),
    "reason_required",
  );
  assert.deepEqual(on.upstream.seen, []);
  assert.equal(
    verdict(await agent.call("request_access", { capability: "reasons", reason: "because" })),
    "ok",
  );
  assert.equal(verdict(await agent.execute("reasons", "/v1/x")), "200");
});

test("allowedAgents goes by a token that a person made, and by nothing else", limit, async () => {
  const on = await stage();
  const seen = on.fresh();
  for (const era of eras) {
    const named = await scene.connect("stdio", { era, name: "alice", arguments: ["--agent", "alice"] });
    assert.equal(verdict(await named.execute("named", "/v1/x")), "agent_not_allowed");
    assert.equal(verdict(await named.call("request_access", { capability: "named" })), "agent_not_allowed");
    await named.close();
    const other = await scene.connect("http", { era, name: "alice" });
    assert.equal(verdict(await other.execute("named", "/v1/x")), "agent_not_allowed");
  }
  const byNobody = await on.home.run(["agent", "add", "alice"]);
  assert.equal(byNobody.status, 4, "a name that a capability goes by takes a person");
  const byItself = await on.home.run(["agent", "add", "carol", "--json"]);
  assert.equal(byItself.status, 0);
  const { token } = JSON.parse(byItself.stdout) as { token: string };
  // Its name is put on the list only afterwards: it still is a name that no person gave.
  const before = on.home.readConfig();
  on.home.writeConfig(before.replace("[alice]", "[alice, carol]"));
  const carol = await Agent.http(on.port, token, { era: "modern" });
  assert.equal(verdict(await carol.execute("named", "/v1/x")), "agent_not_allowed");
  on.home.writeConfig(before);
  assert.deepEqual(seen, []);
  for (const era of eras) {
    const alice = await scene.connect("http", { era }, "alice");
    assert.equal(verdict(await alice.execute("named", "/v1/x")), "200");
  }
});

test("a limit counts all callers together, and is refused with when to come back", limit, async () => {
  const on = await stage();
  const seen = on.fresh();
  const [stdio, http] = [await scene.agent("stdio", "legacy"), await scene.agent("http", "modern")];
  assert.equal(verdict(await stdio.execute("limited", "/v1/x")), "200");
  assert.equal(verdict(await http.execute("limited", "/v1/x")), "200");
  for (const agent of [stdio, http]) {
    const told = await agent.execute("limited", "/v1/x");
    assert.equal(verdict(told), "limit_reached");
    assert.ok(Number(told.content.retryAfter) > 0, told.text);
  }
  assert.equal(seen.length, 2);
});

everywhere(
  "proxy: true gives a token that works on the proxy and dies with its session",
  async (on, agent) => {
    const { content, text } = await agent.call("request_access", { capability: "ending", proxy: true });
    const { baseUrl, token } = (content.proxy ?? {}) as { baseUrl?: string; token?: string };
    assert.ok(token?.startsWith("jns_") && baseUrl === `http://127.0.0.1:${on.port}/ending`, text);
    const ask = () => request(on.port, { target: "/ending/v1/x", token });
    assert.equal((await ask()).status, 200);
    assert.equal(
      (await request(on.port, { target: "/a/v1/x", token })).status,
      403,
      "of this capability only",
    );
    const again = await agent.call("request_access", { capability: "ending", proxy: true });
    assert.deepEqual((again.content.proxy as { token: string }).token, token, "asking again kills no token");
    await agent.call("end_session", { session: content.session });
    const after = await ask();
    assert.deepEqual([after.status, after.error.code], [403, "session_ended"]);
  },
);

test(
  "the trail is whole, and no secret is in a file, an answer, a question or a line of any of this",
  limit,
  async () => {
    await scene.assertClean();
  },
);
