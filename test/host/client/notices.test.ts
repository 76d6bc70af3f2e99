import { afterAll, beforeAll, expect, it } from "vitest";
import { MedcloudletError } from "../../../host/base/index.ts";
import { createNoticeBoard, type KdcSession } from "../../../host/client/index.ts";
import { createNotices, type Notices } from "../../../host/identity/index.ts";
import { backends } from "../../support/stores.ts";
import { type Patient, type System, startSystem } from "../../support/system.ts";
import { sessionOf } from "./people.ts";

let system: System;
let patient: Patient;
let notices: Notices;
beforeAll(async () => {
  system = await startSystem(backends()[0] as NonNullable<ReturnType<typeof backends>[0]>);
  patient = await system.patient("quiet-otter", "Ada");
  notices = await createNotices(system.stores.kdc, system.clock);
});
afterAll(() => system?.stop());

const send = (kind: string, changes: Partial<Parameters<Notices["send"]>[0]> = {}) =>
  notices.send({ to: patient.session.account.accountId, kind, object: "object", ...changes });

it("tells everything once, oldest first, and what comes while somebody listens", async () => {
  const now = system.clock.now();
  await send("test.second", { at: now - 10 });
  await send("test.first", { at: now - 20 });
  await send("test.first", { at: now - 20 });
  await send("test.later", { at: now + 3_600_000 });
  const board = createNoticeBoard(patient.session);
  const abort = new AbortController();
  const told: string[] = [];
  for await (const { kind } of board.follow(abort.signal, { everyMs: 20 })) {
    told.push(kind);
    if (kind === "test.second") {
      await send("test.third");
    }
    if (kind === "test.third") {
      // What was to come in an hour comes now: an earlier time wins.
      await send("test.later");
    }
    if (kind === "test.later") {
      abort.abort();
    }
  }
  expect(told).toEqual(["test.first", "test.second", "test.third", "test.later"]);
  expect((await board.list()).every(({ seenAt }) => seenAt !== null)).toBe(true);
  await send("test.later", { at: system.clock.now() + 7_200_000 });
  expect((await board.list()).map(({ kind }) => kind)).toContain("test.later");
});

it("says that the KDC is away, and ends at a refusal", async () => {
  const account = patient.session.account;
  const failing = (status: number): Partial<KdcSession> => ({
    call: () => Promise.reject(new MedcloudletError("TEST", "Not now.", { status })),
  });
  const abort = new AbortController();
  const trouble: string[] = [];
  const away = createNoticeBoard(sessionOf(account, failing(503))).follow(abort.signal, {
    everyMs: 5,
    onTrouble: ({ code }) => {
      trouble.push(code);
      if (trouble.length === 3) {
        abort.abort();
      }
    },
  });
  expect(await away.next()).toEqual({ done: true, value: undefined });
  expect(trouble).toEqual(["TEST", "TEST", "TEST"]);
  const refused = createNoticeBoard(sessionOf(account, failing(401)));
  await expect(refused.follow(new AbortController().signal).next()).rejects.toMatchObject({ status: 401 });
});

it("is not shown what a terminal would obey", async () => {
  const { account } = patient.session;
  const notice = {
    noticeId: "0".repeat(32),
    at: 1,
    kind: "emergency.requested",
    who: "dr-swift",
    object: "x",
    reason: "fine",
    until: null,
    seenAt: null,
  };
  for (const changes of [{ who: "\u001b[2J" }, { reason: "a\u202eb" }, { kind: "\u0007" }]) {
    const call: KdcSession["call"] = async (schema) => schema.parse({ notices: [{ ...notice, ...changes }] });
    await expect(createNoticeBoard(sessionOf(account, { call })).list()).rejects.toThrow();
  }
});
