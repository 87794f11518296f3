// Puts many live sessions into the store of a home, in one transaction. Prints tokens of some, a line each.
import { wireUp } from "../src/commands/wire-up.ts";
import { Failure } from "../src/engine/failure.ts";
import { Home } from "../src/host/home.ts";

const [count = "0", shown = "0"] = process.argv.slice(2);
const home = await Home.open(process.env, false);
if (home instanceof Failure) throw new Error(home.message);
const janee = wireUp(home);
if (janee instanceof Failure) throw new Error(janee.message);
const capability = home.current().config.capabilities.get("bench");
if (!capability) throw new Error("no capability to fill");
const tokens: string[] = [];
const every = Math.max(1, Math.floor(Number(count) / Math.max(1, Number(shown))));
janee.store.transaction(() => {
  for (let index = 0; index < Number(count); index++) {
    const { token } = janee.sessions.mint({ owner: `fill:${index}`, capability, approvedBy: "policy" });
    if (index % every === 0) tokens.push(token);
  }
});
janee.close();
process.stdout.write(tokens.join("\n"));
process.exit(0);
