// One value of the config with the place where it stands, and every complaint about it. A message says what
// was expected and never what was found: in a file of credentials, whatever is misplaced may be one.
import { isMap, isNode, isScalar, isSeq, type Node } from "yaml";
import { type ConfigTree, keyOffset } from "./config-tree.ts";
import { Failure, type FailureCode, type Position } from "./failure.ts";
import { didYouMean } from "./nearest.ts";

export interface Finding {
  readonly message: string;
  readonly at?: Position;
}

interface Complaint {
  readonly code?: FailureCode;
  readonly next?: string;
}

/** Collects what is wrong with one file, so that a reader can go on and a caller gets the first. */
export class Reading {
  readonly #tree: ConfigTree;
  readonly #failures: Failure[] = [];
  readonly warnings: Finding[] = [];

  constructor(tree: ConfigTree) {
    this.#tree = tree;
  }

  get text(): string {
    return this.#tree.text;
  }

  get failure(): Failure | undefined {
    return this.#failures[0];
  }

  root(): Place {
    return new Place(this, this.#tree.root ?? null, 0, []);
  }

  position(offset: number): Position {
    return this.#tree.position(offset);
  }

  refuse(offset: number, message: string, complaint: Complaint = {}): undefined {
    const next = complaint.next === undefined ? {} : { next: complaint.next };
    const at = this.position(offset);
    this.#failures.push(new Failure(complaint.code ?? "config_invalid", message, { at, ...next }));
  }
}

export class Place {
  readonly reading: Reading;
  readonly node: Node | null;
  readonly path: readonly string[];
  /** Where the key stands, for a complaint about the key itself. */
  readonly keyOffset: number;
  readonly offset: number;

  constructor(reading: Reading, node: Node | null, keyOffset: number, path: readonly string[]) {
    this.reading = reading;
    this.node = node;
    this.path = path;
    this.keyOffset = keyOffset;
    this.offset = this.empty ? keyOffset : (node?.range?.[0] ?? keyOffset);
  }

  /** Nothing, `~` or `null` behind the colon. */
  get empty(): boolean {
    return this.node === null || (isScalar(this.node) && this.node.value === null);
  }

  get position(): Position {
    return this.reading.position(this.offset);
  }

  refuse(message: string, complaint: Complaint = {}): undefined {
    return this.reading.refuse(this.offset, message, complaint);
  }

  warn(message: string): void {
    this.reading.warnings.push({ message, at: this.position });
  }

  expected(what: string, complaint: Complaint = {}): undefined {
    return this.refuse(`expected ${what}, found ${this.#kind()}`, complaint);
  }

  #kind(): string {
    if (this.empty) return "nothing";
    if (isMap(this.node)) return "a map";
    if (isSeq(this.node)) return "a list";
    const value = isScalar(this.node) ? this.node.value : undefined;
    if (typeof value === "number") return "a number";
    if (typeof value === "boolean") return "true or false";
    return "text";
  }

  /** The pairs of a map whose keys the file's author chooses. */
  entries(complaint: Complaint = {}): ReadonlyMap<string, Place> | undefined {
    if (!isMap(this.node)) return this.expected("a map", complaint);
    const found = new Map<string, Place>();
    for (const { key, value } of this.node.items) {
      const at = keyOffset(this.node, key);
      if (!isScalar(key) || typeof key.value !== "string") {
        this.reading.refuse(at, "expected a name as key: quote it if it looks like a number", complaint);
      } else if (key.value === "<<") {
        this.reading.refuse(at, "merge keys are refused: write the keys out", complaint);
      } else if (found.has(key.value)) {
        this.reading.refuse(at, "this key appears twice in its map", complaint);
      } else {
        const node = isNode(value) ? value : null;
        found.set(key.value, new Place(this.reading, node, at, [...this.path, key.value]));
      }
    }
    return found;
  }

  /** The pairs of a map whose keys are janee's; `elsewhere` says where a known key belongs instead. */
  fields(known: readonly string[], elsewhere: ReadonlyMap<string, string> = new Map()): Fields | undefined {
    const entries = this.entries();
    if (!entries) return undefined;
    for (const [name, place] of entries) {
      if (known.includes(name)) continue;
      const hint = elsewhere.get(name);
      if (hint) this.reading.refuse(place.keyOffset, `this key is not known here: ${hint}`);
      else this.reading.refuse(place.keyOffset, unknownKey(name, known));
    }
    return new Fields(this, entries);
  }

  string(what = "text"): string | undefined {
    const node = this.node;
    if (!isScalar(node) || typeof node.value !== "string") {
      const quoted = isScalar(node) && node.value !== null ? `${what} (in quotes)` : what;
      return this.expected(quoted);
    }
    if (node.value.includes("\0")) return this.refuse("a NUL character");
    return node.value;
  }

  /** Text; a plain number counts as the digits that stand there. */
  text(what: string): string | undefined {
    const node = this.node;
    const digits = isScalar(node) && typeof node.value === "number" ? node.source : undefined;
    return digits !== undefined && /^[0-9]+$/.test(digits) ? digits : this.string(what);
  }

  boolean(): boolean | undefined {
    const value = isScalar(this.node) ? this.node.value : undefined;
    return typeof value === "boolean" ? value : this.expected("true or false");
  }

  items(what: string, complaint: Complaint = {}): readonly Place[] | undefined {
    if (!isSeq(this.node)) return this.expected(what, complaint);
    return this.node.items.map((item, index) => {
      const node = isNode(item) ? item : null;
      return new Place(this.reading, node, node?.range?.[0] ?? this.offset, [...this.path, `${index}`]);
    });
  }

  strings(what: string): readonly string[] | undefined {
    return this.items(what)?.flatMap((item) => {
      const text = item.string();
      if (text === "") item.refuse("expected text, found nothing");
      return text ? [text] : [];
    });
  }
}

function unknownKey(name: string, known: readonly string[]): string {
  const nearest = didYouMean(name, known);
  return nearest ? `unknown key${nearest}` : `unknown key: expected one of ${known.join(", ")}`;
}

/** The known keys of one map. */
export class Fields {
  readonly place: Place;
  readonly #entries: ReadonlyMap<string, Place>;

  constructor(place: Place, entries: ReadonlyMap<string, Place>) {
    this.place = place;
    this.#entries = entries;
  }

  get(name: string): Place | undefined {
    return this.#entries.get(name);
  }

  need(name: string, example: string): Place | undefined {
    return this.#entries.get(name) ?? this.place.refuse(`"${name}" is missing: expected ${example}`);
  }

  flag(name: string): boolean {
    return this.get(name)?.boolean() ?? false;
  }
}
