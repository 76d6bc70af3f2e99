import { type Clock, createInTurn, randomBytes, toHex } from "../../base/index.ts";
import { type Collection, isDuplicate, type Store } from "../../store/index.ts";
import type { Alert, Decision, Observation, Ruling, Subject } from "../engine/contract.ts";
import type { IdsEvent } from "../scenarios/event.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

export interface KeptAlert {
  readonly _id: string;
  readonly at: number;
  readonly kind: Subject["kind"];
  readonly local: string;
  readonly rule: string;
  readonly alert: Alert;
  readonly forgetAt: number;
}

/** An officer's word on a decision. */
export interface KeptRuling extends Omit<Ruling, "decision"> {
  readonly at: number;
}

export interface KeptDecision {
  readonly _id: string;
  readonly at: number;
  readonly until: number;
  /** When it ended before its time. */
  readonly endedAt: number | null;
  readonly kind: Subject["kind"];
  readonly local: string;
  readonly measure: Decision["measure"];
  readonly origin: Decision["origin"];
  readonly simulated: boolean;
  readonly decision: Decision;
  readonly ruling: KeptRuling | null;
  readonly forgetAt: number;
}

export interface KeptExemption {
  readonly _id: string;
  readonly at: number;
  readonly until: number;
  readonly kind: Subject["kind"];
  readonly local: string;
  readonly shared: string;
  readonly by: string;
  readonly reason: string;
  readonly forgetAt: number;
}

export interface KeptAppeal {
  readonly _id: string;
  readonly at: number;
  readonly decision: string;
  readonly text: string;
  readonly forgetAt: number;
}

interface KeptEvent {
  readonly _id: string;
  readonly at: number;
  readonly event: IdsEvent;
  readonly forgetAt: number;
}

/** Where alerts, decisions and notable events are kept. Each is one document; all of them are forgotten in the end. */
export interface IdsStore {
  readonly alerts: Collection<KeptAlert>;
  readonly decisions: Collection<KeptDecision>;
  readonly exemptions: Collection<KeptExemption>;
  readonly appeals: Collection<KeptAppeal>;
  readonly events: Collection<KeptEvent>;
  /** When to forget something of now. */
  forgetAt(kind: "alert" | "decision" | "event", from: number): number;
  /** Keeps what followed from an observation. Later words on one decision are written after earlier ones. */
  keep(followed: {
    alerts: readonly Alert[];
    decisions: readonly Decision[];
    ended: readonly string[];
  }): void;
  /** Keeps an event, with others in one write. */
  note(observation: Extract<Observation, { kind: "event" }>): void;
  /** Deletes what is due. */
  sweep(): Promise<number>;
  /** Fulfils when alerts and decisions so far are on disk, or were given up. */
  written(): Promise<void>;
  /** The same with events. */
  settled(): Promise<void>;
}

/** What the store takes: no getter, no `undefined`, no infinity. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}

export function newId(): string {
  return toHex(randomBytes(16));
}

/** A write that was tried again after it had come through is no fault. */
async function unlessThere(inserting: Promise<void>): Promise<void> {
  await inserting.catch((error) => {
    if (!isDuplicate(error)) {
      throw error;
    }
  });
}

/** Events that wait to be written, at most. More than that a service under flood does not keep. */
const MOST_WAITING = 5000;
const MOST_IN_ONE_WRITE = 500;
const WRITE_EVERY_MS = 1000;
const TRIES = 3;

/**
 * @param options `days`: how long alerts and decisions are kept; events a quarter of it. `onFault` is told of writes that
 *   failed; requests are not kept waiting by them.
 */
export async function createIdsStore(options: {
  readonly store: Store;
  readonly clock: Clock;
  readonly days: number;
  readonly onFault: (what: string, error: unknown) => void;
}): Promise<IdsStore> {
  const { store, clock, days, onFault } = options;
  const bySubject = [
    { fields: { at: -1 } },
    { fields: { local: 1, at: -1 } },
    { fields: { forgetAt: 1 } },
  ] as const;
  const alerts = await store.collection<KeptAlert>({
    name: "ids_alerts",
    indexes: [...bySubject, { fields: { rule: 1, at: -1 } }],
  });
  const decisions = await store.collection<KeptDecision>({
    name: "ids_decisions",
    indexes: [...bySubject, { fields: { until: 1 } }],
  });
  const exemptions = await store.collection<KeptExemption>({
    name: "ids_exemptions",
    indexes: [{ fields: { until: 1 } }, { fields: { forgetAt: 1 } }],
  });
  const appeals = await store.collection<KeptAppeal>({
    name: "ids_appeals",
    indexes: [{ fields: { at: -1 } }, { fields: { decision: 1, at: -1 } }, { fields: { forgetAt: 1 } }],
  });
  const events = await store.collection<KeptEvent>({
    name: "ids_events",
    indexes: [{ fields: { at: -1 } }, { fields: { forgetAt: 1 } }],
  });
  const inTurn = createInTurn();
  let waiting: KeptEvent[] = [];
  let timer: NodeJS.Timeout | undefined;
  let dropped = 0;

  const lifetime = { alert: days * DAY_MS, decision: days * DAY_MS, event: (days * DAY_MS) / 4 };
  const forgetAt: IdsStore["forgetAt"] = (kind, from) => Math.round(from + lifetime[kind]);

  const write = (what: string, work: () => Promise<unknown>): Promise<void> =>
    inTurn(async () => {
      for (let tried = 1; ; tried++) {
        try {
          await work();
          return;
        } catch (error) {
          if (tried >= TRIES) {
            onFault(what, error);
            return;
          }
        }
      }
    });

  const writeEvents = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const due = waiting;
    waiting = [];
    if (dropped > 0) {
      onFault("events", new Error(`${dropped} events were too many to keep`));
      dropped = 0;
    }
    return (async () => {
      for (let i = 0; i < due.length; i += MOST_IN_ONE_WRITE) {
        const page = due.slice(i, i + MOST_IN_ONE_WRITE);
        await inTurn(() => events.insertMany(page)).catch((error) => onFault("events", error));
      }
    })();
  };

  const written = () => inTurn(async () => {});

  return {
    alerts,
    decisions,
    exemptions,
    appeals,
    events,
    forgetAt,
    keep(followed) {
      // Inserted whole: a server that makes an upsert of two steps shows the document between them.
      for (const alert of followed.alerts) {
        const { id: _id, at, subject, rule } = alert;
        const { kind, local } = subject;
        const document = { _id, at, kind, local, rule, alert: plain(alert), forgetAt: forgetAt("alert", at) };
        void write("alert", () => unlessThere(alerts.insertOne(document)));
      }
      for (const decision of followed.decisions) {
        const { id: _id, at, until, subject, measure, origin, simulated } = decision;
        const { kind, local } = subject;
        const document = {
          ...{ _id, at, until, endedAt: null, kind, local, measure, origin, simulated },
          ...{ decision: plain(decision), ruling: null, forgetAt: forgetAt("decision", until) },
        };
        void write("decision", () => unlessThere(decisions.insertOne(document)));
      }
      for (const id of followed.ended) {
        const endedAt = clock.now();
        void write("decision", () =>
          decisions.updateOne({ _id: { $eq: id }, endedAt: { $eq: null } }, { $set: { endedAt } }),
        );
      }
    },
    note({ at, event }) {
      if (waiting.length >= MOST_WAITING) {
        dropped++;
        return;
      }
      waiting.push({ _id: newId(), at, event, forgetAt: forgetAt("event", at) });
      if (timer === undefined) {
        timer = setTimeout(() => void writeEvents(), WRITE_EVERY_MS);
        timer.unref();
      }
    },
    async sweep() {
      const due = { forgetAt: { $lt: clock.now() } };
      let deleted = 0;
      for (const collection of [alerts, decisions, exemptions, appeals, events] as const) {
        deleted += await (collection as Collection<{ _id: string; forgetAt: number }>).deleteMany(due);
      }
      return deleted;
    },
    written,
    async settled() {
      await writeEvents();
      await written();
    },
  };
}
