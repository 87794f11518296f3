import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";
import type { Service } from "../../src/engine/config.ts";
import { Failure } from "../../src/engine/failure.ts";
import { exportKeys, importKeys } from "../../src/engine/key-export.ts";
import { Secret } from "../../src/engine/secret.ts";
import { Vault } from "../../src/engine/vault.ts";
import { writeAtomic } from "../../src/host/files.ts";
import { decodeKey, stateFolder } from "../../src/host/key-place.ts";
import {
  createVaultIn,
  type Environment,
  importVault,
  openOrCreate,
  openVault,
  rotateVault,
  rotationSteps,
  type Surroundings,
  vaultPath,
} from "../../src/host/keyring.ts";
import { linuxMachineId, machineId, uuidIn } from "../../src/host/machine.ts";
import { type Keychain, keychain, runtimeName } from "../../src/host/runtime.ts";
import { childCommand, inFolder, start } from "./children.ts";

const windows = process.platform === "win32";
const entropy = { bytes: (count: number) => new Uint8Array(randomBytes(count)) };
const machineA = "a".repeat(32);
const machineB = "b".repeat(32);

const service: Service = {
  name: "stripe",
  base: undefined,
  auth: { type: "bearer", open: new Map(), secret: new Map([["key", { kind: "sealed", text: "" }]]) },
  allowCleartext: false,
  allowLinkLocal: false,
  allowEmptySegments: false,
  allowCookies: false,
  allowRange: false,
  caFile: undefined,
  capture: [],
  placeholders: ["header"],
};

function around(id: string | undefined = machineA, chain?: Keychain): Surroundings {
  return { entropy, keychain: chain, machineId: async () => id };
}

interface Place {
  readonly home: string;
  readonly state: string;
  readonly environment: Environment;
}

function inPlace<T>(work: (place: Place, folder: string) => T | Promise<T>): Promise<T> {
  return inFolder((folder) => {
    const state = join(folder, "state");
    const environment = { XDG_STATE_HOME: state, HOME: state, LOCALAPPDATA: state };
    return work({ home: join(folder, "home"), state, environment }, folder);
  });
}

function whole(result: Vault | Failure): Vault {
  assert.ok(result instanceof Vault, inspect(result));
  return result;
}

function refused(result: unknown, code: string): Failure {
  assert.ok(result instanceof Failure, "it was taken");
  assert.equal(result.code, code, inspect(result));
  return result;
}

function reveal(result: Secret | Failure): string {
  assert.ok(result instanceof Secret, inspect(result));
  return result.reveal();
}

function keyFile({ environment }: Place, vault: Vault): string {
  return join(stateFolder(environment), "janee", `${vault.id}.key`);
}

function modeOf(path: string): number {
  return fs.statSync(path).mode & 0o777;
}

test("the first time makes a vault, the second opens it", () =>
  inPlace(async (place) => {
    const { home, environment } = place;
    refused(await openVault(home, environment, around()), "key_missing");
    const made = whole(await openOrCreate(home, environment, false, around()));
    const again = whole(await openOrCreate(home, environment, true, around()));
    const opened = whole(await openVault(home, environment, around()));
    assert.deepEqual([again.id, opened.id], [made.id, made.id]);
    assert.equal(reveal(opened.open(service, "key", made.seal(service, "key", "sk_live_1"))), "sk_live_1");

    const path = keyFile(place, made);
    assert.equal(fs.statSync(path).size, 32);
    assert.deepEqual(fs.readdirSync(join(path, "..")), [`${made.id}.key`]);
    if (!windows) {
      assert.equal(modeOf(path), 0o600);
      assert.equal(modeOf(join(path, "..")), 0o700);
      assert.equal(modeOf(home), 0o700);
      assert.equal(modeOf(vaultPath(home)), 0o600);
    }
    assert.equal(JSON.parse(fs.readFileSync(vaultPath(home), "utf8")).machine, true);
    refused(await createVaultIn(home, environment, false, around()), "store_refused");
  }));

test("twelve processes that start at once make one vault", { timeout: 120_000 }, () =>
  inPlace(async ({ home, state }) => {
    const all = Array.from({ length: 12 }, () => start(childCommand("create", home, state)).ended);
    const ids = new Set<string>();
    for (const ended of await Promise.all(all)) {
      assert.equal(ended.code, 0, ended.err);
      ids.add(ended.out.trim());
    }
    assert.equal(ids.size, 1);
  }),
);

test("no vault is made where sealed credentials already are", () =>
  inPlace(async ({ home, environment }) => {
    const failure = refused(await openOrCreate(home, environment, true, around()), "store_refused");
    assert.match(failure.next ?? "", /janee key import/);
    refused(await createVaultIn(home, environment, true, around()), "store_refused");
    assert.ok(!fs.existsSync(vaultPath(home)));
    whole(await openOrCreate(home, environment, false, around()));
  }));

test("STORE-011 an empty or cut vault.json is refused, and stays as it is", () =>
  inPlace(async ({ home, environment }) => {
    whole(await openOrCreate(home, environment, false, around()));
    const text = fs.readFileSync(vaultPath(home), "utf8");
    for (const broken of ["", "{", text.slice(0, 100), `${text}}`]) {
      fs.writeFileSync(vaultPath(home), broken);
      refused(await openVault(home, environment, around()), "store_refused");
      refused(await openOrCreate(home, environment, false, around()), "store_refused");
      assert.equal(fs.readFileSync(vaultPath(home), "utf8"), broken);
    }
    fs.writeFileSync(vaultPath(home), text);
    whole(await openVault(home, environment, around()));
  }));

test("wrong permissions anywhere on the way are refused", () =>
  inPlace(async (place) => {
    const { home, environment } = place;
    const vault = whole(await openOrCreate(home, environment, false, around()));
    if (windows) return;
    const key = keyFile(place, vault);
    for (const [path, bad, good] of [
      [home, 0o755, 0o700],
      [vaultPath(home), 0o644, 0o600],
      [key, 0o640, 0o600],
      [join(key, ".."), 0o750, 0o700],
    ] as const) {
      fs.chmodSync(path, bad);
      const failure = refused(await openVault(home, environment, around()), "bad_permissions");
      assert.equal(failure.next, `chmod ${good.toString(8)} ${path}`);
      fs.chmodSync(path, good);
      whole(await openVault(home, environment, around()));
    }
    const moved = `${key}.moved`;
    fs.renameSync(key, moved);
    fs.symlinkSync(moved, key);
    refused(await openVault(home, environment, around()), "bad_permissions");
  }));

test("STORE-035 without its key the vault is key_missing, and says where the key should be", () =>
  inPlace(async (place) => {
    const { home, environment } = place;
    const vault = whole(await openOrCreate(home, environment, false, around()));
    const key = keyFile(place, vault);
    fs.renameSync(key, `${key}.away`);
    for (const attempt of [
      openVault(home, environment, around()),
      openOrCreate(home, environment, false, around()),
    ]) {
      const failure = refused(await attempt, "key_missing");
      assert.ok(failure.message.includes(key));
      assert.match(failure.next ?? "", /janee key import/);
    }
    fs.rmSync(join(key, ".."), { recursive: true });
    refused(await openVault(home, environment, around()), "key_missing");
    assert.ok(!fs.existsSync(key));
  }));

test("another vault's key, or one of the wrong length, is key_wrong", () =>
  inPlace(async (place) => {
    const { home, environment } = place;
    const vault = whole(await openOrCreate(home, environment, false, around()));
    const key = keyFile(place, vault);
    const right = fs.readFileSync(key);
    for (const wrong of [randomBytes(32), randomBytes(31), randomBytes(33), Buffer.alloc(0)]) {
      fs.writeFileSync(key, wrong);
      refused(await openVault(home, environment, around()), "key_wrong");
      assert.ok(fs.readFileSync(key).equals(wrong));
    }
    fs.writeFileSync(key, right);
    whole(await openVault(home, environment, around()));
  }));

test("STORE-033 a vault bound to a machine says so when the machine is another or has no id", () =>
  inPlace(async ({ home, environment }) => {
    whole(await openOrCreate(home, environment, false, around()));
    for (const surroundings of [around(machineB), { ...around(), machineId: async () => undefined }]) {
      const failure = refused(await openVault(home, environment, surroundings), "store_refused");
      assert.match(failure.message, /machine/);
      assert.match(failure.next ?? "", /janee key export.*janee key import/);
    }
    whole(await openVault(home, environment, around()));
  }));

test("where there is no machine id at first, none is asked for later", () =>
  inPlace(async ({ home, environment }) => {
    const none = { ...around(), machineId: async () => undefined };
    whole(await openOrCreate(home, environment, false, none));
    whole(await openVault(home, environment, none));
    whole(await openVault(home, environment, around(machineB)));
  }));

test("a machine id is a real one or none", async () => {
  const id = "0123456789abcdef0123456789abcdef";
  assert.equal(linuxMachineId([`${id}\n`]), id);
  assert.equal(linuxMachineId([undefined, id]), id);
  assert.equal(linuxMachineId(["uninitialized\n", id]), id);
  for (const text of [
    undefined,
    "",
    "\n",
    "uninitialized",
    "0".repeat(32),
    id.slice(1),
    `${id}0`,
    id.toUpperCase(),
    "x".repeat(32),
  ])
    assert.equal(linuxMachineId([text]), undefined, String(text));
  const uuid = "A1B2C3D4-0000-1111-2222-333344445555";
  assert.equal(uuidIn(`  "IOPlatformUUID" = "${uuid}"\n`, "IOPlatformUUID"), uuid.toLowerCase());
  assert.equal(uuidIn(`\r\n    MachineGuid    REG_SZ    ${uuid}\r\n`, "MachineGuid"), uuid.toLowerCase());
  for (const text of [
    "",
    "IOPlatformUUID",
    `"IOPlatformUUID" = "${uuid.replace(/[^-]/g, "0")}"`,
    `"Other" = "${uuid}"`,
  ])
    assert.equal(uuidIn(text, "IOPlatformUUID"), undefined);
  assert.equal(await machineId(), await machineId());
});

test("JANEE_KEY opens in every spelling of its 32 bytes, and is never repeated", () =>
  inPlace(async ({ home, state, environment }) => {
    const bytes = Buffer.alloc(32, 0xfb);
    const spellings = [
      bytes.toString("base64"),
      bytes.toString("base64").replace("=", ""),
      bytes.toString("base64url"),
      bytes.toString("hex"),
      bytes.toString("hex").toUpperCase(),
      ` ${bytes.toString("hex")}\n`,
    ];
    const made = whole(
      await openOrCreate(home, { ...environment, JANEE_KEY: spellings[0] }, false, around()),
    );
    for (const JANEE_KEY of spellings)
      assert.equal(whole(await openVault(home, { ...environment, JANEE_KEY }, around(machineB))).id, made.id);
    assert.ok(!fs.existsSync(join(state, "janee")));

    for (const JANEE_KEY of [
      "short",
      bytes.subarray(1).toString("base64"),
      `${spellings[0]}AA`,
      "g".repeat(64),
      `sk_canary_${spellings[2]}`,
    ]) {
      const failure = refused(await openVault(home, { ...environment, JANEE_KEY }, around()), "key_wrong");
      assert.ok(!inspect(failure).includes(JANEE_KEY));
    }
    const other = randomBytes(32).toString("base64");
    refused(await openVault(home, { ...environment, JANEE_KEY: other }, around()), "key_wrong");
    for (const JANEE_KEY of [undefined, ""]) {
      const failure = refused(await openVault(home, { ...environment, JANEE_KEY }, around()), "key_missing");
      assert.match(failure.message, /JANEE_KEY/);
    }
  }));

test("a malformed JANEE_KEY makes no vault, and two sources at once neither", () =>
  inPlace(async ({ home, environment }, folder) => {
    refused(
      await openOrCreate(home, { ...environment, JANEE_KEY: "nonsense" }, false, around()),
      "key_wrong",
    );
    const two = { ...environment, JANEE_KEY: "00".repeat(32), JANEE_KEY_FILE: join(folder, "k") };
    refused(await openOrCreate(home, two, false, around()), "usage");
    refused(await openOrCreate(home, { ...environment, JANEE_KEYCHAIN: "yes" }, false, around()), "usage");
    assert.ok(!fs.existsSync(vaultPath(home)));
  }));

test("keys decode strictly", () => {
  for (const text of [
    "",
    "A".repeat(42),
    "A".repeat(44),
    `${"A".repeat(42)}B`,
    `${"A".repeat(43)}==`,
    "0".repeat(63),
    "0".repeat(65),
  ])
    assert.equal(decodeKey(text), undefined, text);
  assert.deepEqual(decodeKey("A".repeat(43)), new Uint8Array(32));
  assert.deepEqual(decodeKey(`${"A".repeat(43)}=`), new Uint8Array(32));
});

test("JANEE_KEY_FILE is made when missing, used when there, and bound to no machine", () =>
  inPlace(async ({ home, environment }, folder) => {
    const path = join(folder, "keys", "janee.key");
    fs.mkdirSync(join(folder, "keys"));
    const given = { ...environment, JANEE_KEY_FILE: path };
    const made = whole(await openOrCreate(home, given, false, around()));
    assert.equal(fs.statSync(path).size, 32);
    if (!windows) assert.equal(modeOf(path), 0o600);
    assert.equal(whole(await openVault(home, given, around(machineB))).id, made.id);

    const before = fs.readFileSync(path);
    const second = whole(await openOrCreate(join(folder, "home2"), given, false, around()));
    assert.ok(fs.readFileSync(path).equals(before));
    assert.notEqual(second.id, made.id);

    // As `openssl rand -base64 32` writes it.
    fs.writeFileSync(path, `${before.toString("base64")}\n`);
    assert.equal(whole(await openVault(home, given, around())).id, made.id);
    if (!windows) {
      fs.chmodSync(path, 0o644);
      refused(await openVault(home, given, around()), "bad_permissions");
      fs.chmodSync(path, 0o600);
    }
    fs.writeFileSync(path, "what an operator named by mistake");
    refused(await openOrCreate(join(folder, "home3"), given, false, around()), "key_wrong");
    assert.equal(fs.readFileSync(path, "utf8"), "what an operator named by mistake");
    fs.unlinkSync(path);
    refused(await openVault(home, given, around()), "key_missing");
  }));

test("a key file inside the home is refused, by whatever way it leads there", () =>
  inPlace(async ({ home, environment }, folder) => {
    fs.mkdirSync(home, { mode: 0o700 });
    fs.mkdirSync(join(home, "sub"));
    fs.symlinkSync(join(home, "sub"), join(folder, "way"));
    for (const path of [
      join(home, "key"),
      join(home, "sub", "key"),
      join(home, "none", "key"),
      `${folder}/home/../home/key`,
      join(folder, "way", "key"),
      home,
      join(home, "..key"),
    ])
      refused(
        await openOrCreate(home, { ...environment, JANEE_KEY_FILE: path }, false, around()),
        "bad_permissions",
      );
    const inside = { ...environment, XDG_STATE_HOME: home, HOME: home, LOCALAPPDATA: home };
    refused(await openOrCreate(home, inside, false, around()), "bad_permissions");
    assert.ok(!fs.existsSync(vaultPath(home)));
    whole(
      await openOrCreate(home, { ...environment, JANEE_KEY_FILE: join(folder, "home-key") }, false, around()),
    );
  }));

test("the state folder is the system's own", () => {
  const HOME = "/home/me";
  assert.equal(stateFolder({ HOME }, "linux"), "/home/me/.local/state");
  assert.equal(stateFolder({ HOME, XDG_STATE_HOME: "/state" }, "linux"), "/state");
  assert.equal(stateFolder({ HOME, XDG_STATE_HOME: "state" }, "linux"), "/home/me/.local/state");
  assert.equal(stateFolder({ HOME, XDG_STATE_HOME: "" }, "linux"), "/home/me/.local/state");
  assert.equal(
    stateFolder({ HOME, XDG_STATE_HOME: "/state" }, "darwin"),
    "/home/me/Library/Application Support",
  );
  assert.equal(
    stateFolder({ LOCALAPPDATA: "C:\\Users\\me\\AppData\\Local" }, "win32"),
    "C:\\Users\\me\\AppData\\Local",
  );
});

function memoryKeychain(): Keychain & { readonly entries: Map<string, string> } {
  const entries = new Map<string, string>();
  return {
    entries,
    get: async (name) => entries.get(name),
    set: async (name, value) => void entries.set(name, value),
    delete: async (name) => void entries.delete(name),
  };
}

test("the keychain keeps the key where it is asked for, through a rotation too", () =>
  inPlace(async ({ home, state, environment }) => {
    const chain = memoryKeychain();
    const made = whole(
      await openOrCreate(home, { ...environment, JANEE_KEYCHAIN: "1" }, false, around(machineA, chain)),
    );
    assert.deepEqual([...chain.entries.keys()], [made.id]);
    assert.ok(!fs.existsSync(join(state, "janee")));
    // The vault itself says where its key is.
    whole(await openVault(home, environment, around(machineA, chain)));
    const before = chain.entries.get(made.id);
    const rotated = await rotateVault(home, () => undefined, environment, around(machineA, chain));
    assert.ok(!(rotated instanceof Failure) && rotated.keyRenewed);
    assert.deepEqual([...chain.entries.keys()], [made.id]);
    assert.notEqual(chain.entries.get(made.id), before);
    whole(await openVault(home, environment, around(machineA, chain)));
    chain.entries.clear();
    refused(await openVault(home, environment, around(machineA, chain)), "key_missing");
  }));

test("a keychain that is not there is a failure that says what to do, never another key", () =>
  inPlace(async ({ home, environment }) => {
    const asked = { ...environment, JANEE_KEYCHAIN: "1" };
    const failure = refused(await openOrCreate(home, asked, false, around()), "key_missing");
    assert.match(failure.next ?? "", /key file/);
    const locked = async () => {
      throw Object.assign(new Error("the value sk_canary could not be stored"), {
        code: "ERR_SECRETS_PLATFORM_ERROR",
      });
    };
    const chain = { get: locked, set: locked, delete: locked };
    const second = refused(await openOrCreate(home, asked, false, around(machineA, chain)), "key_missing");
    assert.match(second.message, /ERR_SECRETS_PLATFORM_ERROR/);
    assert.ok(!inspect(second).includes("canary"));
    assert.ok(!fs.existsSync(vaultPath(home)));
    assert.equal(keychain() !== undefined, runtimeName() === "bun");
  }));

/** A config in small: one sealed value, written in one piece. */
function sealedFile(home: string) {
  const path = join(home, "config.yaml");
  return {
    put: (vault: Vault, text: string) => writeAtomic(path, vault.seal(service, "key", text)),
    get: (vault: Vault) => reveal(vault.open(service, "key", fs.readFileSync(path, "utf8"))),
    reseal: (old: Vault, next: Vault) =>
      writeAtomic(
        path,
        next.seal(service, "key", reveal(old.open(service, "key", fs.readFileSync(path, "utf8")))),
      ),
  };
}

test("a rotation renews both keys, and the old ones open nothing new", () =>
  inPlace(async (place) => {
    const { home, environment } = place;
    const old = whole(await openOrCreate(home, environment, false, around()));
    const config = sealedFile(home);
    assert.equal(config.put(old, "sk_live_1"), undefined);
    const oldKey = fs.readFileSync(keyFile(place, old));
    const steps: string[] = [];
    const rotated = await rotateVault(
      home,
      config.reseal,
      environment,
      around(),
      (step) => void steps.push(step),
    );
    assert.ok(!(rotated instanceof Failure), inspect(rotated));
    assert.ok(rotated.keyRenewed);
    assert.deepEqual(steps, [...rotationSteps]);
    const now = whole(await openVault(home, environment, around()));
    assert.equal(now.current, rotated.vault.current);
    assert.notEqual(now.current, old.current);
    assert.ok(!now.betweenKeys);
    assert.equal(config.get(now), "sk_live_1");
    refused(old.open(service, "key", fs.readFileSync(join(home, "config.yaml"), "utf8")), "store_refused");
    assert.ok(!fs.readFileSync(keyFile(place, old)).equals(oldKey));
    assert.ok(!fs.existsSync(`${keyFile(place, old)}.next`));
    assert.deepEqual(now.auditKey, old.auditKey);
    // Bound to the machine as before.
    refused(await openVault(home, environment, around(machineB)), "store_refused");
  }));

test("STORE-037 a rotation that stops after any step leaves everything open, and the next one ends it", async () => {
  for (const stop of rotationSteps)
    await inPlace(async (place) => {
      const { home, environment } = place;
      const old = whole(await openOrCreate(home, environment, false, around()));
      const config = sealedFile(home);
      config.put(old, "sk_live_1");
      const rotation = rotateVault(home, config.reseal, environment, around(), (step) => {
        if (step === stop) throw new Error("killed");
      });
      await assert.rejects(rotation, /killed/);
      const opened = whole(await openVault(home, environment, around()));
      assert.equal(config.get(opened), "sk_live_1", stop);
      // What is sealed in between is not lost either.
      config.put(opened, "sk_live_2");
      assert.equal(config.get(whole(await openVault(home, environment, around()))), "sk_live_2");

      const rotated = await rotateVault(home, config.reseal, environment, around());
      assert.ok(!(rotated instanceof Failure), inspect(rotated));
      const now = whole(await openVault(home, environment, around()));
      assert.ok(!now.betweenKeys);
      assert.equal(config.get(now), "sk_live_2", stop);
      assert.deepEqual(fs.readdirSync(join(keyFile(place, now), "..")), [`${now.id}.key`]);
    });
});

test("the same with kill -9, three times in a row", { timeout: 180_000 }, async () => {
  for (const stop of rotationSteps)
    await inPlace(async ({ home, state, environment }) => {
      // The child's machine is the real one.
      const made = whole(await openOrCreate(home, environment, false));
      fs.writeFileSync(join(home, "sealed"), made.current, { mode: 0o600 });
      for (let turn = 0; turn < 3; turn++) {
        const ended = await start(childCommand("rotate", home, `${state}|${stop}`)).ended;
        assert.notEqual(ended.code, 0);
        const opened = whole(await openVault(home, environment));
        const sealedWith = fs.readFileSync(join(home, "sealed"), "utf8");
        assert.ok(opened.holdsKeyOf(`sealed:v1:${sealedWith}:`), stop);
      }
      const rotated = await rotateVault(home, () => undefined, environment);
      assert.ok(!(rotated instanceof Failure), inspect(rotated));
      assert.ok(!whole(await openVault(home, environment)).betweenKeys);
    });
});

test("a rotation whose config could not be written leaves everything open", () =>
  inPlace(async ({ home, environment }) => {
    const old = whole(await openOrCreate(home, environment, false, around()));
    const config = sealedFile(home);
    config.put(old, "sk_live_1");
    const failed = new Failure("store_refused", "the disk is full");
    assert.equal(await rotateVault(home, () => failed, environment, around()), failed);
    assert.equal(config.get(whole(await openVault(home, environment, around()))), "sk_live_1");
    assert.ok(!((await rotateVault(home, config.reseal, environment, around())) instanceof Failure));
    assert.equal(config.get(whole(await openVault(home, environment, around()))), "sk_live_1");
  }));

test("a rotation leaves a key that the operator gives, for other vaults may hang by it", () =>
  inPlace(async ({ home, environment }, folder) => {
    const path = join(folder, "shared.key");
    const given = { ...environment, JANEE_KEY_FILE: path };
    const old = whole(await openOrCreate(home, given, false, around()));
    whole(await openOrCreate(join(folder, "home2"), given, false, around()));
    const before = fs.readFileSync(path);
    const rotated = await rotateVault(home, () => undefined, given, around());
    assert.ok(!(rotated instanceof Failure), inspect(rotated));
    assert.ok(!rotated.keyRenewed);
    assert.notEqual(rotated.vault.current, old.current);
    assert.ok(fs.readFileSync(path).equals(before));
    whole(await openVault(home, given, around()));
    whole(await openVault(join(folder, "home2"), given, around()));
  }));

test("readers open the vault all the while it is rotated", { timeout: 120_000 }, () =>
  inPlace(async ({ home, environment }) => {
    whole(await openOrCreate(home, environment, false, around()));
    let done = false;
    const rotations = (async () => {
      for (let turn = 0; turn < 10; turn++) {
        const rotated = await rotateVault(home, () => undefined, environment, around());
        assert.ok(!(rotated instanceof Failure), inspect(rotated));
      }
      done = true;
    })();
    let opened = 0;
    while (!done) {
      whole(await openVault(home, environment, around()));
      opened++;
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await rotations;
    assert.ok(opened > 0);
  }),
);

test("an export takes the vault to another machine", () =>
  inPlace(async (place, folder) => {
    const { home, environment } = place;
    const cheap = { m: 64, t: 1, p: 1 };
    const old = whole(await openOrCreate(home, environment, false, around()));
    const config = sealedFile(home);
    config.put(old, "sk_live_1");
    const text = exportKeys(old.bare(), "correct horse", entropy, cheap);
    assert.ok(typeof text === "string");

    // The home was copied; the key file was not.
    const there = join(folder, "there");
    fs.cpSync(home, there, { recursive: true });
    fs.chmodSync(there, 0o700);
    const state = join(folder, "state-there");
    const elsewhere = { XDG_STATE_HOME: state, HOME: state, LOCALAPPDATA: state };
    refused(await openVault(there, elsewhere, around(machineB)), "key_missing");
    const keys = importKeys(text, "correct horse");
    assert.ok(!(keys instanceof Failure));
    whole(await importVault(there, keys, elsewhere, around(machineB)));
    const taken = whole(await openVault(there, elsewhere, around(machineB)));
    assert.equal(sealedFile(there).get(taken), "sk_live_1");
    assert.deepEqual(taken.rowKey, old.rowKey);
    refused(await openVault(there, elsewhere, around(machineA)), "store_refused");
    // The old machine goes on as before.
    whole(await openVault(home, environment, around()));

    // Into an empty home, under JANEE_KEY.
    const server = join(folder, "server");
    const byKey = { ...elsewhere, JANEE_KEY: randomBytes(32).toString("base64") };
    whole(await importVault(server, keys, byKey, around(machineB)));
    assert.equal(whole(await openVault(server, byKey, around())).id, old.id);

    // Over a damaged vault.json, and over a spoilt key file.
    fs.writeFileSync(vaultPath(there), "");
    fs.writeFileSync(join(state, "janee", `${old.id}.key`), "spoilt");
    whole(await importVault(there, keys, elsewhere, around(machineB)));
    whole(await openVault(there, elsewhere, around(machineB)));
  }));

test("an export of another vault, or from before a rotation, overwrites nothing", () =>
  inPlace(async ({ home, environment }, folder) => {
    const vault = whole(await openOrCreate(home, environment, false, around()));
    const other = whole(await openOrCreate(join(folder, "other"), environment, false, around()));
    refused(await importVault(home, other.bare(), environment, around()), "store_refused");
    const before = vault.bare();
    assert.ok(!((await rotateVault(home, () => undefined, environment, around())) instanceof Failure));
    const failure = refused(await importVault(home, before, environment, around()), "store_refused");
    assert.match(failure.message, /rotated/);
    const now = whole(await openVault(home, environment, around()));
    whole(await importVault(home, now.bare(), environment, around()));
    assert.equal(whole(await openVault(home, environment, around())).current, now.current);
  }));
