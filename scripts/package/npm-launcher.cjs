#!/usr/bin/env node
// Starts the janee of this machine, which npm has put beside this package, and ends as it ends.
"use strict";
const { spawn } = require("node:child_process");
const { readFileSync } = require("node:fs");
const { constants } = require("node:os");
const { isatty } = require("node:tty");

/** Alpine and its kin: their node is linked against musl, and says no version of glibc. */
function isMusl() {
  try {
    return readFileSync("/usr/bin/ldd", "latin1").includes("musl");
  } catch {
    return !process.report.getReport().header.glibcVersionRuntime;
  }
}

const { optionalDependencies } = require("./package.json");
const system = `${process.platform}-${process.arch}`;
const wanted = process.platform === "linux" && isMusl() ? `${system}-musl` : system;
const name = Object.keys(optionalDependencies).find((one) => one.endsWith(`/janee-${wanted}`));

function say(text, next) {
  process.stderr.write(`janee: ${text}\n  → ${next}\n`);
  process.exit(1);
}

let binary = "";
try {
  if (name === undefined) throw new Error("no such target");
  binary = require.resolve(`${name}/${process.platform === "win32" ? "janee.exe" : "janee"}`);
} catch {
  if (name === undefined) say(`there is no build for ${wanted}`, "use the source, or another channel");
  say(
    `${name} is not installed`,
    "install again, with optional dependencies: npm install --include=optional",
  );
}

let child;
const passedOn = ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR2", "SIGCONT", "SIGWINCH"];
const terminal = isatty(0);
const relays = new Map();
// Before the start, so that no signal can end this process and leave the child behind.
for (const signal of process.platform === "win32" ? [] : passedOn) {
  // What is typed on a terminal reaches the child by itself; twice would be another meaning.
  const typed = terminal && ["SIGINT", "SIGQUIT", "SIGWINCH"].includes(signal);
  const relay = () => {
    if (!typed) child.kill(signal);
  };
  relays.set(signal, relay);
  process.on(signal, relay);
}
// Windows ends every process of a console by itself; this one waits for the child's status.
if (process.platform === "win32") process.on("SIGINT", () => {});

child = spawn(binary, process.argv.slice(2), { stdio: "inherit", windowsHide: true });
child.on("error", (error) => say(`${binary} does not start: ${error.code}`, "install the package again"));
child.on("exit", (status, signal) => {
  if (signal === null) process.exit(status);
  for (const [one, relay] of relays) process.off(one, relay);
  process.kill(process.pid, signal);
  // A signal that this process cannot be ended by.
  setTimeout(() => process.exit(128 + constants.signals[signal]), 1000);
});
