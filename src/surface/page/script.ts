/** Runs in the browser. Only `textContent` puts text on the page. */
export const script = `"use strict";
(() => {
  const at = (id) => document.getElementById(id);
  const make = (tag, text, kind) => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (kind) made.className = kind;
    return made;
  };
  const say = (text, kind) => { at("status").textContent = text; at("status").className = kind || ""; };

  let token = "";
  const ask = async (method, path, body, keepalive = false) => {
    const headers = { "Content-Type": "application/json" };
    if (token) headers.Authorization = "Bearer " + token;
    const init = { method, headers, credentials: "omit", cache: "no-store", redirect: "error", keepalive };
    if (body) init.body = JSON.stringify(body);
    const response = await fetch("/_janee/api/" + path, init);
    const answer = await response.json();
    if (response.ok) return answer;
    const failure = new Error(answer.error.message + (answer.error.next ? ": " + answer.error.next : ""));
    failure.isOut = response.status === 401;
    throw failure;
  };

  // A click that was meant for something else must not say yes: a button answers when the page has had the
  // person's eye for half a second, and so has the button.
  const settleMs = 500;
  let focusedAt = Infinity;
  const buttons = new Map();
  const settle = () => {
    const now = performance.now();
    if (!document.hasFocus()) focusedAt = Infinity;
    else if (focusedAt === Infinity) focusedAt = now;
    let next = Infinity;
    for (const [button, shownAt] of buttons) {
      const from = Math.max(focusedAt, shownAt) + settleMs;
      button.disabled = now < from;
      if (button.disabled) next = Math.min(next, from);
    }
    if (next < Infinity) setTimeout(settle, next - now + 1);
  };
  for (const change of ["focus", "blur", "visibilitychange"]) window.addEventListener(change, settle);
  const button = (text, kind, act) => {
    const made = make("button", text, kind);
    made.type = "button";
    made.disabled = true;
    buttons.set(made, performance.now());
    made.addEventListener("click", async () => {
      made.disabled = true;
      buttons.delete(made);
      try { await act(); await look(); } catch (failure) { failed(failure); }
    });
    settle();
    return made;
  };

  // Cards and rows are kept by their id, so that none moves away under the pointer while it stands.
  const keep = (box, items, idOf, render, empty) => {
    const kept = new Map([...box.children].map((child) => [child.dataset.id, child]));
    for (const item of items) {
      const known = kept.get(idOf(item));
      kept.delete(idOf(item));
      if (known) { render(item, known); continue; }
      const made = render(item);
      made.dataset.id = idOf(item);
      box.append(made);
    }
    for (const gone of kept.values()) {
      for (const button of gone.querySelectorAll("button")) buttons.delete(button);
      gone.remove();
    }
    if (box.children.length === 0) box.append(make("p", empty, "soft"));
  };

  const approval = (item, known) => {
    if (known) { known.firstChild.textContent = item.lines.join("\\n"); return known; }
    const card = make("article");
    const foot = make("footer");
    const decide = (verdict) => () => ask("POST", "approvals/" + encodeURIComponent(item.id), { verdict });
    if (item.kind === "request") foot.append(button("Approve once", "yes", decide("once")));
    foot.append(button("Approve for the session", "yes", decide("session")));
    foot.append(button("Deny", "no", decide("declined")));
    card.append(make("pre", item.lines.join("\\n")), foot);
    return card;
  };

  const left = (ms) => ms < 90000 ? Math.max(0, Math.round(ms / 1000)) + " s" : Math.round(ms / 60000) + " min";
  const session = (now) => (item, known) => {
    const text = item.id + "  " + item.capability + "  " + left(item.expiresAt - now) + " left\\n  " + item.who
      + (item.reason ? "\\n  it says  " + item.reason : "");
    if (known) { known.firstChild.textContent = text; return known; }
    const card = make("article");
    const foot = make("footer");
    foot.append(button("Revoke", "no", () => ask("POST", "sessions/" + encodeURIComponent(item.id) + "/revoke")));
    card.append(make("pre", text), foot);
    return card;
  };

  let newest = "";
  const trail = (lines) => {
    const sign = JSON.stringify(lines[0] || "") + lines.length;
    if (sign === newest) return;
    newest = sign;
    const table = make("table");
    const head = make("tr");
    for (const name of ["time", "who", "capability", "what", "verdict", "rule or message"]) head.append(make("th", name));
    table.append(head);
    for (const line of lines) {
      const row = make("tr");
      const refused = line.decision === "deny" || line.decision === "pending" || line.outcome === "refused" || line.event === "alarm";
      row.append(
        make("td", (line.timestamp || "").slice(11, 19)),
        make("td", line.agent || line.owner || ""),
        make("td", line.capability || ""),
        make("td", [line.event === "request" || line.event === "response" ? "" : line.event, line.method, line.path].filter(Boolean).join(" ")),
        make("td", [line.decision, line.status, line.outcome, line.code].filter(Boolean).join(" "), refused ? "no" : ""),
        make("td", line.rule || line.message || ""),
      );
      table.append(row);
    }
    const box = make("div", undefined, "scroll");
    box.append(table);
    at("trail").replaceChildren(box);
  };

  const failed = (failure) => {
    say(failure.message, "no");
    if (!failure.isOut) return;
    token = "";
    document.querySelector("main").hidden = true;
    at("everything").hidden = true;
  };

  const look = async () => {
    const state = await ask("GET", "state");
    const waiting = state.approvals.length;
    document.title = (waiting ? "(" + waiting + ") " : "") + "janee";
    keep(at("approvals"), state.approvals, (one) => one.id, approval, "Nothing waits for you.");
    keep(at("sessions"), state.sessions, (one) => one.id, session(state.now), "No active sessions.");
    trail(state.trail);
    settle();
    say(waiting ? waiting + " waiting for you" : "Nothing waits for you");
  };

  const turn = async () => {
    if (!token) return;
    try { await look(); } catch (failure) {
      if (!token) return;
      failed(failure.isOut ? failure : new Error("janee serve does not answer; trying again"));
    }
    if (token) setTimeout(turn, 1000);
  };

  const enter = async () => {
    const ticket = location.hash.slice(1);
    history.replaceState(null, "", location.pathname);
    if (!ticket) return say("Run janee open in your terminal: it opens this page with a way in. Reloading ends it.");
    try {
      token = (await ask("POST", "enter", { ticket })).token;
      document.querySelector("main").hidden = false;
      const everything = at("everything");
      everything.hidden = false;
      everything.addEventListener("click", async () => {
        if (!confirm("End every session of every capability now?")) return;
        try { await ask("POST", "revoke"); await look(); } catch (failure) { failed(failure); }
      });
      await turn();
    } catch (failure) { failed(failure); }
  };
  window.addEventListener("pagehide", () => {
    if (token) void ask("POST", "leave", undefined, true).catch(() => {});
    token = "";
  });
  void enter();
})();
`;
