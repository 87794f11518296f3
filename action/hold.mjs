// The command that janee runs: it tells the environment it was given, and holds the sessions until it is told to stop.
import { existsSync } from "node:fs";

const [stop] = process.argv.slice(2);
const parent = process.ppid;

process.stdout.write(`${JSON.stringify(process.env)}\n`);
setInterval(() => {
  if (existsSync(stop) || process.ppid !== parent) process.exit(0);
}, 100);
