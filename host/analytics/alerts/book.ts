import { z } from "zod";
import { type Bytes, type Clock, MedcloudletError } from "../../base/index.ts";
import type { Collection, Store } from "../../store/index.ts";
import { ALERT_EVENT, type Alert, type AlertEvent, type AlertLevel, replayAlert } from "./events.ts";
import { ALERT_POLICY, type AlertCommand, type AlertPolicy, advance } from "./life.ts";

/** What an alert is about. */
export interface AlertSubject {
  /** Id of the stream whose readings it comes from. */
  readonly streamId: string;
  /** What was looked for: one open alert at most for each stream and kind. */
  readonly kind: string;
  /** What the reader calls the patient. */
  readonly patient: string;
}

/** An alert with its history. */
export interface KeptAlert {
  readonly id: string;
  readonly subject: AlertSubject;
  readonly alert: Alert;
  readonly events: readonly AlertEvent[];
}

/** How the book locks what it keeps. An alert says how ill somebody is: nothing of it lies in the clear. */
export interface AlertLock {
  lock(text: string): Promise<Bytes>;
  /** Null when it was locked otherwise or changed. */
  unlock(locked: Bytes): Promise<string | null>;
  /** A keyed name: the same for the same text, and telling nothing of it. */
  nameOf(text: string): string;
}

/** A person's alerts. */
export interface AlertBook {
  /**
   * Takes in what the readings of a stream show: raises an alert, or changes the open one.
   * @returns the alert as it then stands and the events that were added; null where there is nothing to tell
   */
  observe(
    subject: AlertSubject,
    finding: { readonly level: AlertLevel | null; readonly reason: string },
  ): Promise<{ readonly kept: KeptAlert; readonly added: readonly AlertEvent[] } | null>;
  /** All alerts as they stand now, the gravest open ones first; whatever fell due is written down before. */
  list(): Promise<KeptAlert[]>;
  /**
   * Does what a person wants of an alert. `id` may be its beginning.
   * @throws MedcloudletError `ALERT_NOT_FOUND` (404), `ALERT_AMBIGUOUS` (409), and what `decideAlert` refuses with
   */
  apply(id: string, wish: AlertWish): Promise<KeptAlert>;
}

/** What a person wants of an alert. */
export type AlertWish =
  | { readonly type: "acknowledge"; readonly by: string }
  | { readonly type: "snooze"; readonly by: string; readonly forMs: number }
  | { readonly type: "resolve"; readonly by: string; readonly reason: string };

interface AlertDocument {
  readonly _id: string;
  /** Every change must match it: of two at once one begins again. */
  readonly version: number;
  readonly sealed: Bytes;
}

const CONTENT = z.strictObject({
  id: z.string(),
  version: z.int(),
  subject: z.strictObject({ streamId: z.string(), kind: z.string(), patient: z.string() }),
  events: z.array(ALERT_EVENT).min(1),
});
type Content = z.infer<typeof CONTENT>;

const MOST_ATTEMPTS = 20;
const LEVEL_ORDER: Readonly<Record<AlertLevel, number>> = { emergency: 0, urgent: 1, attention: 2 };

/**
 * The alerts of one reader, kept on the reader's own machine, one document an alert.
 *
 * Why there: an alert is drawn from opened readings, so it is as secret as they are, and who acknowledges what at three
 * in the morning is nobody's business in the cloud. Signed statements at the KDC would be shared between a team's
 * machines, but would tell the KDC who is how ill when. The price: alerts are of one reader, not of a team.
 *
 * The id of an alert is a keyed name of its stream, kind and number, so that two programs that find the same thing at
 * once make one alert, without a transaction.
 */
export async function createAlertBook({
  store,
  clock,
  lock,
  policy = ALERT_POLICY,
}: {
  readonly store: Store;
  readonly clock: Clock;
  readonly lock: AlertLock;
  readonly policy?: AlertPolicy;
}): Promise<AlertBook> {
  const alerts: Collection<AlertDocument> = await store.collection<AlertDocument>({
    name: "alerts",
    indexes: [],
  });
  /** Number of the last alert of a stream and kind, as far as it is known: where to begin looking. */
  const numbers = new Map<string, number>();

  const seal = async (content: Content): Promise<AlertDocument> => ({
    _id: content.id,
    version: content.version,
    sealed: await lock.lock(JSON.stringify(content)),
  });

  const open = async (document: AlertDocument): Promise<Content> => {
    const text = await lock.unlock(document.sealed);
    const content = text === null ? undefined : CONTENT.safeParse(JSON.parse(text)).data;
    if (content === undefined || content.id !== document._id || content.version !== document.version) {
      throw new MedcloudletError(
        "ALERT_DAMAGED",
        `Alert ${document._id} was changed or is not of these keys: remove the folder of the alerts to begin anew.`,
        { status: 422 },
      );
    }
    return content;
  };

  const kept = ({ id, subject, events }: Content): KeptAlert => ({
    id,
    subject,
    events,
    alert: replayAlert(events) as Alert,
  });

  /** Lets one thing happen to an alert; what fell due before it is kept even when the thing itself is refused. */
  const change = async (
    id: string,
    command: AlertCommand,
  ): Promise<{ kept: KeptAlert; added: AlertEvent[] }> => {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      const document = await alerts.findOne({ _id: { $eq: id } });
      if (document === null) {
        break;
      }
      const content = await open(document);
      const due = advance(content.events, { type: "tick", at: command.at }, policy);
      let refusal: unknown;
      let { events } = due;
      try {
        ({ events } = advance(events, command, policy));
      } catch (error) {
        refusal = error;
      }
      const next: Content = { ...content, version: content.version + 1, events: [...events] };
      if (events.length > content.events.length && !(await replace(document, next))) {
        continue;
      }
      if (refusal !== undefined) {
        throw refusal;
      }
      return { kept: kept(next), added: events.slice(content.events.length) };
    }
    throw new MedcloudletError("ALERT_BUSY", "The alert was changed by others all the time: try again.", {
      status: 503,
    });
  };

  const replace = async ({ _id, version }: AlertDocument, next: Content): Promise<boolean> => {
    const { sealed } = await seal(next);
    const { matched } = await alerts.updateOne(
      { _id: { $eq: _id }, version: { $eq: version } },
      { $set: { version: next.version, sealed } },
    );
    return matched === 1;
  };

  return {
    async observe(subject, { level, reason }) {
      const key = JSON.stringify([subject.streamId, subject.kind]);
      const command: AlertCommand = { type: "observe", at: clock.now(), level, reason };
      for (let number = numbers.get(key) ?? 1; ; number++) {
        const id = lock.nameOf(JSON.stringify([subject.streamId, subject.kind, number]));
        if ((await alerts.countDocuments({ _id: { $eq: id } })) === 0) {
          const events = [...advance([], command, policy).events];
          if (events.length === 0) {
            return null;
          }
          const content: Content = { id, version: 1, subject, events };
          if (await insert(alerts, await seal(content))) {
            return { kept: kept(content), added: events };
          }
        }
        const changed = await change(id, command);
        numbers.set(key, number);
        const { status } = changed.kept.alert;
        // A resolution that fell due with this very command is still to be told.
        if (status !== "resolved" || (changed.added.length > 0 && level === null)) {
          return changed.added.length === 0 ? null : changed;
        }
      }
    },
    async list() {
      const documents = await alerts.find({});
      const now: AlertCommand = { type: "tick", at: clock.now() };
      const all: KeptAlert[] = [];
      for (const { _id } of documents) {
        all.push((await change(_id, now)).kept);
      }
      return all.sort(
        (a, b) =>
          Number(a.alert.status === "resolved") - Number(b.alert.status === "resolved") ||
          LEVEL_ORDER[a.alert.level] - LEVEL_ORDER[b.alert.level] ||
          b.alert.changedAt - a.alert.changedAt,
      );
    },
    async apply(id, wish) {
      const ids = (await alerts.find({}, { projection: { _id: 1 } })).map(({ _id }) => _id);
      const [found, another] = ids.filter((one) => one.startsWith(id));
      if (found === undefined || id === "") {
        throw new MedcloudletError(
          "ALERT_NOT_FOUND",
          `There is no alert ${id}: list them with \`doctor alerts\`.`,
          { status: 404 },
        );
      }
      if (another !== undefined) {
        throw new MedcloudletError(
          "ALERT_AMBIGUOUS",
          `Several alerts begin with ${id}: give more of the id.`,
          { status: 409 },
        );
      }
      const at = clock.now();
      const command: AlertCommand =
        wish.type === "snooze"
          ? { type: "snooze", by: wish.by, at, until: at + wish.forMs }
          : { ...wish, at };
      return (await change(found, command)).kept;
    },
  };
}

/** False when somebody else was faster. */
async function insert(alerts: Collection<AlertDocument>, document: AlertDocument): Promise<boolean> {
  try {
    await alerts.insertOne(document);
    return true;
  } catch (error) {
    if (error instanceof MedcloudletError && error.code === "STORE_DUPLICATE") {
      return false;
    }
    throw error;
  }
}
