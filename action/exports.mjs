// What later steps get: all that janee changed for its own command. Keys are not among it, janee keeps them back.
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { put } from "./runner.mjs";

/** Of one process or one step alone; and NODE_OPTIONS, which the runner refuses: Node 22.21 and later need it no more. */
const notForOthers = /^(?:_|PWD|OLDPWD|SHLVL|NODE_OPTIONS|INPUT_.*)$/s;

export const proxyNames = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"].flatMap((name) => [
  name,
  name.toLowerCase(),
]);

/** Files for clients go with janee when it ends: the steps after that read these. */
function keepFiles(from, to) {
  cpSync(from, to, { recursive: true, filter: (path) => !basename(path).startsWith("lock.db") });
  const wgetrc = join(to, "wgetrc");
  writeFileSync(wgetrc, readFileSync(wgetrc, "utf8").replaceAll(from, to));
}

export function exportAll(given, before, folder) {
  const from = dirname(given.SSL_CERT_FILE);
  const to = join(folder, "clients");
  keepFiles(from, to);
  for (const name of new Set([...Object.keys(given), ...Object.keys(before)])) {
    if (notForOthers.test(name)) continue;
    // What was kept back is emptied: a variable of the whole job would reach the next step otherwise.
    const value = given[name]?.startsWith(from) ? given[name].replace(from, to) : (given[name] ?? "");
    if (value !== before[name]) put("GITHUB_ENV", name, value);
  }
}
