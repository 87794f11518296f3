// The few system calls that no runtime gives. Without them commands still run, and guarantees() says what is missing.
import { lstatSync, readdirSync } from "node:fs";

/** How an argument is passed: 32 bits signed, 64 bits, or the address of bytes. */
type Passed = "int" | "word" | "bytes";
type Call = (...args: (number | bigint | Uint8Array)[]) => number;

export interface Limit {
  readonly soft: bigint;
  readonly hard: bigint;
}

export interface Libc {
  /** Descendants whose parent ended become children of this process, not of init. */
  adoptOrphans(): boolean;
  /** Processes of the same user see no more of this one's memory, environment and descriptors in /proc. */
  closeMemory(): boolean;
  limit(resource: number): Limit | undefined;
  setLimit(resource: number, limit: Limit): boolean;
  /** Descriptors that whoever started this process left open go no further. */
  keepDescriptors(): boolean;
  /** Takes the status of a child that has ended; false: it has not, or it is none of ours. */
  reap(pid: number): boolean;
  /** The process that connected to the socket behind this descriptor. */
  peerOf(descriptor: number): number | undefined;
}

export const unlimited = 0xffff_ffff_ffff_ffffn;
/** RLIMIT_CORE and RLIMIT_RTTIME; the first has this number on macOS too. */
export const coreSize = 4;
export const realtime = 15;

const signatures: Readonly<Record<string, readonly Passed[]>> = {
  prctl: ["int", "word", "word", "word", "word"],
  getrlimit: ["int", "bytes"],
  setrlimit: ["int", "bytes"],
  fcntl: ["int", "int", "word"],
  waitpid: ["int", "bytes", "int"],
  getsockopt: ["int", "int", "int", "bytes", "bytes"],
};

const places: Readonly<Record<string, readonly string[]>> = {
  linux: ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"],
  darwin: ["/usr/lib/libSystem.B.dylib"],
};

let loaded: Promise<Libc> | undefined;

export function libc(): Promise<Libc> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Libc> {
  const open = await opener().catch(() => undefined);
  const calls = new Map<string, Call>();
  // Those that take a variable number of arguments are called by other rules on Apple's processors.
  const linux = process.platform === "linux";
  const wanted = linux ? Object.keys(signatures) : ["getrlimit", "setrlimit"];
  for (const place of open ? (places[process.platform] ?? []) : []) {
    for (const name of wanted) {
      if (calls.has(name)) continue;
      try {
        calls.set(name, open?.(place, name, signatures[name] ?? []) as Call);
      } catch {
        // Not in this library, or no such library: the next one is tried.
      }
    }
  }
  const call = (name: string, ...args: Parameters<Call>): number => calls.get(name)?.(...args) ?? -1;
  return {
    adoptOrphans: () => call("prctl", 36, 1n, 0n, 0n, 0n) === 0,
    closeMemory: () => call("prctl", 4, 0n, 0n, 0n, 0n) === 0,
    limit(resource) {
      const [words, bytes] = room(2);
      return call("getrlimit", resource, bytes) === 0
        ? { soft: words[0] ?? 0n, hard: words[1] ?? 0n }
        : undefined;
    },
    setLimit(resource, { soft, hard }) {
      const [words, bytes] = room(2);
      words.set([soft, hard]);
      return call("setrlimit", resource, bytes) === 0;
    },
    keepDescriptors: () => linux && keepDescriptors((fd) => call("fcntl", fd, 2, 1n) === 0),
    reap: (pid) => pid > 1 && call("waitpid", pid, room(1)[1], 1) === pid,
    peerOf(descriptor) {
      // struct ucred: pid, uid, gid.
      const credentials = new Int32Array(3);
      const length = new Uint8Array(new Uint32Array([12]).buffer);
      const done = call("getsockopt", descriptor, 1, 17, new Uint8Array(credentials.buffer), length) === 0;
      return done && credentials[0] ? credentials[0] : undefined;
    },
  };
}

function room(words: number): [BigUint64Array, Uint8Array] {
  const view = new BigUint64Array(words);
  return [view, new Uint8Array(view.buffer)];
}

function keepDescriptors(keep: (fd: number) => boolean): boolean {
  let kept = true;
  for (const name of readdirSync("/proc/self/fd")) {
    const fd = Number(name);
    // The descriptor of this very listing is among them, and closed by now.
    if (fd > 2 && !keep(fd) && lstatSync(`/proc/self/fd/${fd}`, { throwIfNoEntry: false })) kept = false;
  }
  return kept;
}

type Open = (library: string, name: string, args: readonly Passed[]) => Call;

interface DenoForeign {
  dlopen?(
    library: string,
    symbols: Record<string, { parameters: string[]; result: string }>,
  ): { symbols: Record<string, Call> };
}

async function opener(): Promise<Open | undefined> {
  if ("Bun" in globalThis) {
    const { dlopen } = (await import("bun:ffi")) as unknown as {
      dlopen(
        library: string,
        symbols: Record<string, { args: string[]; returns: string }>,
      ): { symbols: Record<string, Call> };
    };
    const types = { int: "i32", word: "u64", bytes: "ptr" };
    return (library, name, args) => {
      const signature = { args: args.map((one) => types[one]), returns: "i32" };
      return must(dlopen(library, { [name]: signature }).symbols[name]);
    };
  }
  const { Deno } = globalThis as { readonly Deno?: DenoForeign };
  const types = { int: "i32", word: "u64", bytes: "buffer" };
  return (library, name, args) => {
    const signature = { parameters: args.map((one) => types[one]), result: "i32" };
    return must(Deno?.dlopen?.(library, { [name]: signature }).symbols[name]);
  };
}

function must(call: Call | undefined): Call {
  if (!call) throw new Error("not there");
  return call;
}
