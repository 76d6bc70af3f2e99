import { beforeEach, describe, expect, it } from "vitest";
import {
  openTicketKeyRing,
  type TicketKeyRing,
  type TicketKeyState,
  turnTicketKeys,
} from "../../../host/identity/index.ts";
import { createTestClock, DAY_MS } from "../../support/system.ts";

const HOUR_MS = 3_600_000;

describe("the ring of ticket keys", () => {
  let clock: ReturnType<typeof createTestClock>;
  let kept: TicketKeyState | undefined;

  const open = (): Promise<TicketKeyRing> =>
    openTicketKeyRing({
      clock,
      kept: kept === undefined ? undefined : JSON.parse(JSON.stringify(kept)),
      keep: async (state) => {
        kept = state;
      },
      rotateEveryMs: 30 * DAY_MS,
    });
  const idsOf = (ring: TicketKeyRing) => ring.published().keys.map(({ kid }) => kid);

  beforeEach(() => {
    clock = createTestClock();
    kept = undefined;
  });

  it("signs with the same key after a restart", async () => {
    const first = (await open()).signing();
    expect((await open()).signing().kid).toBe(first.kid);
  });

  it("publishes a new key an hour before it signs, and the old one as long as its tickets may be met", async () => {
    const ring = await open();
    const old = ring.signing().kid;
    const { kid, activeFrom } = await ring.rotate({ revoke: false });
    expect(activeFrom).toBeGreaterThan(clock.now() + HOUR_MS - 5000);
    expect(idsOf(ring)).toEqual([old, kid]);
    expect(ring.signing().kid).toBe(old);
    clock.advance(HOUR_MS);
    expect(ring.signing().kid).toBe(kid);
    // The batch that a device handed in just before, and that waited in its cloudlet for seven days.
    clock.advance(7 * DAY_MS);
    await ring.turn();
    expect(idsOf(ring)).toEqual([old, kid]);
    clock.advance(3 * HOUR_MS);
    await ring.turn();
    expect(idsOf(ring)).toEqual([kid]);
    expect(idsOf(await open())).toEqual([kid]);
  });

  it("destroys a private key that signs no more", async () => {
    const ring = await open();
    const [{ seed } = { seed: null }] = kept ?? [];
    await ring.rotate({ revoke: false });
    await ring.turn();
    expect(JSON.stringify(kept)).toContain(seed);
    clock.advance(HOUR_MS + 1000);
    await ring.turn();
    expect(JSON.stringify(kept)).not.toContain(seed);
    expect(kept?.map((entry) => entry.seed === null)).toEqual([true, false]);
  });

  it("rotates by itself when the newest key is old enough, and only once", async () => {
    const ring = await open();
    await ring.turn();
    expect(idsOf(ring)).toHaveLength(1);
    clock.advance(30 * DAY_MS);
    await ring.turn();
    await ring.turn();
    expect(idsOf(ring)).toHaveLength(2);
  });

  it("tells how old its keys are and when the next is due", async () => {
    const ring = await open();
    const from = ring.ages().keys[0]?.activeFrom ?? 0;
    expect(Math.abs(from - clock.now())).toBeLessThan(60_000);
    expect(ring.ages()).toEqual({
      nextAt: from + 30 * DAY_MS,
      keys: [{ kid: ring.signing().kid, activeFrom: from, retiredAt: null }],
    });
    clock.advance(DAY_MS);
    const { activeFrom } = await ring.rotate({ revoke: false });
    const { nextAt, keys } = ring.ages();
    expect(nextAt).toBe(activeFrom + 30 * DAY_MS);
    expect(keys.map(({ retiredAt }) => retiredAt)).toEqual([activeFrom, null]);
    expect(JSON.stringify(ring.ages())).not.toContain("seed");
  });

  it("forgets every earlier key at once when they are revoked", async () => {
    const ring = await open();
    const { kid } = await ring.rotate({ revoke: false });
    const revoking = await ring.rotate({ revoke: true });
    expect(idsOf(ring)).toEqual([revoking.kid]);
    expect(ring.signing().kid).toBe(revoking.kid);
    expect(JSON.stringify(kept)).not.toContain(kid);
  });

  it("loses no key when changes come at once", async () => {
    const ring = await open();
    await Promise.all([
      ring.rotate({ revoke: false }),
      ring.turn(),
      ring.rotate({ revoke: false }),
      ring.turn(),
    ]);
    expect(idsOf(ring)).toHaveLength(3);
    expect(kept).toHaveLength(3);
  });

  it("goes on signing when the clock is set back", async () => {
    const ring = await open();
    const { kid } = ring.signing();
    clock.advance(-DAY_MS);
    expect(ring.signing().kid).toBe(kid);
  });

  it("changes nothing when the new key cannot be kept", async () => {
    const ring = await openTicketKeyRing({
      clock,
      kept: undefined,
      keep: (state) => (state.length > 1 ? Promise.reject(new Error("disk full")) : Promise.resolve()),
      rotateEveryMs: DAY_MS,
    });
    await expect(ring.rotate({ revoke: false })).rejects.toThrow("disk full");
    expect(idsOf(ring)).toHaveLength(1);
    await expect(ring.rotate({ revoke: true })).resolves.toMatchObject({ kid: expect.any(String) });
  });

  it.each([[[]], [{}], [[{ publicKey: "x", seed: null, activeFrom: 0 }]], ["text"]])(
    "refuses %j",
    async (wrong) => {
      await expect(
        openTicketKeyRing({ clock, kept: wrong, keep: async () => {}, rotateEveryMs: DAY_MS }),
      ).rejects.toThrow();
    },
  );

  it("tells the audit log of a key that was made because it was time, and of nothing else", async () => {
    const ring = await open();
    const entries: { action: string; actorRole: string; details: Readonly<Record<string, string>> }[] = [];
    const log = { append: async (entry: (typeof entries)[number]) => void entries.push(entry) };
    await turnTicketKeys(ring, log);
    expect(entries).toEqual([]);
    clock.advance(30 * DAY_MS);
    await turnTicketKeys(ring, log);
    await turnTicketKeys(ring, log);
    expect(entries).toEqual([
      expect.objectContaining({
        ...{ action: "ticket-keys.turn", actor: null, actorRole: "service", outcome: "success" },
        details: { earlierKeys: "kept", key: idsOf(ring)[1] },
      }),
    ]);
    expect(JSON.stringify(entries)).not.toContain(kept?.at(-1)?.seed);
  });

  it("has the new key all the same where the log cannot take it", async () => {
    const ring = await open();
    clock.advance(30 * DAY_MS);
    const broken = { append: () => Promise.reject(new Error("the log is full")) };
    await expect(turnTicketKeys(ring, broken)).rejects.toThrow("the log is full");
    expect(idsOf(ring)).toHaveLength(2);
  });
});
