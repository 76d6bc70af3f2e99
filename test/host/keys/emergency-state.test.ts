import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isMedcloudletError } from "../../../host/base/index.ts";
import {
  type Approval,
  approvalsNeeded,
  approve,
  checkDuration,
  type EmergencyState,
  end,
  phaseOf,
  releasable,
  withdraw,
} from "../../../host/keys/emergency-state.ts";
import { codeOf } from "../sealing/fixtures.ts";

const MINUTE = 60_000;
const START = 1_000_000;
const TRUSTEES = ["t1", "t2", "t3", "t4"];
const REQUESTER = "doctor";

const pending = (changes: Partial<EmergencyState> = {}): EmergencyState => ({
  owner: "patient",
  requester: REQUESTER,
  trustees: TRUSTEES,
  needed: 2,
  requestedAt: START,
  until: START + 60 * MINUTE,
  approvals: {},
  openedAt: null,
  endedAt: null,
  ...changes,
});
const approvalAt = (now: number, minutes = 15): Approval => ({
  approvedAt: now,
  expiresAt: now + minutes * MINUTE,
});
const at = (minutes: number) => START + minutes * MINUTE;
const approvedBy = (state: EmergencyState, who: string, minutes: number) =>
  approve(state, who, approvalAt(at(minutes)), at(minutes));

interface Step {
  readonly kind: "approve" | "withdraw" | "end" | "wait";
  readonly who: string;
  /** Of the wait, or of the approval's life. */
  readonly minutes: number;
}

const stepsBy = (actors: readonly string[], kinds: readonly Step["kind"][]) =>
  fc.array(
    fc.record({
      kind: fc.constantFrom(...kinds),
      who: fc.constantFrom(...actors),
      minutes: fc.integer({ min: -2, max: 20 }),
    }),
    { maxLength: 40 },
  );

/** What an onlooker wrote down, who knows nothing of how the state is kept. */
interface Witness {
  now: number;
  /** Approvals that were taken and not taken back: who, and until when. */
  readonly standing: Map<string, number>;
  /** Most different people, without the requester, who ever stood together at one moment. */
  most: number;
  ended: boolean;
}

/** Runs steps; refused ones change nothing. */
function run(initial: EmergencyState, steps: readonly Step[]): { state: EmergencyState; witness: Witness } {
  let state = initial;
  const witness: Witness = { now: START, standing: new Map(), most: 0, ended: false };
  for (const { kind, who, minutes } of steps) {
    const { now } = witness;
    try {
      if (kind === "wait") {
        witness.now += Math.max(0, minutes) * MINUTE;
      } else if (kind === "approve") {
        const approval = approvalAt(now, minutes);
        state = approve(state, who, approval, now);
        witness.standing.set(who, approval.expiresAt);
      } else if (kind === "withdraw") {
        state = withdraw(state, who, now);
        witness.standing.delete(who);
      } else {
        state = end(state, now);
        witness.ended = true;
      }
    } catch (error) {
      expect(isMedcloudletError(error)).toBe(true);
    }
    const together = [...witness.standing].filter(
      ([approver, until]) =>
        until > witness.now && approver !== initial.requester && initial.trustees.includes(approver),
    );
    witness.most = Math.max(witness.most, together.length);
  }
  return { state, witness };
}

describe("an emergency", () => {
  it("is never opened by one trustee, however often and whoever else tries", () => {
    fc.assert(
      fc.property(
        stepsBy(["t1", REQUESTER, "stranger", "patient"], ["approve", "withdraw", "wait"]),
        (steps) => {
          const { state, witness } = run(pending(), steps);
          expect(state.openedAt).toBeNull();
          expect(["EMERGENCY_PENDING", "EMERGENCY_ENDED"]).toContain(
            codeOf(() => releasable(state, witness.now)),
          );
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("is never opened by its requester's own approval, though they are a trustee", () => {
    fc.assert(
      fc.property(stepsBy(["t1", REQUESTER], ["approve", "withdraw", "wait"]), (steps) => {
        const { state } = run(pending({ trustees: [...TRUSTEES, REQUESTER] }), steps);
        expect(state.openedAt).toBeNull();
      }),
      { numRuns: 2000 },
    );
  });

  it("opens exactly when enough trustees stand together, and is over when it is over", () => {
    let opened = 0;
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 4 }),
        stepsBy(
          [...TRUSTEES, REQUESTER, "stranger"],
          ["approve", "approve", "approve", "withdraw", "wait", "end"],
        ),
        (needed, steps) => {
          const { state, witness } = run(pending({ needed }), steps);
          expect(state.openedAt !== null).toBe(witness.most >= needed);
          opened += state.openedAt === null ? 0 : 1;
          const over = witness.ended || witness.now >= state.until;
          const released = codeOf(() => releasable(state, witness.now)) === "none";
          expect(released).toBe(state.openedAt !== null && !over);
          expect(phaseOf(state, state.until)).toBe("ended");
          expect(codeOf(() => releasable(state, state.until))).toBe("EMERGENCY_ENDED");
        },
      ),
      { numRuns: 3000 },
    );
    expect(opened).toBeGreaterThan(100);
  });

  it("takes no step once it is over", () => {
    fc.assert(
      fc.property(stepsBy(TRUSTEES, ["approve", "withdraw", "end"]), fc.boolean(), (steps, byTime) => {
        const open = approvedBy(approvedBy(pending(), "t1", 0), "t2", 1);
        const over = byTime ? { ...open, until: START } : end(open, at(2));
        expect(run(over, steps).state).toEqual(over);
      }),
    );
  });

  it("releases what stood when it opened and what came later, and nothing that had expired before", () => {
    let state = approve(pending({ until: at(60) }), "t1", approvalAt(at(0), 5), at(0));
    state = approvedBy(state, "t2", 6);
    expect(state.openedAt).toBeNull();
    state = approvedBy(state, "t3", 7);
    expect(state.openedAt).toBe(at(7));
    state = approvedBy(state, "t4", 30);
    expect(releasable(state, at(31)).map(([who]) => who)).toEqual(["t2", "t3", "t4"]);
  });

  it("says why it takes an approval or does not", () => {
    const once = approvedBy(pending(), "t1", 0);
    const twice = approvedBy(once, "t2", 1);
    const verdict = (state: EmergencyState, who: string, approval: Approval, now: number) =>
      codeOf(() => approve(state, who, approval, now));
    expect(verdict(pending(), REQUESTER, approvalAt(at(0)), at(0))).toBe("EMERGENCY_OWN_APPROVAL");
    expect(verdict(pending(), "stranger", approvalAt(at(0)), at(0))).toBe("EMERGENCY_NOT_TRUSTEE");
    expect(verdict(once, "t1", approvalAt(at(1)), at(1))).toBe("EMERGENCY_APPROVED_ALREADY");
    expect(verdict(once, "t2", approvalAt(at(0)), at(15))).toBe("APPROVAL_EXPIRED");
    expect(verdict(once, "t2", approvalAt(at(1), 16), at(1))).toBe("APPROVAL_LIFETIME");
    expect(verdict(once, "t2", approvalAt(at(60)), at(60))).toBe("EMERGENCY_ENDED");
    expect(verdict(end(once, at(1)), "t2", approvalAt(at(2)), at(2))).toBe("EMERGENCY_ENDED");
    // Once open an approval of before cannot be made anew; while pending an expired one can.
    expect(verdict(twice, "t1", approvalAt(at(20)), at(20))).toBe("EMERGENCY_APPROVED_ALREADY");
    expect(verdict(once, "t1", approvalAt(at(20)), at(20))).toBe("none");
  });

  it("lets an approver change their mind as long as nothing is open", () => {
    const once = approvedBy(pending(), "t1", 0);
    expect(withdraw(once, "t1", at(1)).approvals).toEqual({});
    expect(codeOf(() => withdraw(once, "t2", at(1)))).toBe("APPROVAL_UNKNOWN");
    expect(codeOf(() => withdraw(approvedBy(once, "t2", 1), "t1", at(2)))).toBe("EMERGENCY_OPEN");
    expect(codeOf(() => withdraw(once, "t1", at(60)))).toBe("EMERGENCY_ENDED");
  });

  it("lasts five minutes to four hours and needs two, whatever a threshold says", () => {
    expect(codeOf(() => checkDuration(START, at(5) - 1))).toBe("EMERGENCY_TIME_LIMIT");
    expect(codeOf(() => checkDuration(START, at(5)))).toBe("none");
    expect(codeOf(() => checkDuration(START, at(240)))).toBe("none");
    expect(codeOf(() => checkDuration(START, at(240) + 1))).toBe("EMERGENCY_TIME_LIMIT");
    expect([0, 1, 2, 3].map(approvalsNeeded)).toEqual([2, 2, 2, 3]);
  });
});
