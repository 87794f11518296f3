import type { Digest, StoredRow } from "./ports.ts";

/** Rows of the store under a key: a row that anything else wrote does not exist. */
export class RowSeal {
  readonly #digest: Digest;
  readonly #key: () => Uint8Array;
  readonly #seen = new Map<string, unknown>();

  /** `key` is asked each time, since a rotation changes it while a process runs. */
  constructor(digest: Digest, key: () => Uint8Array) {
    this.#digest = digest;
    this.#key = key;
  }

  write(table: string, value: object): StoredRow {
    const row = JSON.stringify(value);
    return { row, mac: this.#mac(table, row) };
  }

  /** The same row object is judged again and again: its MAC is computed once for each content. */
  read<T>(table: string, stored: StoredRow | undefined): T | undefined {
    if (!stored) return undefined;
    const known = this.#seen.get(stored.mac);
    if (known && (known as { row: string }).row === stored.row) return (known as { value: T }).value;
    if (this.#mac(table, stored.row) !== stored.mac) return undefined;
    const value = JSON.parse(stored.row) as T;
    if (this.#seen.size >= 4096) this.#seen.clear();
    this.#seen.set(stored.mac, { row: stored.row, value });
    return value;
  }

  forget(): void {
    this.#seen.clear();
  }

  #mac(table: string, row: string): string {
    return this.#digest.hmac(this.#key(), `${table}\n${row}`);
  }
}
