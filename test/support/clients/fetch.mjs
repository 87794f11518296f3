// Run behind `janee run`: fetch and node:https as any program uses them; where the runtime is not Bun, whose node:https
// asks no proxy then, also with an agent that it made itself.
import { Agent, get } from "node:https";

const url = process.argv[2];

function got(options) {
  return new Promise((done, failed) => {
    get(url, options, (response) => {
      let text = "";
      response.on("data", (bytes) => {
        text += bytes;
      });
      response.on("end", () => done(JSON.parse(text)));
    }).on("error", failed);
  });
}

const fetched = await (await fetch(url)).json();
const all = [fetched, await got({})];
if (!process.versions.bun) {
  const agent = new Agent({ keepAlive: true });
  all.push(await got({ agent }));
  agent.destroy();
}
console.log(...all.map(({ said }) => said));
