import { describe, expect, it } from "vitest";
import { type AuditEntry, type AuditEvent, chainEntry, chainStart } from "../../../host/audit/chain.ts";
import { checkOwnEntries } from "../../../host/audit/own-entries.ts";

const LOG = "a".repeat(32);
const ME = "1".repeat(32);
const DOCTOR = "2".repeat(32);
const STRANGER = "3".repeat(32);

function event(actor: string, owner: string | null, action = "ticket.read"): AuditEvent {
  return {
    ...{ action, actor, actorRole: "doctor", owner, object: null, outcome: "success" },
    ...{ code: null, requestId: null, details: {} },
  };
}

/** A log of ten entries, of which those about me are what the KDC shows. */
function logOf(events: readonly AuditEvent[]): AuditEntry[] {
  const entries: AuditEntry[] = [];
  let end = chainStart(LOG);
  for (const [i, one] of events.entries()) {
    const entry = chainEntry(end, one, 1000 + i);
    entries.push(entry);
    end = entry;
  }
  return entries;
}

const all = logOf([
  event(ME, ME, "consent.give"),
  event(DOCTOR, ME),
  event(DOCTOR, STRANGER),
  event(DOCTOR, ME),
  event(DOCTOR, ME),
]);
const mine = all.filter(({ owner }) => owner === ME);
const last = all.at(-1) as AuditEntry;
const head = { sequence: last.sequence, hash: last.hash };
const check = (entries: readonly unknown[], seen: Parameters<typeof checkOwnEntries>[1]["seen"] = null) =>
  checkOwnEntries(entries, { me: ME, head, seen });
const kinds = (report: ReturnType<typeof check>) => report.faults.map(({ kind }) => kind);

describe("one's own entries of a log", () => {
  it("hold, with their neighbours and the signed end", () => {
    const report = check(mine);
    expect(report.faults).toEqual([]);
    expect(report.entries).toHaveLength(4);
    // 1 and 2, 4 and 5, and 5 with the head.
    expect(report.links).toBe(3);
    expect(report.seen).toMatchObject({ upTo: 5, count: 4 });
  });

  it("hold when nothing was logged yet", () => {
    expect(check([]).faults).toEqual([]);
  });

  it("are refused when one was edited, its hash left as it was", () => {
    const edited = mine.map((entry) => (entry.sequence === 4 ? { ...entry, actor: STRANGER } : entry));
    const report = check(edited);
    expect(report.faults).toEqual([{ kind: "edited", sequence: 4 }]);
    expect(report.seen).toBeNull();
  });

  it("are refused when one was edited and its hash made anew, by its neighbour", () => {
    const before = all[0] as AuditEntry;
    const other = chainEntry(before, event(STRANGER, ME), 1001);
    const rewritten = mine.map((entry) =>
      entry.sequence === 4 ? { ...chainEntry(other, event(DOCTOR, ME), 1), sequence: 4 } : entry,
    );
    expect(kinds(check(rewritten))).toContain("edited");
    // The last one, made anew in every way, is not what the head was signed for.
    const forged = chainEntry(all[3] as AuditEntry, event(STRANGER, ME), 1004);
    expect(check([...mine.slice(0, 3), forged]).faults).toEqual([{ kind: "chain", sequence: 5 }]);
  });

  it("are refused with something that is no entry, another's, out of order, twice, or behind the end", () => {
    expect(kinds(check([...mine, { sequence: 6 }]))).toEqual(["malformed"]);
    expect(kinds(check(all))).toEqual(["foreign"]);
    expect(kinds(check([mine[1], mine[0], ...mine.slice(2)]))).toContain("order");
    expect(kinds(check([mine[0], mine[0], ...mine.slice(1)]))).toContain("order");
    const behind = chainEntry(last, event(DOCTOR, ME), 2000);
    expect(kinds(check([...mine, behind]))).toEqual(["beyond"]);
  });

  it("are refused when one that was seen before is gone or another, and not when there are more", () => {
    const seen = check(mine.slice(0, 3)).seen;
    expect(check(mine, seen).faults).toEqual([]);
    const without = mine.filter(({ sequence }) => sequence !== 2);
    expect(kinds(check(without, seen))).toEqual(["gone"]);
    // What this machine knows is not forgotten over a fault.
    expect(check(without, seen).seen).toEqual(seen);
    // Never seen, and left out from the start: this cannot be found here.
    expect(check(without).faults).toEqual([]);
  });
});
