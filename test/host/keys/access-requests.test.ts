import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createAccessRequests, createAuditClient, createNoticeBoard } from "../../../host/client/index.ts";
import type { Account } from "../../../host/identity/index.ts";
import { createAccessRequests as createRequestRoom } from "../../../host/keys/index.ts";
import type { Collection, Store } from "../../../host/store/index.ts";
import { termsFor } from "../../support/sharing.ts";
import { backends } from "../../support/stores.ts";
import { DAY_MS, type Doctor, dumpOf, type Patient, type System, startSystem } from "../../support/system.ts";
import { documentsOf, leavesNoTrace, someId } from "../http/attack.ts";

const ASKED = {
  regions: ["medical"] as const,
  purpose: "treatment" as const,
  days: 30,
  reason: "Second opinion.",
};

/** A store that writes down what is asked of it. */
function listening(store: Store, heard: string[]): Store {
  return {
    ...store,
    collection: async <T extends { _id: string }>(spec: Parameters<Store["collection"]>[0]) => {
      const real = await store.collection<T>(spec as never);
      return new Proxy(real, {
        get(target, name: keyof Collection<T>) {
          const method: unknown = target[name];
          if (typeof method !== "function") {
            return method;
          }
          return (...args: unknown[]) => {
            heard.push(`${spec.name}.${name}`);
            return method.apply(target, args);
          };
        },
      });
    },
  };
}

describe.each(backends())("asking for access on the $name store", (backend) => {
  let system: System;
  let ada: Patient;
  let heron: Doctor;

  beforeAll(async () => {
    system = await startSystem(backend);
    ada = await system.patient("ada", "Ada");
    await ada.owner.startEpoch("medical");
    heron = await system.doctor("dr-heron");
  });
  afterAll(() => system?.stop());

  const share = (reader: Doctor, regions: ("medical" | "profile")[] = ["medical"]) =>
    ada.owner.share(termsFor(system, reader, { regions }));

  it("reaches the patient with who asks, for what and why; a consent for it closes it", async () => {
    const asks = createAccessRequests(heron.session);
    const { requestId, expiresAt } = await asks.ask({ handle: "ada", ...ASKED });
    const mine = createAccessRequests(ada.session);
    expect(await mine.received()).toEqual([
      {
        ...{ requestId, ...ASKED, createdAt: expiresAt - 7 * DAY_MS, expiresAt },
        ...{ handle: "dr-heron", role: "doctor", accountId: heron.session.account.accountId },
        fingerprint: heron.fingerprint,
      },
    ]);
    expect(await asks.made()).toMatchObject([{ requestId, handle: "ada", ...ASKED }]);
    expect(await createNoticeBoard(ada.session).list()).toMatchObject([
      { kind: "access.requested", who: "dr-heron", reason: "Second opinion.", until: expiresAt },
    ]);
    // The same once more is the same request, and no second notice.
    expect(await asks.ask({ handle: "ada", ...ASKED, reason: "Again!" })).toEqual({ requestId, expiresAt });
    expect(await mine.received()).toHaveLength(1);
    expect(await createNoticeBoard(ada.session).list()).toHaveLength(1);
    await share(heron);
    expect(await mine.received()).toEqual([]);
    expect(await asks.made()).toEqual([]);
  });

  it("is left open by a consent for less than was asked", async () => {
    await ada.owner.startEpoch("profile");
    const stork = await system.doctor("dr-stork");
    await createAccessRequests(stork.session).ask({
      handle: "ada",
      ...ASKED,
      regions: ["medical", "profile"],
    });
    await share(stork);
    expect(await createAccessRequests(ada.session).received()).toHaveLength(1);
    await share(stork, ["medical", "profile"]);
    expect(await createAccessRequests(ada.session).received()).toEqual([]);
  });

  it("looks the same for a patient, for nobody and for somebody who is none, in shape, store and log", async () => {
    const crane = await system.doctor("dr-crane");
    const asks = createAccessRequests(crane.session);
    const answers = [];
    for (const handle of ["ada", "nobody-at-all", "dr-heron", "operator"]) {
      const { requestId, ...rest } = await asks.ask({ handle, ...ASKED });
      expect(requestId).toMatch(/^[0-9a-f]{32}$/);
      answers.push(Object.keys(rest));
    }
    expect(answers).toEqual(Array(4).fill(["expiresAt"]));
    // Declined by the patient or answered by nobody: to the asker it is one.
    const [toAda] = await createAccessRequests(ada.session).received();
    await createAccessRequests(ada.session).decline(toAda?.requestId ?? "");
    const made = (await asks.made()).map(({ requestId, handle, createdAt, expiresAt, ...rest }) => rest);
    expect(made).toEqual(Array(4).fill(ASKED));
    const entries = (await createAuditClient(crane.session).mine({ after: 0, limit: 1000 })).entries
      .map((entry) =>
        z
          .object({ action: z.string(), owner: z.unknown(), details: z.record(z.string(), z.unknown()) })
          .parse(entry),
      )
      .filter(({ action }) => action === "access.ask");
    expect(entries.map(({ owner }) => owner)).toEqual([null, null, null, null]);
    expect(new Set(entries.map(({ details }) => Object.keys(details).join())).size).toBe(1);

    // The same work, whoever is asked: what the store is asked for, in the same order.
    const heard: string[] = [];
    const room = await createRequestRoom({
      store: listening(system.stores.kdc, heard),
      clock: system.clock,
      accounts: {
        byHandle: async (handle) => {
          heard.push("accounts.byHandle");
          return handle === "ada" ? ({ ...ada.session.account, _id: "ada", role: "patient" } as never) : null;
        },
      },
      notices: {
        send: async () => {
          heard.push("notices.send");
        },
      },
    });
    const asker = { _id: someId(), handle: "dr-x" } as Account;
    const work = [];
    for (const handle of ["ada", "nobody-at-all"]) {
      heard.length = 0;
      await room.ask(asker, handle, ASKED);
      work.push([...heard]);
    }
    expect(work[0]).toEqual(work[1]);
    expect(work[0]).toContain("notices.send");
  });

  it("once declined is not put to the patient again for a week, whatever the asker tries", async () => {
    const ibis = await system.doctor("dr-ibis");
    const asks = createAccessRequests(ibis.session);
    const mine = createAccessRequests(ada.session);
    const { requestId } = await asks.ask({ handle: "ada", ...ASKED });
    await mine.decline(requestId);
    const told = (await createNoticeBoard(ada.session).list()).length;
    expect(await mine.received()).toEqual([]);
    await expect(mine.decline(requestId)).rejects.toMatchObject({ code: "ACCESS_REQUEST_UNKNOWN" });
    await asks.ask({ handle: "ada", ...ASKED });
    await asks.withdraw(requestId);
    expect(await asks.made()).toEqual([]);
    await asks.ask({ handle: "ada", ...ASKED, reason: "Please!" });
    expect(await asks.made()).toMatchObject([{ reason: "Please!" }]);
    expect(await mine.received()).toEqual([]);
    expect(await createNoticeBoard(ada.session).list()).toHaveLength(told);
    system.clock.advance(8 * DAY_MS);
    const again = await system.login("dr-ibis");
    const adaAgain = await system.login("ada");
    await createAccessRequests(again).ask({ handle: "ada", ...ASKED, reason: "A week later." });
    const received = await createAccessRequests(adaAgain).received();
    expect(received).toMatchObject([{ reason: "A week later." }]);
    await createAccessRequests(adaAgain).decline(received[0]?.requestId ?? "");
    // What expired is thrown away.
    const kept = await documentsOf(system.stores.kdc, "access_requests");
    expect(kept.every(({ forgetAt }) => Number(forgetAt) > system.clock.now())).toBe(true);
    heron = { ...heron, session: await system.login("dr-heron") };
    ada = { ...ada, session: adaAgain };
  });

  it("is ended by the two it is between alone, and asked by doctors and researchers, for their own purpose", async () => {
    const { requestId } = await createAccessRequests(heron.session).ask({ handle: "ada", ...ASKED });
    const other = await system.doctor("dr-other");
    const bo = await system.patient("bo-b", "Bo");
    await leavesNoTrace(system, async () => {
      for (const session of [other.session, bo.session]) {
        for (const id of [requestId, someId()]) {
          await expect(createAccessRequests(session).decline(id)).rejects.toMatchObject({
            ...{ code: "ACCESS_REQUEST_UNKNOWN", status: 404 },
          });
        }
      }
      await expect(createAccessRequests(bo.session).ask({ handle: "ada", ...ASKED })).rejects.toMatchObject({
        code: "ROLE_FORBIDDEN",
      });
      const research = { handle: "ada", ...ASKED, purpose: "research" as const };
      await expect(createAccessRequests(heron.session).ask(research)).rejects.toMatchObject({
        code: "CONSENT_ROLE_MISMATCH",
      });
      for (const wrong of [
        { handle: { $ne: "" } },
        { handle: "Ada" },
        { regions: [] },
        { regions: ["medical", "medical"] },
        { days: 0 },
        { days: 4000 },
        { reason: "" },
        { reason: "x".repeat(201) },
        { reason: "two\nlines" },
        { reason: "turned \u202e around" },
        { purpose: "curiosity" },
        { more: true },
      ]) {
        const json = { handle: "ada", ...ASKED, ...wrong };
        const asked = other.session.call(z.unknown(), { method: "POST", path: "/access-requests", json });
        await expect(asked, JSON.stringify(wrong)).rejects.toMatchObject({ code: "REQUEST_INVALID" });
      }
    });
    await createAccessRequests(heron.session).withdraw(requestId);
    expect(await createAccessRequests(ada.session).received()).toEqual([]);
  });

  it("is held to twenty people a day, whether they exist or not", async () => {
    const prober = await system.doctor("dr-prober");
    const asks = createAccessRequests(prober.session);
    for (let i = 0; i < 20; i++) {
      await asks.ask({ handle: `guess-${i}`, ...ASKED });
    }
    for (const handle of ["ada", "guess-99"]) {
      await expect(asks.ask({ handle, ...ASKED })).rejects.toMatchObject({
        ...{ code: "ACCESS_REQUESTS_TODAY", status: 429 },
      });
    }
    // Withdrawing gives no new tries.
    const [first] = await asks.made();
    await asks.withdraw(first?.requestId ?? "");
    await expect(asks.ask({ handle: "guess-99", ...ASKED })).rejects.toMatchObject({
      code: "ACCESS_REQUESTS_TODAY",
    });
    const toNobody = (await dumpOf(system.stores.kdc)).filter(
      ({ collection, document }) => collection === "notices" && document.accountId === "0".repeat(32),
    );
    expect(toNobody.length).toBeGreaterThan(0);
    expect(toNobody.length).toBeLessThan(600);
  });
});
