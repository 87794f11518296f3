// Asks one question of each kind and prints the answers: what the test of the terminal talks to.
import { askHidden, askLine, askYes, isInteractive } from "../../src/host/terminal.ts";

if (process.env.ASKER_PID) process.stderr.write(`pid ${process.pid} `);
const interactive = isInteractive();
const secret = (await askHidden("secret? ")) ?? null;
const line = (await askLine("line? ")) ?? null;
const yes = await askYes("sure?");
console.log(JSON.stringify({ interactive, secret, line, yes }));
