// What a run did, in one line at its end.
import type { Counts } from "../engine/summary-table.ts";
import type { Observed } from "../engine/trail.ts";

export class RunTally {
  #allowed = 0;
  #denied = 0;
  #failed = 0;
  #redactions = 0;
  #alarms = 0;

  count({ event, code, redactions }: Observed): void {
    this.#redactions += redactions;
    if (event === "alarm") this.#alarms += 1;
    // A first request without a token is how clients begin, and no refusal.
    else if (event === "refused") this.#denied += code === "proxy_token_needed" ? 0 : 1;
    else if (code === undefined || code === "client_closed") this.#allowed += 1;
    else this.#failed += 1;
  }

  counts(): Counts {
    const [allowed, denied, failed] = [this.#allowed, this.#denied, this.#failed];
    return { allowed, denied, failed, redactions: this.#redactions, alarms: this.#alarms };
  }

  /** undefined: nothing was asked for. */
  told(): string | undefined {
    const { allowed, denied, failed } = this.counts();
    if (allowed + denied + failed === 0) return undefined;
    const parts = [`${allowed} allowed`, `${denied} denied`];
    if (failed > 0) parts.push(`${failed} failed`);
    parts.push(`${this.#redactions} redacted`);
    if (this.#alarms > 0) parts.push(`${this.#alarms} ${this.#alarms === 1 ? "alarm" : "alarms"}`);
    return `janee: ${parts.join(", ")}`;
  }
}
