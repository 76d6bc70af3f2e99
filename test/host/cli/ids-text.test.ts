import pc from "picocolors";
import { describe, expect, it } from "vitest";
import { detectorTable, membersTable } from "../../../host/cli/ids-text.ts";

const PLAIN = pc.createColors(false);
const MINUTE = 60_000;

describe("tables of an officer", () => {
  it("say of a member what it sent, when it was heard and when it was reached", () => {
    const standing = { detection: 0.66, falseAlarm: 0.05, trust: 0.72, expectation: 0.8, outcomes: 3 };
    const member = { id: "cloudlet-1", operator: "clinic-1", url: "http://127.0.0.1:9" };
    const text = membersTable(
      [
        {
          at: "cloud",
          what: {
            ...standing,
            member,
            alerts: 7,
            lastHeard: 10 * MINUTE,
            contact: { failures: 2, lastContact: 29 * MINUTE, waiting: 1 },
          },
        },
        { at: "cloud", what: { ...standing, member, alerts: 0, lastHeard: null, contact: null } },
        {
          at: "kdc",
          what: {
            ...standing,
            member,
            alerts: 1,
            lastHeard: 30 * MINUTE,
            contact: { failures: 0, lastContact: null, waiting: 0 },
          },
        },
      ],
      30 * MINUTE,
      PLAIN,
    );
    const [head, first, second, third] = text.split("\n");
    expect(head).toMatch(/finds +false +outcomes +alerts +heard +seen/);
    expect(first).toMatch(/ 3 +7 +20 min ago +1 min ago \(2 failed\)/);
    expect(second).toMatch(/ 0 +never +-/);
    expect(third).toMatch(/ 1 +now +never/);
  });

  it("say of a detector where it is set", () => {
    const rules = { count: 47, hash: "ab".repeat(32) };
    const detector = { mode: "enforce" as const, alarmAt: 0.5, prior: 0.02, rules };
    const model = {
      hash: "cd".repeat(32),
      version: 1,
      requests: 1500,
      heldOut: 500,
      operatingPoint: { bits: 10, falseAlarm: 2 ** -10 },
      benign: [],
    };
    const text = detectorTable([{ at: "cloud", what: { ...detector, model, selfTest: null } }], PLAIN);
    expect(text).toMatch(/cloud +enforce +47 +abababababab +0\.5 +cdcdcdcdcdcd +1500 +10\.0 bits +1 in 1024/);
  });
});
