// What the forward proxy needs of the world around it.
import type { Caller } from "../../engine/caller.ts";
import type { Origin } from "../../engine/destination.ts";
import type { Failure } from "../../engine/failure.ts";
import type { By } from "../../engine/standing.ts";
import type { Connection, TlsIdentity } from "../../wire/connection.ts";

export interface Forward {
  /** Certificates for hosts of services, made by the local authority. */
  identityOf(host: string): Promise<TlsIdentity | Failure>;
  /** Makes ready what the first of them would have to wait for. */
  warm(): Promise<void>;
  /** A connection to where no capability is, for a tunnel without any credential. */
  dial(origin: Origin): Promise<Connection | Failure>;
  /** What becomes of an address that no capability is at. */
  unmatched(): "deny" | "tunnel";
  /** The one who holds a token that only this process knows. */
  callerOf(token: string): Caller | undefined;
}

/** Who uses the proxy, and as what. */
export interface Proxied {
  readonly by: By;
  /** The one capability that is meant; undefined: any that the token is for. */
  readonly only: string | undefined;
}
