import { describe, expect, it } from "vitest";
import type { Decision } from "../../../host/ids/index.ts";
import {
  alert,
  engineOf,
  event,
  failedLogins,
  hashOf,
  heard,
  MINUTE,
  measureOn,
  member,
  SECOND,
  START,
  shared,
  tell,
  uploads,
} from "./engine-world.ts";

const HOUR = 60 * MINUTE;

describe("alone", () => {
  it("goes from slowing down to a ban when somebody comes again, each for a short time", () => {
    const engine = engineOf(1);
    const rounds = [0, 1, 2, 3].flatMap(
      (i) => tell(engine, failedLogins(START + i * 20 * MINUTE, "mallory", 12)).decisions,
    );
    expect(rounds.map(({ measure, origin }) => [measure, origin])).toEqual([
      ["throttle", "local"],
      ["challenge", "local"],
      ["ban", "local"],
    ]);
    expect(rounds.map(({ at, until }) => until - at)).toEqual([5 * MINUTE, 15 * MINUTE, HOUR]);
    expect(measureOn(engine, "mallory", START + 45 * MINUTE)?.measure).toBe("ban");
    expect(measureOn(engine, "somebody", START + 45 * MINUTE)).toBeNull();
    expect(measureOn(engine, "mallory", START + 3 * HOUR)).toBeNull();
    expect(rounds[0]?.text).toBe(
      "Slowed down for 5 min at this service alone, the first time. Many failed logins from one place. Seen here: password-guessing (9 events in 8 s, belief 0.85).",
    );
  });

  it("starts at the bottom again after a day", () => {
    const engine = engineOf(1);
    tell(engine, failedLogins(START, "mallory", 12));
    expect(tell(engine, failedLogins(START + 25 * HOUR, "mallory", 12)).decisions[0]?.measure).toBe(
      "throttle",
    );
  });

  it("never bans the account whose password others guess", () => {
    const engine = engineOf(1);
    const made = Array.from({ length: 6 }, (_, round) =>
      Array.from({ length: 20 }, (_, i) =>
        event(START + round * 90 * MINUTE + i * SECOND, `bot-${round}-${i}`, {
          kind: "login-failed",
          account: "owner",
        }),
      ),
    ).flatMap((round) => tell(engine, round).decisions);
    const onOwner = made.filter(({ subject }) => subject.kind === "account");
    expect(onOwner.length).toBeGreaterThan(2);
    expect(onOwner.map(({ measure }) => measure)).not.toContain("ban");
  });

  it("keeps beginnings of a scenario to itself, and shares what it decided on", () => {
    const engine = engineOf(5);
    expect(tell(engine, failedLogins(START, "mallory", 5))).toEqual({
      alerts: [],
      share: [],
      decisions: [],
      ended: [],
    });
    const { alerts, share } = tell(engine, failedLogins(START + 5 * SECOND, "mallory", 7));
    expect(share).toEqual([
      {
        id: alerts[0]?.id,
        member: "cloudlet-0",
        epoch: Math.floor(START / 86_400_000),
        subject: { kind: "source", shared: shared("mallory") },
        rule: "password-guessing",
        ruleHash: hashOf("password-guessing"),
        score: 0.85,
        count: 9,
        from: START,
        to: START + 8 * SECOND,
      },
    ]);
    expect(JSON.stringify(share)).not.toMatch(/victim|"local"/);
  });

  it("writes one request that looks like an attack down, and acts on several", () => {
    const engine = engineOf(5);
    const attack = (at: number) => ({
      ...event(at, "mallory", { kind: "attack-found", status: 400 }),
      score: 0.97,
      evidence: [{ rule: "sql-tautology", place: "query" as const, name: "id\u001b[2J\n" }],
    });
    const first = tell(engine, [attack(START)]);
    expect(first).toMatchObject({
      alerts: [{ rule: "sql-tautology", score: 0.97 }],
      share: [],
      decisions: [],
    });
    const more = tell(engine, [attack(START + SECOND), attack(START + 2 * SECOND)]);
    expect(more.decisions).toMatchObject([{ measure: "challenge", origin: "local" }]);
    expect(more.share).toMatchObject([{ rule: "attacks-from-one-place" }]);
    expect(more.decisions[0]?.text).toContain("sql-tautology in query id?[2J?");
  });

  it("does nothing to whom it is told to spare", () => {
    const engine = engineOf(5);
    const spared = { kind: "source" as const, local: "proxy", shared: shared("proxy") };
    tell(engine, failedLogins(START, "proxy", 12));
    const running = measureOn(engine, "proxy", START + MINUTE) as Decision;
    expect(running.measure).toBe("throttle");
    expect(
      tell(engine, [{ kind: "exempt", at: START + MINUTE, subject: spared, until: START + 10 * HOUR }]).ended,
    ).toEqual([running.id]);
    const later = tell(engine, [
      ...failedLogins(START + HOUR, "proxy", 12),
      heard(START + HOUR, alert(1, "proxy")),
      heard(START + HOUR, alert(2, "proxy")),
    ]);
    expect([later.alerts.length, later.share, later.decisions]).toEqual([1, [], []]);
    expect(measureOn(engine, "proxy", START + 2 * HOUR)).toBeNull();
  });

  it("decides and lets everybody through in a simulation", () => {
    const engine = engineOf(1, { settings: { mode: "simulate" } });
    const { decisions } = tell(engine, failedLogins(START, "mallory", 12));
    expect(decisions).toMatchObject([{ simulated: true, measure: "throttle" }]);
    expect(decisions[0]?.text).toMatch(/^Simulated: /);
    expect(measureOn(engine, "mallory", START + MINUTE)).toBeNull();
  });
});

describe("together", () => {
  it("bans on one peer's word and the beginnings that it saw itself, sooner than alone", () => {
    const engine = engineOf(5);
    tell(engine, [heard(START, alert(1, "mallory"))]);
    expect(tell(engine, failedLogins(START + MINUTE, "mallory", 2)).decisions).toEqual([]);
    const { decisions, share } = tell(engine, failedLogins(START + MINUTE + 2 * SECOND, "mallory", 1));
    expect(decisions).toMatchObject([{ measure: "ban", origin: "mesh", quorum: 2 }]);
    const [decision] = decisions as [Decision];
    expect(decision.alerts).toHaveLength(2);
    expect(decision.voices.map(({ operator, alarm }) => [operator, alarm])).toEqual(
      expect.arrayContaining([
        ["clinic-0", true],
        ["clinic-1", true],
      ]),
    );
    expect(decision.text).toContain("on the word of 2 of 5 operators (2 needed): password-guessing");
    expect(decision.text).toContain("the beginnings of password-guessing");
    // Six tenths of what the whole scenario would say.
    expect(share).toMatchObject([{ rule: "password-guessing", score: 0.51 }]);
  });

  it("bans on the word of two operators at the first request", () => {
    const engine = engineOf(5);
    tell(engine, [heard(START, alert(1, "mallory")), heard(START, alert(2, "mallory"))]);
    expect(tell(engine, [event(START + MINUTE, "mallory")]).decisions).toMatchObject([
      { measure: "ban", origin: "mesh" },
    ]);
    expect(tell(engine, [event(START + MINUTE, "mallory")]).decisions).toEqual([]);
  });

  it("takes two members of one operator for one voice", () => {
    const members = [member(0), member(1, "one"), member(2, "one"), member(3), member(4)];
    const engine = engineOf(5, { members });
    tell(engine, [heard(START, alert(1, "mallory")), heard(START, alert(2, "mallory"))]);
    expect(tell(engine, [event(START + MINUTE, "mallory")]).decisions).toEqual([]);
  });

  it("listens to no stranger, no echo of itself, no changed rule, and to nobody for ever", () => {
    const engine = engineOf(5);
    tell(engine, [
      heard(START, alert(9, "mallory")),
      heard(START, alert(0, "mallory")),
      heard(START, alert(1, "mallory", { ruleHash: hashOf("scanner") })),
      heard(START, alert(2, "mallory")),
    ]);
    expect(tell(engine, [event(START + MINUTE, "mallory")]).decisions).toEqual([]);
    // The first word was said more than an hour before the second.
    const late = [heard(START + 61 * MINUTE, alert(3, "mallory")), event(START + 62 * MINUTE, "mallory")];
    expect(tell(engine, late).decisions).toEqual([]);
  });

  it("listens to nobody who left the roster", () => {
    const engine = engineOf(5);
    tell(engine, [
      heard(START, alert(1, "mallory")),
      heard(START, alert(2, "mallory")),
      {
        kind: "roster",
        at: START,
        self: "cloudlet-0",
        members: [member(0), member(1), member(3), member(4)],
      },
    ]);
    expect(tell(engine, [event(START + MINUTE, "mallory")]).decisions).toEqual([]);
  });

  it("finds somebody again whose pseudonym changed at midnight", () => {
    const engine = engineOf(5);
    tell(engine, [heard(START, alert(1, "old-name")), heard(START, alert(2, "old-name"))]);
    const moved = {
      ...event(START + MINUTE, "mallory"),
      shared: { source: shared("new-name") },
      sharedBefore: { source: shared("old-name") },
    };
    expect(tell(engine, [moved]).decisions).toMatchObject([
      { measure: "ban", subject: { local: "mallory", shared: shared("new-name") } },
    ]);
  });

  it("bans for longer each time", () => {
    const engine = engineOf(5);
    const lasted = [0, 1, 2].map((round) => {
      const at = START + round * 5 * HOUR;
      const { decisions } = tell(engine, [
        event(at, "mallory"),
        heard(at, alert(1, "mallory")),
        heard(at, alert(2, "mallory")),
      ]);
      const [decision] = decisions as [Decision];
      return decision.until - decision.at;
    });
    expect(lasted).toEqual([HOUR, 2 * HOUR, 4 * HOUR]);
  });

  it("takes one operator more, and no ban, where it knows somebody as harmless itself", () => {
    const engine = engineOf(5);
    tell(engine, [
      ...uploads(START, "patient", 20),
      heard(START + MINUTE, alert(1, "patient")),
      heard(START + MINUTE, alert(2, "patient")),
    ]);
    expect(tell(engine, uploads(START + 2 * MINUTE, "patient", 1)).decisions).toEqual([]);
    const { decisions } = tell(engine, [heard(START + 3 * MINUTE, alert(3, "patient"))]);
    expect(decisions).toMatchObject([{ measure: "challenge", quorum: 3 }]);
    expect(decisions[0]?.text).toContain("harmless deeds and nothing suspicious");
  });

  it("only challenges the account whose password others guess", () => {
    const engine = engineOf(5);
    const about = {
      subject: { kind: "account" as const, shared: shared("owner") },
      rule: "password-guessing-slow",
    };
    tell(engine, [heard(START, alert(1, "owner", about)), heard(START, alert(2, "owner", about))]);
    expect(tell(engine, [event(START + 1, "home", { account: "owner" })]).decisions).toMatchObject([
      { measure: "challenge", subject: { kind: "account" } },
    ]);
  });

  it("keeps each peer's flood within that peer's own share of the memory", () => {
    const engine = engineOf(5);
    tell(engine, [heard(START, alert(1, "mallory")), heard(START, alert(2, "mallory"))]);
    tell(
      engine,
      Array.from({ length: 5000 }, (_, i) => heard(START + 1, alert(3, `noise-${i}`))),
    );
    expect(tell(engine, [event(START + MINUTE, "mallory")]).decisions).toMatchObject([{ measure: "ban" }]);
  });
});
