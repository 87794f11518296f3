// A process that writes config and state without pause, says what it has done, and is killed in the middle of it.
import { writeSync } from "node:fs";
import { must, openJanee } from "./home-of.ts";

const [from = "0"] = process.argv.slice(2);
const services = 20;
const janee = await openJanee(process.env);
const owned: string[] = [];

/** Blocking: what was said was done before. */
function say(line: string): void {
  writeSync(1, `${line}\n`);
}

say("ready");
for (let count = Number(from); ; count++) {
  const name = `svc-${count % services}`;
  must(
    await janee.home.update(() => [
      { path: ["services", name, "baseUrl"], value: `https://n${count}.example.com` },
      {
        path: ["services", name, "auth"],
        value: { type: "bearer", key: `sk_${name}_${count}_0123456789abcdef` },
      },
      { path: ["capabilities", name, "service"], value: name },
    ]),
  );
  say(`config ${name} ${count}`);
  const capability = janee.home.current().config.capabilities.get(name);
  if (!capability) throw new Error("the capability that was just written is missing");
  const { session } = janee.sessions.mint({ owner: `soak:${count}`, capability, approvedBy: "person" });
  must((await janee.note({ event: "session", outcome: "granted", session: session.id })) ?? true);
  say(`live ${session.id}`);
  owned.push(session.id);
  if (owned.length > 2) {
    const id = owned.shift() ?? "";
    janee.sessions.revoke(id);
    say(`revoked ${id}`);
    must((await janee.note({ event: "session", outcome: "revoked", session: id })) ?? true);
  }
}
