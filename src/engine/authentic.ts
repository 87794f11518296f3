import type { Digest, StoredRow } from "./ports.ts";
import { Recent } from "./recent.ts";

const mostSeen = 4_096;

/** Rows of the store under a key: a row that anything else wrote does not exist. */
export class RowSeal {
  readonly #digest: Digest;
  readonly #key: () => Uint8Array;
  readonly #older: () => readonly Uint8Array[];
  /** Rows that verified, by table and MAC: a row of one table is none of another. */
  readonly #seen = new Recent<{ readonly row: string; readonly value: unknown }>(mostSeen);

  #seenUnder: Uint8Array | undefined;

  /**
   * `key` is asked each time, since a rotation changes it while a process runs. Rows under the `older` keys are
   * read as well: they are those that the rotation has not come to yet.
   */
  constructor(digest: Digest, key: () => Uint8Array, older: () => readonly Uint8Array[] = () => []) {
    this.#digest = digest;
    this.#key = key;
    this.#older = older;
  }

  write(table: string, value: object): StoredRow {
    const row = JSON.stringify(value);
    return { row, mac: this.#mac(this.#key(), table, row) };
  }

  /** The same row object is judged again and again: its MAC is computed once for each content. */
  read<T>(table: string, stored: StoredRow | undefined): T | undefined {
    if (!stored) return undefined;
    const current = this.#key();
    // What an old key verified has to be verified again once another is in force.
    if (current !== this.#seenUnder) this.#seen.clear();
    this.#seenUnder = current;
    const place = `${table} ${stored.mac}`;
    const known = this.#seen.get(place);
    if (known?.row === stored.row) return known.value as T;
    const isUnder = (key: Uint8Array): boolean => this.#mac(key, table, stored.row) === stored.mac;
    if (!isUnder(current) && !this.#older().some(isUnder)) return undefined;
    const value = JSON.parse(stored.row) as T;
    this.#seen.set(place, { row: stored.row, value });
    return value;
  }

  #mac(key: Uint8Array, table: string, row: string): string {
    return this.#digest.hmac(key, `${table}\n${row}`);
  }
}
