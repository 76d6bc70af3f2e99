import type { IdsEvent } from "../../../host/ids/index.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 0, 5, 8);

type Rest = Omit<IdsEvent, "at" | "source"> & { source?: string };

/** The same kind of event again and again, `everyMs` apart. */
function every(everyMs: number, count: number, make: (i: number) => Rest): IdsEvent[] {
  return Array.from({ length: count }, (_, i) => ({ at: START + i * everyMs, source: "here", ...make(i) }));
}

/** For each scenario a log that must fire it and one, as near to it as honest life comes, that must not. */
export const LOGS: Readonly<Record<string, { fires: IdsEvent[]; quiet: IdsEvent[] }>> = {
  "password-guessing": {
    fires: every(1000, 12, () => ({ kind: "login-failed", account: "a" })),
    // Somebody who forgot the password, twice in a day.
    quiet: every(20_000, 5, () => ({ kind: "login-failed", account: "a" })).concat(
      every(20_000, 5, () => ({ kind: "login-failed", account: "a" })).map((event) => ({
        ...event,
        at: event.at + 6 * HOUR,
      })),
    ),
  },
  "password-guessing-slow": {
    fires: every(2 * MINUTE, 25, (i) => ({ kind: "login-failed", account: "a", source: `place-${i}` })),
    quiet: every(15 * MINUTE, 25, () => ({ kind: "login-failed", account: "a" })),
  },
  "account-enumeration": {
    fires: every(5000, 8, (i) => ({ kind: "login-failed", account: `a${i}` })),
    // A ward's shared address: many people, now and then a wrong password.
    quiet: every(10 * MINUTE, 12, (i) => ({ kind: "login-failed", account: `a${i}` })),
  },
  "patient-enumeration": {
    fires: every(1000, 15, (i) => ({ kind: "lookup-missed", target: `t${i}` })),
    quiet: every(1000, 60, () => ({ kind: "lookup-missed", target: "t" })),
  },
  "ticket-replay": {
    fires: every(1000, 4, (i) => ({ kind: "ticket-replayed", target: `k${i}` })),
    // A client resends once after a broken connection.
    quiet: every(20 * MINUTE, 5, (i) => ({ kind: "ticket-replayed", target: `k${i}` })),
  },
  "device-clone": {
    fires: every(10_000, 6, (i) => ({
      kind: "upload",
      device: "d",
      site: i % 2 === 0 ? "east" : "west",
      amount: 240,
    })),
    // A patient goes from one cloudlet to the next, and back in the evening.
    quiet: every(MINUTE, 60, (i) => ({
      kind: "upload",
      device: "d",
      site: i < 30 ? "east" : "west",
      amount: 240,
    })).map((event, i) => (i < 30 ? event : { ...event, at: event.at + 10 * MINUTE })),
  },
  "sequence-rollback": {
    fires: every(5000, 4, () => ({ kind: "sequence-refused", device: "d" })),
    quiet: every(HOUR, 5, () => ({ kind: "sequence-refused", device: "d" })),
  },
  "impossible-vitals-rate": {
    fires: every(1000, 120, () => ({ kind: "upload", device: "d", site: "s", amount: 100_000 })),
    // A day's backlog of 86,400 readings at once after a day without a cloudlet.
    quiet: every(1000, 24, () => ({ kind: "upload", device: "d", site: "s", amount: 3600 * 4 })),
  },
  "consent-probing": {
    fires: every(MINUTE, 8, (i) => ({ kind: "consent-refused", account: "dr", target: `p${i}` })),
    // A consent that ran out, tried again and again.
    quiet: every(MINUTE, 30, (i) => ({ kind: "consent-refused", account: "dr", target: `p${i % 2}` })),
  },
  "bulk-read": {
    fires: every(2000, 60, (i) => ({ kind: "record-read", account: "dr", target: `p${i}` })),
    // A ward round: forty patients in two hours, each looked at five times.
    quiet: every(36_000, 200, (i) => ({
      kind: "record-read",
      account: "dr",
      target: `p${Math.floor(i / 5)}`,
    })),
  },
  "emergency-abuse": {
    fires: every(10 * MINUTE, 6, (i) => ({ kind: "emergency-opened", account: "dr", target: `p${i}` })),
    // A hard night in the emergency room: three patients, each opened several times.
    quiet: every(HOUR, 9, (i) => ({ kind: "emergency-opened", account: "dr", target: `p${i % 3}` })),
  },
  flooding: {
    fires: every(5, 1500, () => ({ kind: "request", route: "/v1/batches", status: 202 })),
    // Twenty wearables behind one address, a batch a minute each, and their resends after an outage.
    quiet: every(60, 500, () => ({ kind: "upload", device: "d", site: "s", amount: 1 })),
  },
  scanner: {
    fires: every(500, 20, (i) => ({ kind: "request", route: `/admin${i}.php`, status: 404 })),
    quiet: every(500, 60, () => ({ kind: "request", route: "/favicon.ico", status: 404 })),
  },
  "attacks-from-one-place": {
    fires: every(2000, 4, () => ({ kind: "attack-found" })),
    quiet: every(HOUR, 4, () => ({ kind: "attack-found" })),
  },
};
