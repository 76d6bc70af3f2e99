import { type Clock, createInTurn, randomBytes, toHex } from "../../base/index.ts";
import type { Store } from "../../store/index.ts";
import { ALERT_LIVES_MS } from "./admission.ts";
import { SKEW_MS } from "./pseudonyms.ts";

/** One alert as it is kept: the statement, and where it stands in this service's order. */
export interface KeptAlert {
  /** Member and id together: nobody can take an id away from another by using it first. */
  readonly _id: string;
  readonly seq: number;
  readonly member: string;
  readonly statement: string;
  readonly forgetAt: number;
}

/** An alert on its way into the ledger. */
export interface NewAlert {
  readonly member: string;
  readonly id: string;
  readonly statement: string;
}

/** How far the exchange with one peer is. */
export interface PeerState {
  readonly _id: string;
  /** Own alerts up to this number were told to the peer. */
  readonly pushed: number;
  /** Which ledger of the peer's `pulled` belongs to, and up to where it was read. */
  readonly log: string;
  readonly pulled: number;
}

interface Fact {
  readonly _id: string;
  readonly value: string;
}

/** What one service keeps of the mesh: alerts for an hour, the roster, how far each exchange is. */
export interface Ledger {
  /** Names this ledger: a service that lost its database has another one. */
  readonly log: string;
  /**
   * Fulfils when the alerts are on disk; gives those that were not known before, in their order.
   * @param afford asked for each that is new: false leaves it out
   */
  add<T extends NewAlert>(alerts: readonly T[], afford?: (alert: T) => boolean): Promise<T[]>;
  /** Alerts behind a number, in order; of one member where `member` says so. */
  after(seq: number, limit: number, member?: string): Promise<KeptAlert[]>;
  peer(id: string): Promise<PeerState>;
  keepPeer(state: PeerState): Promise<void>;
  roster(): Promise<string | null>;
  keepRoster(statement: string): Promise<void>;
  sweep(): Promise<number>;
}

/**
 * Opens the ledger. Numbers follow the clock, so that they go on rising where a restart finds nothing left; alerts are
 * written one after the other, so that nobody reads past a number that is still on its way.
 */
export async function openLedger(store: Store, clock: Clock): Promise<Ledger> {
  const alerts = await store.collection<KeptAlert>({
    name: "mesh_alerts",
    indexes: [
      { fields: { seq: 1 }, unique: true },
      { fields: { member: 1, seq: 1 } },
      { fields: { forgetAt: 1 } },
    ],
  });
  const peers = await store.collection<PeerState>({ name: "mesh_peers", indexes: [] });
  const facts = await store.collection<Fact>({ name: "mesh_facts", indexes: [] });
  const inTurn = createInTurn();

  const fact = async (id: string) => (await facts.findOne({ _id: { $eq: id } }))?.value ?? null;
  const keepFact = (id: string, value: string) =>
    facts.updateOne({ _id: { $eq: id } }, { $set: { value } }, { upsert: true });
  let log = await fact("log");
  if (log === null) {
    log = toHex(randomBytes(16));
    await keepFact("log", log);
  }
  let last = (await alerts.find({}, { sort: { seq: -1 }, limit: 1 }))[0]?.seq ?? 0;
  const keyOf = (member: string, id: string) => `${member} ${id}`;

  return {
    log,
    add: (given, afford = () => true) =>
      inTurn(async () => {
        if (given.length === 0) {
          return [];
        }
        const now = clock.now();
        const keys = given.map(({ member, id }) => keyOf(member, id));
        const seen = new Set((await alerts.find({ _id: { $in: keys } })).map(({ _id }) => _id));
        const fresh = given.filter((alert, i) => {
          const key = keys[i] as string;
          const isNew = !seen.has(key);
          seen.add(key);
          return isNew && afford(alert);
        });
        let seq = Math.max(last, now * 1000 - 1);
        // An alert dated ahead lives longer than it is known: nobody shall tell it a second time then.
        const forgetAt = now + ALERT_LIVES_MS + SKEW_MS;
        const documents = fresh.map(({ member, id, statement }) => {
          seq++;
          return { _id: keyOf(member, id), seq, member, statement, forgetAt };
        });
        if (documents.length > 0) {
          // Also where it fails in the middle: a number is never given twice.
          last = seq;
          await alerts.insertMany(documents);
        }
        return fresh;
      }),
    after: (seq, limit, member) =>
      alerts.find(
        { seq: { $gt: seq }, ...(member === undefined ? {} : { member: { $eq: member } }) },
        { sort: { seq: 1 }, limit },
      ),
    async peer(id) {
      return (await peers.findOne({ _id: { $eq: id } })) ?? { _id: id, pushed: 0, log: "", pulled: 0 };
    },
    async keepPeer({ _id, ...state }) {
      await peers.updateOne({ _id: { $eq: _id } }, { $set: state }, { upsert: true });
    },
    roster: () => fact("roster"),
    async keepRoster(statement) {
      await keepFact("roster", statement);
    },
    sweep: () => alerts.deleteMany({ forgetAt: { $lte: clock.now() } }),
  };
}
