import { spawn } from "node:child_process";

const openers: Readonly<Record<string, readonly [string, ...string[]]>> = {
  darwin: ["open"],
  win32: ["rundll32", "url.dll,FileProtocolHandler"],
};

/** Shows a page to the person, where there is a browser to show it; never a thing that is no web page. */
export function openInBrowser(url: string): void {
  if (!/^https?:\/\//.test(url)) return;
  const [program, ...words] = openers[process.platform] ?? ["xdg-open"];
  const { JANEE_KEY: _key, BUN_OPTIONS: _options, BUN_BE_BUN: _be, ...env } = process.env;
  const child = spawn(program, [...words, url], { stdio: "ignore", detached: true, env });
  // The address was printed as well.
  child.on("error", () => {});
  child.unref();
}
