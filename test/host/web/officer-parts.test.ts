import { describe, expect, it } from "vitest";
import { type AuditEntry, entryHash } from "../../../host/audit/index.ts";
import type { IdsAlert, IdsMember } from "../../../host/client/index.ts";
import { overdueBy } from "../../../host/web/officer/duties.ts";
import { nearestTo, placesOf } from "../../../host/web/officer/roc-places.ts";
import { sumOf, together } from "../../../host/web/officer/traffic-of.ts";
import { turnText } from "../../../host/web/officer/turn-text.ts";
import { createEntryChecks, csvOf, searchEntries } from "../../../host/web/worker/officer/audit-checks.ts";
import { countMinutes, createTold, groupAlerts } from "../../../host/web/worker/officer/desk-of.ts";
import { networkOf } from "../../../host/web/worker/officer/network.ts";

const NOW = 1_800_000_000_000;
const MINUTE_MS = 60_000;

function alertOf(id: string, at: number, changes: Partial<IdsAlert> = {}): IdsAlert {
  return {
    ...{ id, at, rule: "sql-union", about: "A request looks like an attack.", score: 0.8, count: 2 },
    ...{ from: at - 10, to: at, evidence: [], subject: { kind: "source", local: "aaaa" } },
    ...changes,
  };
}

/** A chain of so many entries. */
function chainOf(length: number): AuditEntry[] {
  const entries: AuditEntry[] = [];
  for (let sequence = 1; sequence <= length; sequence++) {
    const entry = {
      ...{ action: "session.open", actor: "a".repeat(32), actorRole: "doctor", owner: null, object: null },
      ...{ outcome: "success" as const, code: null, requestId: null, details: {} },
      ...{ sequence, at: NOW + sequence, previous: entries.at(-1)?.hash ?? "0".repeat(64) },
    };
    entries.push({ ...entry, hash: entryHash(entry) });
  }
  return entries;
}

function findingsIn(entries: readonly unknown[]) {
  const checks = createEntryChecks();
  for (const entry of entries) {
    checks.take(entry);
  }
  return checks.findings.map(({ place, kind }) => `${place} ${kind}`);
}

describe("what the officer's desk makes of alerts", () => {
  it("groups those of one suspect at one service, and keeps kinds and services apart", () => {
    const groups = groupAlerts("kdc", [
      alertOf("4", NOW, { score: 0.5, rule: "xss-dom" }),
      alertOf("3", NOW - 1, { subject: { kind: "account", local: "aaaa" } }),
      alertOf("2", NOW - 2),
      alertOf("1", NOW - 3, { score: 0.95 }),
    ]);
    expect(groups.map(({ kind, alerts, events, score }) => [kind, alerts, events, score])).toEqual([
      ["source", 3, 6, 0.95],
      ["account", 1, 2, 0.8],
    ]);
    expect(groups[0]?.rules).toEqual(["xss-dom", "sql-union"]);
    expect(
      new Set([...groups, ...groupAlerts("cloud", [alertOf("5", NOW)])].map(({ key }) => key)).size,
    ).toBe(3);
  });

  it("counts by the minute, the newest last; what a clock ahead of ours says counts as now", () => {
    const minutes = countMinutes(
      [
        alertOf("1", NOW),
        alertOf("2", NOW - 59 * MINUTE_MS),
        alertOf("3", NOW - 61 * MINUTE_MS),
        alertOf("4", NOW + 9),
      ],
      [],
      NOW,
    );
    expect(minutes).toHaveLength(60);
    expect(minutes.at(-1)).toEqual({ alerts: 2, events: 4, decisions: 0 });
    expect(minutes[0]?.alerts).toBe(1);
    expect(minutes.reduce((sum, { alerts }) => sum + alerts, 0)).toBe(3);
  });

  it("forgets the oldest when somebody floods it", () => {
    const told = createTold();
    told.take({
      alerts: Array.from({ length: 1500 }, (_, i) => alertOf(String(i), NOW + i)),
      ...{ decisions: [], appeals: [], exemptions: [] },
    });
    expect(told.alerts()).toHaveLength(1000);
    expect(told.alerts()[0]?.id).toBe("1499");
    told.hear({ event: "alert", alert: alertOf("new", NOW + 9999) }, NOW);
    expect(told.alerts()[0]?.id).toBe("new");
    expect(told.alerts()).toHaveLength(1000);
  });
});

describe("what the officer's desk makes of the mesh", () => {
  const memberOf = (id: string, port: number, changes: Partial<IdsMember> = {}): IdsMember => ({
    member: { id, operator: `clinic-${id}`, url: `http://127.0.0.1:${port}/`, signingKey: "k".repeat(43) },
    ...{ detection: 0.9, falseAlarm: 0.02, trust: 0.8, expectation: 0.85, outcomes: 12 },
    ...{ lastHeard: NOW - MINUTE_MS, alerts: 3, contact: null },
    ...changes,
  });
  const post = (id: string, port: number) => ({ id, url: `http://127.0.0.1:${port}`, ids: null as never });
  const members = [
    memberOf("east", 1, { lastHeard: null }),
    memberOf("west", 2),
    memberOf("far", 9, { lastHeard: NOW - 2 * 60 * MINUTE_MS, alerts: 0 }),
  ];

  it("knows its own services among the members, who is heard and who is silent", () => {
    const network = networkOf(
      [
        { post: post("kdc", 1), members, trouble: null },
        { post: post("cloud", 2), members: null, trouble: "No answer." },
        { post: post("cloudlet", 3), members: [], trouble: null },
      ],
      NOW,
    );
    expect(network.meshOff).toBe(false);
    expect(network.nodes.map(({ id, service, state }) => [id, service, state])).toEqual([
      ["cloudlet", "cloudlet", "here"],
      ["east", "kdc", "here"],
      ["far", null, "silent"],
      ["west", "cloud", "away"],
    ]);
    expect(network.edges.map(({ between }) => between.join(" "))).toEqual(["east west", "east far"]);
    expect(network.nodes.find(({ id }) => id === "west")).toMatchObject({ alerts: 3, trouble: "No answer." });
    expect(network.nodes.find(({ id }) => id === "far")?.measured).toMatchObject([
      { by: "kdc", detection: 0.9, falseAlarm: 0.02, outcomes: 12 },
    ]);
  });

  it("says that there is none where no service has one", () => {
    const network = networkOf([{ post: post("kdc", 1), members: [], trouble: null }], NOW);
    expect(network).toMatchObject({ meshOff: true, edges: [], nodes: [{ id: "kdc", state: "here" }] });
  });
});

describe("what the officer's desk makes of a detector's measure of itself", () => {
  const share = (value: number) => ({ value, low: value, high: value });
  const place = (belief: number, falseAlarm: number, detection: number) => ({
    ...{ belief, falseAlarm: share(falseAlarm), detection: share(detection) },
  });
  const test = {
    ...{ auc: 0.9, operatingPoint: place(0.5, 0.1, 0.7) },
    points: [place(0.9, 0, 0.6), place(0.52, 0.1, 0.7), place(0.2, 0.4, 0.9), place(0, 1, 1)],
    benign: { requests: 10, since: NOW },
    attacks: { version: 1, of: 10, judged: 10, carriers: 1, at: NOW, kinds: [] },
  };

  it("puts the operating point where it belongs among the places", () => {
    const { places, marked } = placesOf(test);
    expect(places.map(({ belief }) => belief)).toEqual([0.9, 0.52, 0.5, 0.2, 0]);
    expect(marked).toBe(2);
    expect(placesOf({ ...test, points: [place(0.5, 0.1, 0.7)] })).toMatchObject({ marked: 0, places: [{}] });
  });

  it("finds the place that somebody points at", () => {
    const { places } = placesOf(test);
    expect(nearestTo(places, 0.02, 0.55)).toBe(0);
    expect(nearestTo(places, 5, 5)).toBe(4);
    expect(nearestTo(places, 0.4, 0.8)).toBe(3);
  });
});

describe("what the officer's desk makes of requests by the minute", () => {
  const traffic = (counts: [number, number, number, number][], since: number | null = NOW) => {
    const spans = { stepMs: MINUTE_MS, newestAt: NOW, counts };
    return { service: "kdc", traffic: { since, at: NOW, hour: spans, day: spans } };
  };

  it("adds services up from the newest minute backwards, and hides none that did not say", () => {
    const all = [
      traffic([
        [1, 0, 0, 0],
        [2, 1, 0, 0],
      ]),
      traffic([[5, 0, 3, 4]]),
      { service: "cloud", traffic: null },
    ];
    expect(together(all, "hour")).toEqual([
      [1, 0, 0, 0],
      [7, 1, 3, 4],
    ]);
    expect(all.map((one) => sumOf(one, "hour"))).toEqual([[3, 1, 0, 0], [5, 0, 3, 4], null]);
    expect(sumOf(traffic([[0, 0, 0, 0]], null), "day")).toBeNull();
    expect(together([], "hour")).toEqual([]);
  });
});

describe("what is due with ticket keys", () => {
  it("is nothing while the KDC is a little late only, and a new key after that", () => {
    expect(overdueBy({ nextAt: NOW + 1 }, NOW)).toBeNull();
    expect(overdueBy({ nextAt: NOW - 119 * MINUTE_MS }, NOW)).toBeNull();
    expect(overdueBy({ nextAt: NOW - 121 * MINUTE_MS }, NOW)).toBe(121 * MINUTE_MS);
  });

  it("reads in words who turned a key, and who was refused it", () => {
    const [entry] = chainOf(1) as [AuditEntry];
    const words = (changes: Partial<AuditEntry>) =>
      turnText({ ...entry, action: "ticket-keys.rotate", ...changes });
    expect(words({ action: "ticket-keys.turn", actor: null, actorRole: "service" })).toBe(
      "by the KDC itself, as it was time",
    );
    expect(words({ actorRole: "operator", details: { earlierKeys: "kept" } })).toMatch(
      /^ordered by operator a+…$/,
    );
    expect(words({ actorRole: "operator", details: { earlierKeys: "revoked" } })).toContain(
      "earlier keys revoked",
    );
    expect(words({ outcome: "refused", code: "NOT_PERMITTED", actorRole: "patient" })).toMatch(
      /^refused to patient a+…: NOT_PERMITTED$/,
    );
  });
});

describe("the officer's look at each entry of the log", () => {
  const whole = chainOf(6);
  const at = (i: number) => whole[i] as AuditEntry;

  it("finds nothing in a whole log", () => {
    expect(findingsIn(whole)).toEqual([]);
  });

  it("names every entry that was changed, not the first alone", () => {
    const changed = whole.map((entry, i) => (i === 1 || i === 4 ? { ...entry, action: "login" } : entry));
    expect(findingsIn(changed)).toEqual(["2 edited", "5 edited"]);
    const rehashed = { ...at(2), action: "login", hash: "" };
    rehashed.hash = entryHash(rehashed);
    expect(findingsIn(whole.map((entry, i) => (i === 2 ? rehashed : entry)))).toEqual(["4 link"]);
    expect(findingsIn([at(0), at(1), at(3)])).toEqual(["3 order"]);
    expect(findingsIn([at(0), { at: "<script>" }, at(2)])).toEqual(["2 malformed"]);
  });

  it("searches only what fits its hash, and by all that is asked for", () => {
    const checks = createEntryChecks();
    for (const entry of whole.map((entry, i) => (i === 1 ? { ...entry, action: "login" } : entry))) {
      checks.take(entry);
    }
    expect(searchEntries(checks.fitting, {}).map(({ sequence }) => sequence)).toEqual([6, 5, 4, 3, 1]);
    expect(searchEntries(checks.fitting, { account: "aaaaaa", from: NOW + 4, to: NOW + 5 })).toHaveLength(2);
    expect(searchEntries(checks.fitting, { account: "b" })).toEqual([]);
    expect(searchEntries(checks.fitting, { refusedOnly: true })).toEqual([]);
    expect(searchEntries(checks.fitting, { action: "login" })).toEqual([]);
  });

  it("writes CSV in which no cell is a formula and no detail ends a row", () => {
    const entry = { ...at(0), details: { reason: '=cmd|"/c calc"!A1\r\nnext' } };
    const lines = csvOf([entry, { ...entry, action: "=1+1" }]).split("\r\n");
    expect(lines).toHaveLength(4);
    expect(lines[1]).toContain('"{""reason"":""=cmd|');
    expect(lines[2]).toContain(",'=1+1,");
  });
});
