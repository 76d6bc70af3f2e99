import { describe, expect, it } from "vitest";
import type { Decision } from "../../../host/ids/index.ts";
import {
  alert,
  engineOf,
  event,
  failedLogins,
  heard,
  MINUTE,
  measureOn,
  member,
  SECOND,
  START,
  tell,
  uploads,
} from "./engine-world.ts";

const HOUR = 60 * MINUTE;
const standing = (engine: ReturnType<typeof engineOf>, id: number) => {
  const found = engine.members().find((one) => one.member.id === `cloudlet-${id}`);
  if (found === undefined) {
    throw new Error(`no cloudlet-${id}`);
  }
  return found;
};

describe("what becomes of trust", () => {
  it("grows for who warned before this service saw it too, and not for an echo", () => {
    const engine = engineOf(5);
    const before = standing(engine, 1).trust;
    tell(engine, [
      heard(START, alert(1, "mallory")),
      ...failedLogins(START + MINUTE, "mallory", 12),
      heard(START + 2 * MINUTE, alert(2, "mallory")),
      ...failedLogins(START + 30 * MINUTE, "mallory", 12),
    ]);
    expect(standing(engine, 1)).toMatchObject({ outcomes: 1, lastHeard: START });
    expect(standing(engine, 2).outcomes).toBe(0);
    expect(standing(engine, 1).trust).toBeGreaterThan(before);
    expect(standing(engine, 1).detection).toBeGreaterThan(standing(engine, 3).detection);
  });

  it("does not grow by a warning of the very moment, as the order of a moment's news is chance", () => {
    const engine = engineOf(5);
    const logins = failedLogins(START, "mallory", 9);
    const same = heard(START + 8 * SECOND, alert(1, "mallory"));
    // One for the beginnings that the warning was about, one for the whole.
    const { alerts } = tell(engine, [...logins.slice(0, 8), same, ...logins.slice(8)]);
    expect(alerts.map(({ score }) => score)).toEqual([0.51, 0.85]);
    expect(standing(engine, 1).outcomes).toBe(0);
  });

  it("shrinks for who warns of the harmless, once an hour", () => {
    const engine = engineOf(5);
    const before = standing(engine, 1).trust;
    for (const name of ["ann", "ben", "cem"]) {
      tell(engine, [event(START, name), heard(START, alert(1, name)), ...uploads(START + 1, name, 15)]);
    }
    expect(standing(engine, 1).outcomes).toBe(1);
    expect(standing(engine, 1).trust).toBeLessThan(before);
    expect(standing(engine, 1).falseAlarm).toBeGreaterThan(standing(engine, 3).falseAlarm);
    expect(standing(engine, 2).trust).toBe(before);
  });

  it("is not ruined by somebody who attacks one service and behaves at the next, where others agree", () => {
    const engine = engineOf(5);
    tell(engine, [
      event(START, "mallory"),
      heard(START, alert(1, "mallory")),
      heard(START, alert(2, "mallory")),
      heard(START, alert(3, "mallory")),
      ...uploads(START + 1, "mallory", 30),
    ]);
    expect(standing(engine, 1).outcomes).toBe(0);
  });

  it("follows an officer's ruling, once, and spares whom the officer let go", () => {
    const engine = engineOf(5);
    const [ban] = tell(engine, [
      event(START, "patient"),
      heard(START, alert(1, "patient")),
      heard(START, alert(2, "patient")),
    ]).decisions as [Decision];
    const rule = (ruling: "lift" | "confirm") =>
      tell(engine, [
        {
          kind: "ruling",
          at: START + MINUTE,
          ruling: { decision: ban.id, ruling, by: "officer", reason: "a clinic's own address" },
        },
      ]);
    rule("confirm");
    rule("confirm");
    expect(standing(engine, 1).outcomes).toBe(1);
    const trusted = standing(engine, 1).trust;
    expect(rule("lift").ended).toEqual([ban.id]);
    expect(rule("lift").ended).toEqual([]);
    expect(standing(engine, 1).trust).toBeLessThan(trusted);
    expect(measureOn(engine, "patient", START + 2 * MINUTE)).toBeNull();
    // Members whom nobody contradicted yet: it is the officer's word that holds.
    const later = [3, 4].map((i) => heard(START + 2 * MINUTE, alert(i, "patient")));
    expect(tell(engine, [...later, event(START + 3 * MINUTE, "patient")]).decisions).toEqual([]);
  });

  it("ends: two whom officers contradicted together are not enough any more, where two others are", () => {
    const engine = engineOf(5);
    let banned = 0;
    for (let i = 0; i < 12; i++) {
      const at = START + i * MINUTE;
      const { decisions } = tell(engine, [
        event(at, `patient-${i}`),
        heard(at, alert(1, `patient-${i}`)),
        heard(at, alert(2, `patient-${i}`)),
      ]);
      banned += decisions.length;
      for (const { id } of decisions) {
        tell(engine, [
          { kind: "ruling", at, ruling: { decision: id, ruling: "lift", by: "officer", reason: "wrong" } },
        ]);
      }
    }
    expect(banned).toBeLessThan(4);
    expect(standing(engine, 1).trust).toBeLessThan(0.5);
    const last = tell(engine, [
      event(START + HOUR, "dora"),
      heard(START + HOUR, alert(1, "dora")),
      heard(START + HOUR, alert(2, "dora")),
    ]);
    expect(last.decisions).toEqual([]);
    const others = tell(engine, [
      event(START + HOUR, "mallory"),
      heard(START + HOUR, alert(3, "mallory")),
      heard(START + HOUR, alert(4, "mallory")),
    ]);
    expect(others.decisions).toMatchObject([{ measure: "ban" }]);
  });

  it("fades with the days, whoever looks at it in between", () => {
    const [looked, left] = [engineOf(5), engineOf(5)];
    const days = [0, 1, 3, 7].map((day) => START + day * 24 * HOUR);
    for (const at of days) {
      const day = [heard(at, alert(1, "mallory")), ...failedLogins(at + MINUTE, "mallory", 12)];
      tell(looked, day);
      tell(left, day);
      looked.members();
    }
    expect(looked.members()).toEqual(left.members());
    const soon = standing(left, 1).trust;
    tell(left, [event(START + 90 * 24 * HOUR, "somebody")]);
    expect(standing(left, 1).trust).toBeLessThan(soon);
    expect(standing(left, 1).trust).toBeGreaterThan(standing(left, 3).trust);
  });

  it("belongs to a key: another key under a known id begins anew", () => {
    const engine = engineOf(5);
    tell(engine, [heard(START, alert(1, "mallory")), ...failedLogins(START + MINUTE, "mallory", 12)]);
    expect(standing(engine, 1).outcomes).toBe(1);
    const replaced = { ...member(1), signingKey: "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08" };
    const members = [0, 2, 3, 4].map((i) => member(i));
    tell(engine, [{ kind: "roster", at: START, self: "cloudlet-0", members: [replaced, ...members] }]);
    expect(standing(engine, 1).outcomes).toBe(0);
  });
});
