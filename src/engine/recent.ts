/** What was looked up lately, bounded: the oldest entry makes room for a new one. */
export class Recent<Value> {
  readonly #entries = new Map<string, Value>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key);
  }

  set(key: string, value: Value): void {
    const isNew = !this.#entries.has(key);
    if (isNew && this.#entries.size >= this.#most) this.#dropOldest();
    this.#entries.set(key, value);
  }

  clear(): void {
    this.#entries.clear();
  }

  #dropOldest(): void {
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }
}
