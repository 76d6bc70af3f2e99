import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { randomBytes, toBase64Url, toHex } from "../../../host/base/index.ts";
import {
  armRecovery,
  createAccountClient,
  fetchBackup,
  type KeystoreContents,
  keepBackup,
  lockKeystoreWithKey,
  newestContents,
  newRecoveryCode,
  recoverAccount,
  recoveryProof,
  unlockKeystore,
} from "../../../host/client/index.ts";
import { createProof } from "../../../host/sealing/index.ts";
import { enrol } from "../../support/authenticator.ts";
import { spellings } from "../../support/leaks.ts";
import { backends } from "../../support/stores.ts";
import { DAY_MS, dumpOf, PASSWORD, type Patient, type System, startSystem } from "../../support/system.ts";
import { documentsOf, expectProblem, kdcOf, leavesNoTrace } from "../http/attack.ts";

const PASSPHRASE = "a passphrase for the keys";
const NEW_PASSWORD = "seven otters under one bridge";

describe.each(backends())("a lost machine, passphrase or password, on the $name store", (backend) => {
  let system: System;
  let ada: Patient;
  let bo: Patient;
  let code: Awaited<ReturnType<typeof newRecoveryCode>>;

  const contentsOf = ({ session, secrets }: Patient, epochs = 0): KeystoreContents => ({
    accountId: session.account.accountId,
    handle: session.account.handle,
    role: "patient",
    name: "Ada Quillfeather",
    signingSeed: toBase64Url(secrets[0] as Uint8Array),
    receivingKey: toBase64Url(secrets[1] as Uint8Array),
    epochs: Array.from({ length: epochs }, (_, i) => ({
      region: "medical" as const,
      streamId: "ab".repeat(16),
      epochId: toHex(randomBytes(16)),
      number: i + 1,
      privateKey: toBase64Url(randomBytes(32)),
    })),
    known: {},
  });

  const backUp = async (
    person: Patient,
    version: number,
    contents = contentsOf(person),
    passphrase = PASSPHRASE,
  ) =>
    keepBackup({
      session: person.session,
      suite: system.suite,
      keys: person.keys,
      locked: await lockKeystoreWithKey(contents, passphrase),
      version,
    });

  const recover = (handle: string, proof: Uint8Array, newPassword = NEW_PASSWORD) =>
    fetch(`${system.kdc.url}/v1/recoveries`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ handle, proof: toBase64Url(proof), newPassword }),
    });

  beforeAll(async () => {
    system = await startSystem(backend);
    ada = await system.patient("quiet-otter", "Ada");
    bo = await system.patient("loud-magpie", "Bo");
  });
  afterAll(() => system?.stop());

  it("brings the keystore back by the passphrase, and no older one takes its place", async () => {
    await expect(fetchBackup(ada.session)).rejects.toMatchObject({ code: "BACKUP_MISSING" });
    await backUp(ada, 1);
    const kept = contentsOf(ada, 2);
    await backUp(ada, 2, kept);
    await leavesNoTrace(system, async () => {
      for (const version of [1, 2]) {
        await expect(backUp(ada, version)).rejects.toMatchObject({ code: "BACKUP_STALE", status: 409 });
      }
      await expect(backUp(ada, 0)).rejects.toMatchObject({ code: "REQUEST_INVALID" });
    });
    const { keystore, version } = await fetchBackup(ada.session);
    expect(version).toBe(2);
    expect(await unlockKeystore(keystore, PASSPHRASE)).toEqual(kept);
    await expect(fetchBackup(bo.session)).rejects.toMatchObject({ code: "BACKUP_MISSING" });
  });

  it("lets nobody with a stolen session alone put anything in its place", async () => {
    const before = await fetchBackup(ada.session);
    const json = { version: Number.MAX_SAFE_INTEGER, keystore: "rubbish", escrow: before.escrow };
    const put = (key?: typeof bo.keys.signing) =>
      ada.session.call(z.unknown(), {
        method: "PUT",
        path: "/backup",
        json,
        ...(key === undefined ? {} : { key }),
      });
    await expect(put()).rejects.toMatchObject({ code: "PROOF_INVALID", status: 401 });
    await expect(put(bo.keys.signing)).rejects.toMatchObject({ code: "PROOF_KEY_MISMATCH", status: 403 });
    expect(await fetchBackup(ada.session)).toEqual(before);
  });

  it.runIf(backend.name === "embedded")("keeps one of two backups of one version that race", async () => {
    const outcomes = await Promise.allSettled([backUp(bo, 7), backUp(bo, 7), backUp(bo, 7)]);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("takes a keystore of thousands of characters, and none without bounds", async () => {
    const url = `${system.kdc.url}/v1/backup`;
    const put = async (keystore: string, version: number) =>
      fetch(url, {
        method: "PUT",
        headers: {
          Authorization: `Bearer ${bo.session.token}`,
          DPoP: await createProof({ key: bo.keys.signing, method: "PUT", url, clock: system.clock }),
          "Content-Type": "application/json",
        },
        body: JSON.stringify({
          version,
          keystore,
          escrow: { enc: toBase64Url(randomBytes(962)), ciphertext: toBase64Url(randomBytes(48)) },
        }),
      });
    expect((await put("x".repeat(196_608), 100)).status).toBe(200);
    await expectProblem(await put("x".repeat(196_609), 101), 400, "REQUEST_INVALID");
    await expectProblem(await put("x".repeat(300_000), 101), 413, "REQUEST_TOO_LARGE");
  });

  it("is not recovered by anybody before there is a code", async () => {
    await expectProblem(await recover("quiet-otter", new Uint8Array(32)), 401, "RECOVERY_REFUSED");
  });

  it("gets no code from a stolen session alone", async () => {
    await leavesNoTrace(system, async () => {
      for (const given of [{ password: "a wrong password" }, { password: "" }]) {
        await expect(
          armRecovery(ada.session, newRecoveryCode(), contentsOf(ada), given),
        ).rejects.toMatchObject({ code: expect.stringMatching(/PASSWORD_WRONG|REQUEST_INVALID/) });
      }
    });
  });

  it("answers a wrong code, another's code, and an unknown handle alike, and the owner sees the attempt", async () => {
    code = newRecoveryCode();
    await armRecovery(ada.session, code, contentsOf(ada, 1), { password: PASSWORD });
    const problems = [];
    for (const [handle, proof] of [
      ["quiet-otter", recoveryProof(newRecoveryCode())],
      ["loud-magpie", recoveryProof(code)],
      ["nobody-at-all", recoveryProof(code)],
      ["cloudlet-one", recoveryProof(code)],
      // The code itself, and what opens its lock, are no proofs.
      ["quiet-otter", new Uint8Array([...code, ...new Uint8Array(12)])],
    ] as const) {
      const { instance: _, ...problem } = await expectProblem(
        await recover(handle, proof),
        401,
        "RECOVERY_REFUSED",
      );
      problems.push(problem);
    }
    for (const problem of problems) {
      expect(problem).toEqual(problems[0]);
    }
    const events = await createAccountClient(ada.session).events();
    expect(events.find(({ kind }) => kind === "recovery-failed")?.count).toBe(3);
    expect((await system.login("quiet-otter")).account.handle).toBe("quiet-otter");
  });

  it("comes back whole with the printed code: password, keys, and all that was backed up since", async () => {
    const newest = contentsOf(ada, 5);
    await backUp(ada, 3, newest, "a passphrase that is forgotten");
    const { authenticator } = await enrol(ada.session, PASSWORD, system.clock);
    const thief = await kdcOf(system).login("quiet-otter", PASSWORD, { code: authenticator.code() });

    const recovered = await recoverAccount(kdcOf(system), {
      handle: "quiet-otter",
      code,
      newPassword: NEW_PASSWORD,
    });
    expect(recovered.contents.epochs).toHaveLength(1);
    expect(recovered.contents.signingSeed).toBe(newest.signingSeed);

    for (const { token } of [thief, ada.session]) {
      const answer = await fetch(`${system.kdc.url}/v1/accounts/me`, {
        headers: { Authorization: `Bearer ${token}` },
      });
      await expectProblem(answer, 401, "SESSION_INVALID");
    }
    await expect(
      kdcOf(system).login("quiet-otter", PASSWORD, { code: authenticator.code() }),
    ).rejects.toMatchObject({ code: "LOGIN_FAILED" });
    const session = await kdcOf(system).login("quiet-otter", NEW_PASSWORD);
    expect(session.secondFactor).toBe("none");
    const { contents, version } = await newestContents(session, recovered.contents, ada.keys.receiving);
    expect(contents).toEqual(newest);
    expect(version).toBe(3);
    expect((await createAccountClient(session).events()).map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(["recovered", "recovery-code-set"]),
    );
    ada = { ...ada, session };
  });

  it("takes a code once; who lost the answer asks again in the same words, and changes nothing by it", async () => {
    const again = await recover("quiet-otter", recoveryProof(code));
    expect(again.status).toBe(201);
    expect(await again.json()).toMatchObject({ locked: expect.any(String) });
    // The session since, and a factor enrolled since, stand.
    expect((await createAccountClient(ada.session).sessions()).length).toBeGreaterThan(0);
    await expectProblem(
      await recover("quiet-otter", recoveryProof(code), "four herons in a reed bed"),
      403,
      "RECOVERY_CODE_USED",
    );
    expect((await kdcOf(system).login("quiet-otter", NEW_PASSWORD)).account.handle).toBe("quiet-otter");
    system.clock.advance(61 * 60_000);
    await expectProblem(await recover("quiet-otter", recoveryProof(code)), 403, "RECOVERY_CODE_USED");
  });

  it("does not take a backup that the KDC made up for the real one", async () => {
    const recovered = contentsOf(ada, 1);
    const forged = { ...contentsOf(ada, 9), signingSeed: toBase64Url(randomBytes(32)) };
    await backUp(ada, 4, forged);
    const { contents } = await newestContents(ada.session, recovered, ada.keys.receiving);
    expect(contents).toEqual(recovered);
    // An older one, with fewer epochs than the code gave, is no gain either.
    await backUp(ada, 5, contentsOf(ada, 0));
    expect((await newestContents(ada.session, recovered, ada.keys.receiving)).contents).toEqual(recovered);
  });

  it("sends staff back to enrol a second factor, with nothing else open", async () => {
    const doctor = await system.doctor("dr-heron");
    const own = newRecoveryCode();
    const contents: KeystoreContents = { ...contentsOf(bo), accountId: doctor.session.account.accountId };
    system.clock.advance(60_000);
    const given = { password: PASSWORD, code: system.code("dr-heron") };
    await armRecovery(doctor.session, own, contents, given);
    await recoverAccount(kdcOf(system), { handle: "dr-heron", code: own, newPassword: NEW_PASSWORD });
    const session = await kdcOf(system).login("dr-heron", NEW_PASSWORD);
    expect(session.secondFactor).toBe("missing");
    await expect(session.grants()).rejects.toMatchObject({ code: "SECOND_FACTOR_MISSING" });
  });

  it("knows the newest code alone", async () => {
    const newer = newRecoveryCode();
    await armRecovery(ada.session, newer, contentsOf(ada), { password: NEW_PASSWORD });
    await expectProblem(await recover("quiet-otter", recoveryProof(code)), 401, "RECOVERY_REFUSED");
    // A password that is refused does not use it up.
    await expectProblem(
      await recover("quiet-otter", recoveryProof(newer), "passwordpassword"),
      400,
      "PASSWORD_WEAK",
    );
    expect((await recover("quiet-otter", recoveryProof(newer))).status).toBe(201);
    code = newer;
  });

  it.runIf(backend.name === "embedded")("lets one of two uses in, when they race", async () => {
    const own = newRecoveryCode();
    await armRecovery(bo.session, own, contentsOf(bo), { password: PASSWORD });
    const passwords = ["four herons in a reed bed", "nine storks on a chimney", "two cranes at a pond"];
    const outcomes = await Promise.all(
      passwords.map(async (password) => (await recover("loud-magpie", recoveryProof(own), password)).status),
    );
    expect(outcomes.filter((status) => status === 201)).toHaveLength(1);
    const logins = await Promise.allSettled(
      passwords.map((password) => kdcOf(system).login("loud-magpie", password)),
    );
    expect(logins.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const password = passwords[outcomes.indexOf(201)] as string;
    bo = { ...bo, session: await kdcOf(system).login("loud-magpie", password) };
    await createAccountClient(bo.session).changePassword({ password, newPassword: PASSWORD });
  });

  it("is not the way around a closed account", async () => {
    const session = await kdcOf(system).login("quiet-otter", NEW_PASSWORD);
    code = newRecoveryCode();
    await armRecovery(session, code, contentsOf(ada), { password: NEW_PASSWORD });
    const officer = await system.person("security-officer", "day-watch");
    await createAccountClient(officer.session).suspend("quiet-otter", true);
    await expectProblem(await recover("quiet-otter", recoveryProof(code)), 401, "RECOVERY_REFUSED");
    await createAccountClient(officer.session).suspend("quiet-otter", false);
    expect((await recover("quiet-otter", recoveryProof(code))).status).toBe(201);
  });

  it("is throttled, and fills no store: a day's failures are one document", async () => {
    let limited = 0;
    for (let i = 0; i < 14; i++) {
      limited += (await recover("loud-magpie", randomBytes(32))).status === 429 ? 1 : 0;
    }
    expect(limited).toBeGreaterThan(3);
    const events = await documentsOf(system.stores.kdc, "account_events");
    const failures = events.filter(
      ({ kind, accountId }) => kind === "recovery-failed" && accountId === bo.session.account.accountId,
    );
    expect(failures).toHaveLength(1);
    system.clock.advance(DAY_MS);
  });

  it("leaves neither code nor proof nor any key in the store", async () => {
    const stored = JSON.stringify(await dumpOf(system.stores.kdc));
    for (const secret of [code, recoveryProof(code), ...ada.secrets]) {
      for (const spelling of spellings(secret).filter((text) => text.length > 20)) {
        expect(stored.includes(spelling)).toBe(false);
      }
    }
    expect(stored.includes("Quillfeather")).toBe(false);
    expect(stored.includes(PASSPHRASE)).toBe(false);
  });
});
