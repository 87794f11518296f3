// The machines that janee is built for, and what each package format calls them.

export interface Target {
  readonly name: string;
  readonly os: "linux" | "darwin" | "windows";
  readonly arch: "x64" | "arm64";
  /** baseline: processors without AVX2; musl: Alpine and its kin. */
  readonly variant?: "baseline" | "musl";
}

export const targets: readonly Target[] = [
  { name: "linux-x64", os: "linux", arch: "x64" },
  { name: "linux-x64-baseline", os: "linux", arch: "x64", variant: "baseline" },
  { name: "linux-arm64", os: "linux", arch: "arm64" },
  { name: "linux-x64-musl", os: "linux", arch: "x64", variant: "musl" },
  { name: "linux-arm64-musl", os: "linux", arch: "arm64", variant: "musl" },
  { name: "darwin-x64", os: "darwin", arch: "x64" },
  { name: "darwin-arm64", os: "darwin", arch: "arm64" },
  { name: "windows-x64", os: "windows", arch: "x64" },
  { name: "windows-arm64", os: "windows", arch: "arm64" },
];

export function targetNamed(name: string): Target {
  const found = targets.find((target) => target.name === name);
  if (!found) throw new Error(`no target is called ${name}`);
  return found;
}

/** The build for packages that cannot look at the processor before they are installed. */
export function anyProcessor(os: Target["os"], arch: Target["arch"]): Target {
  return targetNamed(os === "linux" && arch === "x64" ? "linux-x64-baseline" : `${os}-${arch}`);
}

export function executableName(target: Target): string {
  return target.os === "windows" ? "janee.exe" : "janee";
}
