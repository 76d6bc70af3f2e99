import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createHttpClient,
  createKdcClient,
  createOwner,
  type Fetch,
  type KeptRevocation,
  type OwnedEpoch,
  type Owner,
} from "../../../host/client/index.ts";
import { termsFor } from "../../support/sharing.ts";
import { backends } from "../../support/stores.ts";
import {
  DAY_MS,
  type Doctor,
  PASSWORD,
  type Patient,
  type System,
  startSystem,
} from "../../support/system.ts";
import { documentsOf } from "../http/attack.ts";

/** What a patient's machine keeps, and what lies between it and the KDC. */
interface Machine {
  readonly owner: Owner;
  readonly kept: { epochs: readonly OwnedEpoch[]; revocations: readonly KeptRevocation[] };
}

let system: System;
beforeAll(async () => {
  system = await startSystem(backends()[0] as NonNullable<ReturnType<typeof backends>[0]>);
});
afterAll(() => system?.stop());

/** The patient's machine, started anew from what it kept, with a fetch of its own. */
async function machineOf(
  patient: Patient,
  handle: string,
  kept: Machine["kept"],
  fetch: Fetch = globalThis.fetch,
): Promise<Machine> {
  const { suite, clock } = system;
  let live: Fetch = globalThis.fetch;
  const http = createHttpClient({ clock, fetch: (url, init) => live(url, init) });
  const session = await createKdcClient({ http, url: system.kdc.url }).login(handle, PASSWORD);
  live = fetch;
  const owner = createOwner({
    suite,
    clock,
    session,
    keys: patient.keys,
    name: "Ada",
    epochs: kept.epochs,
    keepEpochs: async (epochs) => {
      kept.epochs = [...epochs];
    },
    revocations: {
      known: kept.revocations,
      keep: async (revocations) => {
        kept.revocations = [...revocations];
      },
    },
  });
  return { owner, kept };
}

/** Fails from the n-th request on, before or after the KDC got it: the machine's power fails there. */
function failingAt(n: number, when: "before" | "after"): Fetch & { readonly failed: () => boolean } {
  let count = 0;
  const bent: Fetch = async (url, init) => {
    count++;
    if (count < n) {
      return fetch(url, init);
    }
    if (count === n && when === "after") {
      await fetch(url, init);
    }
    throw new Error("power failure");
  };
  return Object.assign(bent, { failed: () => count >= n });
}

const share = (owner: Owner, doctor: Doctor) =>
  owner.share(termsFor(system, doctor, { regions: ["medical", "profile"] }));

describe("a revocation that was cut off", () => {
  it.each(["before", "after"] as const)(
    "is finished by the next catching up, wherever the power failed %s the KDC heard of it",
    async (when) => {
      const heron = await system.doctor(`dr-heron-${when}`);
      const stork = await system.doctor(`dr-stork-${when}`);
      let cuts = 0;
      for (let n = 1; ; n++) {
        const handle = `otter-${when}-${n}`;
        const ada = await system.patient(handle, "Ada");
        const first = await machineOf(ada, handle, { epochs: [], revocations: [] });
        await first.owner.startEpoch("medical");
        await first.owner.startEpoch("profile");
        const { consentId } = await share(first.owner, heron);
        await share(first.owner, stork);

        const fetch = failingAt(n, when);
        const cutOff = await machineOf(ada, handle, first.kept, fetch);
        await cutOff.owner.revoke(consentId).catch(() => {});
        if (!fetch.failed()) {
          break;
        }
        cuts++;
        const again = await machineOf(ada, handle, cutOff.kept);
        await again.owner.catchUp();
        if (n === 1) {
          // Nothing but the question which consent it is was asked: it never began.
          await again.owner.revoke(consentId);
        }
        const newest = (["medical", "profile"] as const).map((region) =>
          again.kept.epochs.findLast((epoch) => epoch.region === region),
        );
        const given = (await again.owner.consents()).find(({ consent }) => consent.consentId === consentId);
        expect(given?.revokedAt, `${n}`).not.toBeNull();
        const keys = await documentsOf(system.stores.kdc, "wrapped_keys");
        for (const epoch of newest) {
          expect(epoch?.number, `${n}`).toBeGreaterThan(1);
          const holders = keys.filter(({ epochId }) => epochId === epoch?.epochId);
          expect(
            holders.map(({ reader }) => reader),
            `${n}`,
          ).toEqual([stork.session.account.accountId]);
        }
        expect(await again.owner.catchUp(), `${n}`).toMatchObject({ epochs: [], wrapped: 0 });
      }
      // The consent, the revocation, and for each region: what is published, the epoch, who lacks it, the keys.
      expect(cuts).toBeGreaterThanOrEqual(10);
    },
    180_000,
  );
});

describe("a KDC that hides a revocation", () => {
  /** Shows some consents as in force and as lacking every key, and takes every key for them. */
  const hiding =
    (revoked: readonly string[]): Fetch =>
    async (url, init) => {
      if (url.endsWith("/wrapped-keys")) {
        return Response.json({ stored: 1 }, { status: 201 });
      }
      const answer = await fetch(url, init);
      if (!/\/(consents|missing-keys)(\?|$)/.test(url)) {
        return answer;
      }
      const { consents, missing, next } = await answer.json();
      const everything = await documentsOf(system.stores.kdc, "consents");
      const shown = await Promise.all(
        everything
          .filter(({ _id }) => revoked.includes(_id as string))
          .map(async ({ statement, reader }) => {
            const accounts = await documentsOf(system.stores.kdc, "accounts");
            const account = accounts.find(({ _id }) => _id === reader) as Record<string, unknown>;
            const { handle, role, identity } = account;
            return { statement, revocation: null, reader: { accountId: reader, handle, role, identity } };
          }),
      );
      const listed = (consents ?? missing) as { statement: string }[];
      const others = listed.filter(({ statement }) => shown.every((entry) => entry.statement !== statement));
      const all = [...others, ...shown];
      return Response.json(consents === undefined ? { missing: all, next } : { consents: all, next });
    };

  it("does not get the new key wrapped for the reader, neither at once nor after a restart", async () => {
    const heron = await system.doctor("dr-hidden");
    const ada = await system.patient("hidden-otter", "Ada");
    const kept: Machine["kept"] = { epochs: [], revocations: [] };
    const first = await machineOf(ada, "hidden-otter", kept);
    await first.owner.startEpoch("medical");
    await first.owner.startEpoch("profile");
    const { consentId } = await share(first.owner, heron);
    const revoking = await machineOf(ada, "hidden-otter", kept, hiding([consentId]));
    expect((await revoking.owner.revoke(consentId)).wrapped).toBe(0);
    const later = await machineOf(ada, "hidden-otter", kept, hiding([consentId]));
    await later.owner.startEpoch("medical");
    expect((await later.owner.catchUp()).wrapped).toBe(0);
    // Without the memory the lie would have worked: the consent itself is genuine.
    const forgotten = { epochs: kept.epochs, revocations: [] };
    const forgetful = await machineOf(ada, "hidden-otter", forgotten, hiding([consentId]));
    expect((await forgetful.owner.catchUp()).wrapped).toBeGreaterThan(0);
  });

  it("gets no key wrapped under a consent that has ended, or of a region that it does not name", async () => {
    const heron = await system.doctor("dr-ended");
    const ada = await system.patient("ended-otter", "Ada");
    const first = await machineOf(ada, "ended-otter", { epochs: [], revocations: [] });
    await first.owner.startEpoch("medical");
    await first.owner.startEpoch("profile");
    const terms = {
      ...{ reader: heron.handle, expectedFingerprint: heron.fingerprint, purpose: "treatment" as const },
      from: system.clock.now(),
    };
    const until = system.clock.now() + DAY_MS;
    const narrow = await first.owner.share({ ...terms, regions: ["profile"], until });
    const short = await first.owner.share({ ...terms, regions: ["medical"], until: terms.from + 60_000 });
    system.clock.advance(61_000);
    const lied = await machineOf(ada, "ended-otter", first.kept, hiding([narrow.consentId, short.consentId]));
    await lied.owner.startEpoch("medical");
    // The profile's key for the consent that names it, and nothing of the medical region for either.
    expect((await lied.owner.catchUp()).wrapped).toBe(1);
  });

  it("does not get a key wrapped to another identity than the consent names, and that is said", async () => {
    const heron = await system.doctor("dr-swapped");
    const magpie = await system.doctor("dr-magpie");
    const ada = await system.patient("swapped-otter", "Ada");
    const first = await machineOf(ada, "swapped-otter", { epochs: [], revocations: [] });
    await first.owner.startEpoch("medical");
    await first.owner.startEpoch("profile");
    const { consentId } = await share(first.owner, heron);
    const { accountId } = heron.session.account;
    const lying: Fetch = async (url, init) => {
      const answer = await fetch(url, init);
      if (!url.includes("/missing-keys")) {
        return answer;
      }
      const { missing, next } = await answer.json();
      const swapped = { ...magpie.session.account, accountId };
      return Response.json({
        missing: missing.map((entry: object) => ({ ...entry, reader: swapped })),
        next,
      });
    };
    const machine = await machineOf(ada, "swapped-otter", first.kept, lying);
    await machine.owner.startEpoch("medical");
    expect(await machine.owner.catchUp()).toEqual({ epochs: [], wrapped: 0, skipped: [consentId] });
  });

  it("cannot pass another patient's consent, or one made up, off as the owner's", async () => {
    const heron = await system.doctor("dr-foreign");
    const ada = await system.patient("mixed-otter", "Ada");
    const bo = await system.patient("mixed-wren", "Bo");
    const first = await machineOf(ada, "mixed-otter", { epochs: [], revocations: [] });
    for (const owner of [first.owner, bo.owner]) {
      await owner.startEpoch("medical");
      await owner.startEpoch("profile");
    }
    const { consentId } = await share(bo.owner, heron);
    const machine = await machineOf(ada, "mixed-otter", first.kept, hiding([consentId]));
    await expect(machine.owner.consents()).rejects.toMatchObject({ code: "STATEMENT_INVALID" });
    await expect(machine.owner.catchUp()).rejects.toMatchObject({ code: "STATEMENT_INVALID" });
  });
});

describe("one machine that starts epochs from several sides at once", () => {
  it("loses no key, and has no number twice", async () => {
    const ada = await system.patient("hasty-otter", "Ada");
    const { owner, kept } = await machineOf(ada, "hasty-otter", { epochs: [], revocations: [] });
    await Promise.all(Array.from({ length: 6 }, () => owner.startEpoch("medical")));
    expect(kept.epochs.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6]);
    const published = await documentsOf(system.stores.kdc, "epochs");
    const own = published.filter((epoch) => epoch.owner === ada.session.account.accountId);
    expect(new Set(own.map(({ _id }) => _id))).toEqual(new Set(kept.epochs.map(({ epochId }) => epochId)));
  });
});

describe("a KDC that was set back to before a revocation", () => {
  it("is told again by the next catching up", async () => {
    const heron = await system.doctor("dr-setback");
    const ada = await system.patient("setback-otter", "Ada");
    const { owner, kept } = await machineOf(ada, "setback-otter", { epochs: [], revocations: [] });
    await owner.startEpoch("medical");
    await owner.startEpoch("profile");
    const { consentId } = await share(owner, heron);
    await owner.revoke(consentId);
    const records = await system.stores.kdc.collection<{ _id: string; revokedAt: number | null }>({
      name: "consents",
      indexes: [],
    });
    await records.updateOne({ _id: { $eq: consentId } }, { $set: { revokedAt: null, revocation: null } });
    expect(await heron.session.grants()).toHaveLength(1);
    const later = await machineOf(ada, "setback-otter", kept);
    await later.owner.catchUp();
    expect(await heron.session.grants()).toEqual([]);
  });
});

describe("a request that somebody on the way sends twice", () => {
  it("costs no epoch: what the second copy is refused for is there", async () => {
    const ada = await system.patient("twice-otter", "Ada");
    const twice: Fetch = async (url, init) => {
      await fetch(url, init);
      return fetch(url, init);
    };
    const { owner, kept } = await machineOf(ada, "twice-otter", { epochs: [], revocations: [] }, twice);
    expect(await owner.startEpoch("medical")).toMatchObject({ number: 1 });
    expect(await owner.startEpoch("medical")).toMatchObject({ number: 2 });
    expect(kept.epochs.map(({ number }) => number)).toEqual([1, 2]);
  });
});

describe("a keystore from an old backup", () => {
  it("goes on behind the epochs that it has lost, on the same stream, and lets the readers read on", async () => {
    const heron = await system.doctor("dr-backup");
    const ada = await system.patient("backed-otter", "Ada");
    const kept: Machine["kept"] = { epochs: [], revocations: [] };
    const { owner } = await machineOf(ada, "backed-otter", kept);
    const first = await owner.startEpoch("medical");
    await owner.startEpoch("profile");
    await share(owner, heron);
    const backup = { epochs: [...kept.epochs], revocations: [] };
    await owner.startEpoch("medical");
    await owner.startEpoch("medical");

    const restored = await machineOf(ada, "backed-otter", backup);
    const next = await restored.owner.startEpoch("medical");
    expect(next).toMatchObject({ number: 4, streamId: first.streamId });
    expect((await restored.owner.catchUp()).wrapped).toBe(1);
    const [stream] = (await heron.reader.shared()).streams.filter(({ region }) => region === "medical");
    expect([...(stream?.epochs.keys() ?? [])].sort()).toEqual([first.epochId, next.epochId].sort());

    const emptied = await machineOf(ada, "backed-otter", { epochs: [], revocations: [] });
    expect(await emptied.owner.startEpoch("medical")).toMatchObject({ number: 5, streamId: first.streamId });
  });
});
