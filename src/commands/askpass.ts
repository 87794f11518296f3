// The other end of a run's askpass: git or ssh started janee to ask for a password. Asks the janee that runs git.
import { createConnection } from "node:net";

const patienceMs = 30_000;

/** `place` is what JANEE_ASKPASS holds. The answer goes to the one who asked, on stdout. */
export function askpass(place: string, prompt: string, print: (answer: string) => void): Promise<number> {
  const at = place.indexOf("@");
  const question = JSON.stringify({ nonce: place.slice(0, at), prompt });
  return new Promise((done) => {
    let reply = "";
    const socket = createConnection(place.slice(at + 1));
    socket.setEncoding("utf8");
    socket.setTimeout(patienceMs, () => socket.destroy());
    socket.on("error", () => done(1));
    socket.on("connect", () => socket.write(`${question}\n`));
    socket.on("data", (text: string) => {
      reply += text;
    });
    socket.on("end", () => socket.end());
    socket.on("close", () => {
      const answer = answerIn(reply);
      if (answer === undefined) return done(1);
      print(answer);
      done(0);
    });
  });
}

function answerIn(reply: string): string | undefined {
  try {
    const { answer } = JSON.parse(reply) as { answer?: unknown };
    return typeof answer === "string" ? answer : undefined;
  } catch {
    return undefined;
  }
}
