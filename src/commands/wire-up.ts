// Host parts + engine = one running broker. The only place where they meet.
import { join } from "node:path";
import { Agents } from "../engine/agents.ts";
import { Approvals } from "../engine/approval.ts";
import { AuditTrail } from "../engine/audit.ts";
import { RowSeal } from "../engine/authentic.ts";
import { Broker } from "../engine/broker.ts";
import type { Service } from "../engine/config.ts";
import { Endpoint } from "../engine/credential/endpoint.ts";
import type { CredentialTools, OpenedSecrets } from "../engine/credential/scheme.ts";
import { Tokens } from "../engine/credential/tokens.ts";
import type { Entry } from "../engine/entry.ts";
import { Failure } from "../engine/failure.ts";
import { Placeholders, type ShapeOf } from "../engine/placeholder.ts";
import type { Opener, Policy, Spawner } from "../engine/ports.ts";
import { PreparedServices } from "../engine/prepared.ts";
import { Sessions } from "../engine/session.ts";
import { shortId } from "../engine/token.ts";
import type { Observed } from "../engine/trail.ts";
import { alarm, clock, entropy, soon } from "../host/clock.ts";
import { decoder } from "../host/decode.ts";
import { digest } from "../host/digest.ts";
import type { Home } from "../host/home.ts";
import { JournalFile } from "../host/journal.ts";
import { privateKeys } from "../host/private-keys.ts";
import { makeSpawner } from "../host/spawner.ts";
import { openState } from "../host/state.ts";
import type { SqliteStore } from "../host/store-sqlite.ts";
import { UpstreamPool } from "../host/upstream.ts";

export interface Janee {
  readonly home: Home;
  readonly store: SqliteStore;
  readonly rows: RowSeal;
  readonly sessions: Sessions;
  readonly approvals: Approvals;
  readonly agents: Agents;
  readonly spawner: Spawner;
  readonly audit: AuditTrail;
  readonly broker: Broker;
  readonly credentialTools: CredentialTools;
  readonly placeholders: Placeholders;
  /** Writes an audit line of an event that is no request. */
  note(entry: Omit<Entry, "timestamp" | "id">): Promise<Failure | undefined>;
  close(): void;
}

const writerIdLength = 10;

export interface WiredMore {
  /** Told of each line of the trail that this process writes of a request. */
  readonly observe?: (entry: Observed) => void;
  /** Told of the credentials of each service that a request needs, once they are known. */
  readonly opened?: (service: Service, opened: OpenedSecrets) => void;
  /** How placeholders look that are handed out here. */
  readonly shapeOf?: ShapeOf;
}

export function wireUp(home: Home, policy: Policy = home, more: WiredMore = {}): Janee | Failure {
  const store = openState(home.path);
  if (store instanceof Failure) return store;
  const rows = new RowSeal(
    digest,
    () => home.vault.rowKey,
    () => home.vault.olderRowKeys,
  );
  const sessions = new Sessions(store, rows, clock, entropy, digest);
  const approvals = new Approvals(store, rows, entropy, digest, () => sessions.now());
  const agents = new Agents(store, rows, entropy, digest);
  const journal = new JournalFile(join(home.path, "audit.log"), {
    sync: () => home.inForce.audit.sync,
  });
  const audit = new AuditTrail({
    journal,
    store,
    digest,
    key: home.vault.auditKey,
    soon,
    writer: shortId(entropy, writerIdLength),
    afterWrite: () => {
      sessions.noteTime();
      // What waited for this goes upstream now: judged by a fresh look at store and config.
      store.lookAgain();
      home.lookAgain();
    },
  });
  let events = 0;
  const note: Janee["note"] = (entry) => {
    events += 1;
    const id = `${audit.writer}-e${events}`;
    return audit.append({ timestamp: new Date(sessions.now()).toISOString(), id, ...entry });
  };
  const upstream = new UpstreamPool();
  const noteToken = (service: string, outcome: string, message: string): void => {
    void note({ event: "credential", surface: "janee", owner: "janee", service, outcome, message });
  };
  const credentialTools: CredentialTools = {
    ...{ now: clock.wall, digest, entropy, keys: privateKeys },
    tokens: new Tokens(clock.wall, {
      fetched: (service, expiresAt) =>
        noteToken(service, "renewed", `a token was fetched, good until ${new Date(expiresAt).toISOString()}`),
      withdrawn: (service, heard) =>
        noteToken(
          service,
          heard ? "withdrawn" : "not_withdrawn",
          heard ? "a token was given back" : "a token could not be given back: it is good until its end",
        ),
    }),
    endpoint: new Endpoint(upstream, policy, alarm),
    exchange: home.exchange.bind(home),
  };
  const services = new PreparedServices(telling(home, more.opened), credentialTools);
  const spawner = makeSpawner({ home: home.path, environment: home.environment });
  const placeholders = new Placeholders(digest, () => home.vault.placeholderKey, more.shapeOf);
  const broker = new Broker({
    ...{ policy, store, sessions, approvals, agents, services, upstream },
    ...{ decoder, audit, digest, entropy, spawner, clock },
    placeholders,
    ...(more.observe === undefined ? {} : { observe: more.observe }),
  });
  return {
    ...{ home, store, rows, sessions, approvals, agents, spawner, audit, broker },
    ...{ credentialTools, placeholders },
    note,
    close() {
      audit.flush();
      upstream.close();
      journal.close();
      store.close();
    },
  };
}

function telling(home: Home, opened: WiredMore["opened"]): Opener {
  if (!opened) return home;
  return {
    exchange: home.exchange.bind(home),
    async open(service) {
      const secrets = await home.open(service);
      if (!(secrets instanceof Failure)) opened(service, secrets);
      return secrets;
    },
  };
}
