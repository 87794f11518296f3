// How each system is told to run `janee serve` for one user, at each login. Texts alone: nothing is written here.
import { join } from "node:path";

export type System = "systemd" | "launchd" | "windows";

export interface Unit {
  readonly system: System;
  /** Where its file belongs; undefined: the system keeps it itself. */
  readonly file: string | undefined;
  readonly text: string;
  /** Commands in order, as arrays of words; run where `--install` was asked for. */
  readonly start: readonly (readonly string[])[];
  readonly stop: readonly (readonly string[])[];
}

export interface Wanted {
  /** Program and arguments: whole paths. */
  readonly words: readonly string[];
  /** Places, never secrets. */
  readonly environment: Readonly<Record<string, string>>;
  readonly userHome: string;
  readonly uid: number;
}

const label = "sh.janee.serve";

export function systemOf(platform: string): System {
  if (platform === "darwin") return "launchd";
  return platform === "win32" ? "windows" : "systemd";
}

/** What could end a line of the file and begin one of its own, or be cut short by the system. */
export function problemInUnit({ words, environment }: Wanted): string | undefined {
  const texts = [...words, ...Object.values(environment)];
  return texts.some((text) => /[\x00-\x1f\x7f]/.test(text))
    ? "a place that the service needs has a control character in its path"
    : undefined;
}

export function unitFor(system: System, wanted: Wanted): Unit {
  if (system === "launchd") return launchd(wanted);
  return system === "windows" ? windowsTask(wanted) : systemd(wanted);
}

/** https://www.freedesktop.org/software/systemd/man/systemd.service.html */
function systemd({ words, environment, userHome }: Wanted): Unit {
  const lines = Object.entries(environment).map(
    ([name, value]) => `Environment=${systemdQuoted(`${name}=${value}`)}`,
  );
  const text = [
    ...["[Unit]", "Description=janee keeps API keys away from AI agents", "After=network.target", ""],
    ...["[Service]", `ExecStart=${words.map(systemdArgument).join(" ")}`, ...lines],
    ...["Restart=on-failure", "RestartSec=2", "UMask=0077", "NoNewPrivileges=yes", ""],
    ...["[Install]", "WantedBy=default.target", ""],
  ].join("\n");
  const systemctl = (...more: string[]): string[] => ["systemctl", "--user", ...more];
  return {
    system: "systemd",
    file: join(userHome, ".config", "systemd", "user", "janee.service"),
    text,
    start: [systemctl("daemon-reload"), systemctl("enable", "--now", "janee.service")],
    stop: [systemctl("disable", "--now", "janee.service")],
  };
}

/** A quoted word, in which `%` is systemd's own. */
function systemdQuoted(word: string): string {
  const escaped = word.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%");
  return `"${escaped}"`;
}

/** In what is run `$` is systemd's too; in `Environment=` it is not. */
function systemdArgument(word: string): string {
  return systemdQuoted(word).replaceAll("$", "$$$$");
}

/** https://www.manpagez.com/man/5/launchd.plist/ */
function launchd({ words, environment, userHome, uid }: Wanted): Unit {
  const entry = (name: string, value: string): string =>
    `    <key>${xml(name)}</key>\n    <string>${xml(value)}</string>`;
  const variables = Object.entries(environment).map(([name, value]) => entry(name, value));
  const file = join(userHome, "Library", "LaunchAgents", `${label}.plist`);
  const text = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    ...['<plist version="1.0">', "<dict>", `  <key>Label</key>\n  <string>${label}</string>`],
    ...[
      "  <key>ProgramArguments</key>",
      "  <array>",
      ...words.map((word) => `    <string>${xml(word)}</string>`),
      "  </array>",
    ],
    ...(variables.length > 0
      ? ["  <key>EnvironmentVariables</key>", "  <dict>", ...variables, "  </dict>"]
      : []),
    ...["  <key>RunAtLoad</key>\n  <true/>", "  <key>KeepAlive</key>", "  <dict>"],
    ...[
      "    <key>SuccessfulExit</key>\n    <false/>",
      "  </dict>",
      "  <key>Umask</key>\n  <integer>63</integer>",
    ],
    ...["</dict>", "</plist>", ""],
  ].join("\n");
  return {
    system: "launchd",
    file,
    text,
    start: [["launchctl", "bootstrap", `gui/${uid}`, file]],
    stop: [["launchctl", "bootout", `gui/${uid}/${label}`]],
  };
}

function xml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** https://learn.microsoft.com/windows-server/administration/windows-commands/schtasks-create */
function windowsTask({ words }: Wanted): Unit {
  const line = words.map((word) => (/[\s"]/.test(word) ? `"${word}"` : word)).join(" ");
  return {
    system: "windows",
    file: undefined,
    text: line,
    start: [
      ["schtasks", "/Create", "/F", "/TN", "janee serve", "/SC", "ONLOGON", "/RL", "LIMITED", "/TR", line],
      ["schtasks", "/Run", "/TN", "janee serve"],
    ],
    stop: [
      ["schtasks", "/End", "/TN", "janee serve"],
      ["schtasks", "/Delete", "/F", "/TN", "janee serve"],
    ],
  };
}
