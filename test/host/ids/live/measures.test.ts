import { describe, expect, it } from "vitest";
import type { Decision } from "../../../../host/ids/engine/index.ts";
import { createAddresses } from "../../../../host/ids/live/addresses.ts";
import { createMeasures } from "../../../../host/ids/live/measures.ts";
import { createPseudonyms } from "../../../../host/ids/live/pseudonyms.ts";

const SUBJECT = { kind: "source", local: "a", shared: "b" } as const;
let made = 0;
const decision = (measure: Decision["measure"], until: number, simulated = false): Decision => ({
  ...{ id: String(++made), at: 0, until, subject: SUBJECT, measure, origin: "local", simulated },
  ...{ alerts: [], rules: [], logRatio: 0, threshold: 0, quorum: 1, voices: [], text: "" },
});

describe("measures in force", () => {
  it("hold the strictest until it is over or ended, then the next", () => {
    const measures = createMeasures();
    const [throttle, ban] = [decision("throttle", 100), decision("ban", 50)];
    measures.put(throttle);
    measures.put(ban);
    measures.put(decision("ban", 1000, true));
    expect(measures.strictest(SUBJECT, 10)?.id).toBe(ban.id);
    expect(measures.strictest({ kind: "device", local: "a" }, 10)).toBe(null);
    expect(measures.strictest(SUBJECT, 50)?.id).toBe(throttle.id);
    measures.end(throttle.id);
    expect(measures.strictest(SUBJECT, 60)).toMatchObject({ simulated: true });
    expect(measures.strictest(SUBJECT, 1000)).toBe(null);
    expect(measures.count(60)).toBe(0);
  });

  it("hold nothing against who is exempt, until the exemption ends", () => {
    const measures = createMeasures();
    measures.exempt(SUBJECT, 100);
    measures.put(decision("ban", 1000));
    expect(measures.strictest(SUBJECT, 99)).toBe(null);
    expect(measures.strictest(SUBJECT, 100)).not.toBe(null);
    measures.exempt(SUBJECT, 500);
    expect(measures.strictest(SUBJECT, 200)).toBe(null);
    measures.exempt(SUBJECT, 0);
    expect(measures.strictest(SUBJECT, 200)).not.toBe(null);
  });

  it("throttle: a few at once, one more each second, and a clock that goes back changes nothing", () => {
    const measures = createMeasures();
    const one = decision("throttle", 1e6);
    const pace = { burst: 2, everyMs: 1000 };
    expect([0, 0, 0, 500, 1000, 900, 2000].map((now) => measures.waitFor(one, now, pace))).toEqual([
      ...[0, 0, 1000, 500, 0, 1000, 0],
    ]);
  });
});

describe("addresses", () => {
  const { parse } = createAddresses({ exempt: ["10.20.0.0/16", "2001:db8::/32"], loopback: true });

  it.each([
    ["::ffff:192.0.2.7", "192.0.2.7", false],
    ["192.0.2.7", "192.0.2.7", false],
    ["2001:db9:1:2:3:4:5:6", "2001:db9:1:2::/64", false],
    ["2001:db9:1:2:ffff::1", "2001:db9:1:2::/64", false],
    ["10.20.30.40", "10.20.30.40", true],
    ["::ffff:10.20.30.40", "10.20.30.40", true],
    ["10.21.0.1", "10.21.0.1", false],
    ["2001:db8::1", "2001:db8:0:0::/64", true],
    ["127.0.0.1", "127.0.0.1", true],
    ["::1", "0:0:0:0::/64", true],
    ["no address", "no address", false],
    ["", "", false],
  ])("%s is one client, %s, and exempt: %s", (ip, text, exempt) => {
    expect(parse(ip)).toMatchObject({ text, exempt });
  });

  it("refuses ranges that are none", () => {
    for (const range of ["10.0.0.0/33", "clinic", "10.0.0", "1.2.3.4/"]) {
      expect(() => createAddresses({ exempt: [range], loopback: true }), range).toThrow(
        /no address and no range/,
      );
    }
  });
});

describe("pseudonyms", () => {
  const key = new Uint8Array(32).fill(7);

  it("are the same for one key, others for another, and keep kinds, logins and accounts apart", () => {
    const [one, same, other] = [
      createPseudonyms(key),
      createPseudonyms(key),
      createPseudonyms(new Uint8Array(32)),
    ];
    const of = (pseudonyms: typeof one) => pseudonyms.subject("source", "192.0.2.7", 0).local;
    expect(of(one)).toBe(of(same));
    expect(of(one)).not.toBe(of(other));
    const all = [
      of(one),
      one.subject("account", "192.0.2.7", 0).local,
      one.subject("source", "192.0.2.7", 0).shared,
      one.handle("ada", 0).local,
      one.subject("account", "ada", 0).local,
      one.other("target", "192.0.2.7"),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(one.handle("Ada", 0).local).toBe(one.handle("ada", 0).local);
    expect(all.every((pseudonym) => /^[\w-]{16}$/.test(pseudonym))).toBe(true);
  });
});
