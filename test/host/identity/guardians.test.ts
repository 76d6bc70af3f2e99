import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomBytes, toBase64Url, toHex } from "../../../host/base/index.ts";
import {
  type ContactCard,
  cardFingerprint,
  collectCode,
  createAccountClient,
  createIdentity,
  giveShare,
  type KeystoreContents,
  namedGuardians,
  nameGuardians,
  type PersonKeys,
  personFingerprint,
  recoverAccount,
  recoveryRequests,
  requestRecovery,
  vetoRecovery,
  withdrawGuardians,
} from "../../../host/client/index.ts";
import { GUARDIAN_SHARE, GUARDIANS, type Guardians, signStatement } from "../../../host/sealing/index.ts";
import { backends } from "../../support/stores.ts";
import { DAY_MS, PASSWORD, type Person, type System, startSystem } from "../../support/system.ts";
import { documentsOf, expectProblem, kdcOf, leavesNoTrace, replay, signed } from "../http/attack.ts";

const NEW_PASSWORD = "seven otters under one bridge";

describe.each(backends())("guardians on the $name store", (backend) => {
  let system: System;
  let owner: Person;
  let guardians: Person[];
  let stranger: Person;
  let requester: PersonKeys;
  let identity: string;
  let requestId: string;

  const cardOf = ({ session }: Person): ContactCard => {
    const { accountId, handle, identity } = session.account;
    return { accountId, handle, identity };
  };

  const contentsOf = ({ session, secrets }: Person): KeystoreContents => ({
    accountId: session.account.accountId,
    handle: session.account.handle,
    role: "patient",
    name: "Ada",
    signingSeed: toBase64Url(secrets[0] as Uint8Array),
    receivingKey: toBase64Url(secrets[1] as Uint8Array),
    epochs: [],
    known: {},
  });

  const name = (cards: readonly ContactCard[], threshold: number, password = PASSWORD) =>
    nameGuardians({
      session: owner.session,
      suite: system.suite,
      clock: system.clock,
      keys: owner.keys,
      contents: contentsOf(owner),
      cards,
      threshold,
      given: { password },
    });

  const give = async (guardian: Person, id = requestId, told = personFingerprint(requester)) => {
    const { toAnswer } = await recoveryRequests(guardian.session);
    const asked = toAnswer.find((request) => request.requestId === id);
    if (asked === undefined) {
      throw new Error("this guardian is not asked");
    }
    await giveShare({
      session: guardian.session,
      suite: system.suite,
      clock: system.clock,
      keys: guardian.keys,
      asked,
      expectedFingerprint: told,
    });
  };

  const collect = () => collectCode(kdcOf(system), requestId, requester);

  const ask = async (handle = "quiet-otter") => {
    ({ keys: requester, statement: identity } = await createIdentity(system.suite, system.clock));
    ({ requestId } = await requestRecovery(kdcOf(system), handle, identity));
  };

  beforeAll(async () => {
    system = await startSystem(backend);
    owner = await system.patient("quiet-otter", "Ada");
    guardians = [
      await system.patient("loud-magpie", "Bo"),
      await system.doctor("dr-heron"),
      await system.patient("marsh-hen", "Cy"),
    ];
    stranger = await system.patient("reed-wren", "Di");
  });
  afterAll(() => system?.stop());

  it("are named by the owner with the password, as other patients and doctors under their own fingerprint", async () => {
    const cards = guardians.map(cardOf);
    const [first, second] = cards as [ContactCard, ContactCard];
    await leavesNoTrace(system, async () => {
      await expect(name(cards, 2, "a wrong password")).rejects.toMatchObject({ code: "PASSWORD_WRONG" });
      await expect(name([first], 2)).rejects.toThrow();
      await expect(name(cards, 4)).rejects.toThrow();
      await expect(name([first, first], 2)).rejects.toThrow();
      for (const wrong of [
        cardOf(owner),
        cardOf(system.operator),
        { ...second, accountId: toHex(randomBytes(16)) },
        { ...second, identity: (await createIdentity(system.suite, system.clock)).statement },
      ]) {
        await expect(name([first, wrong], 2)).rejects.toMatchObject({ code: "GUARDIAN_UNKNOWN" });
      }
    });
    // Whose account is closed answers nobody.
    const officer = createAccountClient((await system.person("security-officer", "day-watch")).session);
    await officer.suspend("dr-heron", true);
    await expect(name(cards, 2)).rejects.toMatchObject({ code: "GUARDIAN_UNKNOWN" });
    await officer.suspend("dr-heron", false);
    guardians[1] = { ...(guardians[1] as Person), session: await system.login("dr-heron") };
    await name(cards, 2);
    expect(await cardFingerprint(first)).toBe(personFingerprint((guardians[0] as Person).keys));
    // Another's session cannot put the owner's statement, nor one of its own making, in the owner's place.
    const [kept] = await documentsOf(system.stores.kdc, "guardian_sets");
    const put = (statement: string, session = stranger.session) =>
      fetch(`${system.kdc.url}/v1/guardians`, {
        method: "PUT",
        headers: { Authorization: `Bearer ${session.token}`, "Content-Type": "application/json" },
        body: JSON.stringify({
          password: PASSWORD,
          statement,
          verifier: toBase64Url(randomBytes(32)),
          locked: "x",
        }),
      });
    await expectProblem(await put(String(kept?.statement)), 400, "STATEMENT_INVALID");
    const forged = await signStatement(GUARDIANS, kept?.set as Guardians, stranger.keys.signing);
    await expectProblem(await put(forged), 403, "GUARDIANS_OWNER_MISMATCH");
  });

  it("are asked in one way whether the handle exists or not", async () => {
    const statement = (await createIdentity(system.suite, system.clock)).statement;
    const shapes = [];
    for (const handle of ["quiet-otter", "reed-wren", "nobody-at-all", "cloudlet-one"]) {
      const answer = await requestRecovery(kdcOf(system), handle, statement);
      shapes.push(Object.keys(answer).sort().join());
    }
    expect(new Set(shapes).size).toBe(1);
    // One that asks guardians, and one place that all others share.
    const kept = await documentsOf(system.stores.kdc, "recovery_requests");
    expect(kept).toHaveLength(2);
    // Nor does asking on tell one from the other.
    const shares = [];
    for (const handle of ["quiet-otter", "nobody-at-all"]) {
      await ask(handle);
      const url = `${system.kdc.url}/v1/recovery-requests/${requestId}/shares`;
      const sent = await signed(system, { method: "GET", url, key: requester.signing });
      shares.push(await (await replay(sent)).text());
    }
    expect(shares[0]).toBe(shares[1]);
  });

  it("give nothing below their number, and the owner's code from there on", async () => {
    await ask();
    await expect(collect()).rejects.toMatchObject({ code: "RECOVERY_SHARES_FEW", details: { have: 0 } });
    await give(guardians[0] as Person);
    await expect(collect()).rejects.toMatchObject({
      code: "RECOVERY_SHARES_FEW",
      details: { have: 1, needed: 2 },
    });
    await expect(give(guardians[0] as Person)).rejects.toThrow("not asked");
    await give(guardians[2] as Person);
    const code = await collect();
    expect(code).toHaveLength(20);
    const events = await createAccountClient(owner.session).events();
    expect(events.find(({ kind }) => kind === "recovery-share-given")?.count).toBe(2);
    expect(events.map(({ kind }) => kind)).toContain("recovery-requested");
    const { contents } = await recoverAccount(kdcOf(system), {
      handle: "quiet-otter",
      code,
      newPassword: NEW_PASSWORD,
    });
    expect(contents).toEqual(contentsOf(owner));
    await expect(owner.session.epochs()).rejects.toMatchObject({ code: "SESSION_INVALID" });
    owner = { ...owner, session: await kdcOf(system).login("quiet-otter", NEW_PASSWORD) };
    await createAccountClient(owner.session).changePassword({
      password: NEW_PASSWORD,
      newPassword: PASSWORD,
    });
  });

  it("give to the key they compared alone", async () => {
    await ask();
    const mallory = await createIdentity(system.suite, system.clock);
    await expect(
      give(guardians[0] as Person, requestId, personFingerprint(mallory.keys)),
    ).rejects.toMatchObject({ code: "RECOVERY_REQUESTER_CHANGED" });
    // The KDC puts another identity in: the fingerprint that was told does not fit it.
    const { toAnswer } = await recoveryRequests((guardians[0] as Person).session);
    const asked = toAnswer.find((request) => request.requestId === requestId);
    const guardian = guardians[0] as Person;
    await expect(
      giveShare({
        session: guardian.session,
        suite: system.suite,
        clock: system.clock,
        keys: guardian.keys,
        asked: { ...(asked as NonNullable<typeof asked>), identity: mallory.statement },
        expectedFingerprint: personFingerprint(requester),
      }),
    ).rejects.toMatchObject({ code: "RECOVERY_REQUESTER_CHANGED" });
  });

  it("alone answer, each once, for themselves and for this request", async () => {
    const guardian = guardians[0] as Person;
    const { toAnswer } = await recoveryRequests(guardian.session);
    const asked = toAnswer.find((request) => request.requestId === requestId);
    const [kept] = await documentsOf(system.stores.kdc, "guardian_sets");
    const share = {
      requestId,
      setId: (kept?.set as Guardians | undefined)?.setId ?? "",
      owner: owner.session.account.accountId,
      guardian: guardian.session.account.accountId,
      requesterFingerprint: String(asked?.fingerprint),
      enc: toBase64Url(randomBytes(962)),
      ciphertext: toBase64Url(randomBytes(71)),
      createdAt: system.clock.now(),
    };
    const answer = async (
      by: Person,
      changes: Partial<typeof share>,
      id = requestId,
      key = by.keys.signing,
    ) =>
      fetch(`${system.kdc.url}/v1/recovery-requests/${id}/shares`, {
        method: "POST",
        headers: { Authorization: `Bearer ${by.session.token}`, "Content-Type": "application/json" },
        body: JSON.stringify({
          statement: await signStatement(GUARDIAN_SHARE, { ...share, ...changes }, key),
        }),
      });
    await leavesNoTrace(system, async () => {
      const other = toHex(randomBytes(16));
      await expectProblem(await answer(stranger, {}), 404, "RECOVERY_REQUEST_UNKNOWN");
      await expectProblem(await answer(owner, {}), 404, "RECOVERY_REQUEST_UNKNOWN");
      await expectProblem(await answer(guardian, {}, other), 404, "RECOVERY_REQUEST_UNKNOWN");
      await expectProblem(
        await answer(guardian, {}, requestId, stranger.keys.signing),
        400,
        "STATEMENT_INVALID",
      );
      for (const changes of [
        { requestId: other },
        { setId: other },
        { owner: other },
        { guardian: (guardians[1] as Person).session.account.accountId },
        { requesterFingerprint: "00".repeat(32) },
      ]) {
        await expectProblem(await answer(guardian, changes), 403, "RECOVERY_SHARE_MISMATCH");
      }
      // Who is a guardian of nobody is asked by nobody.
      expect((await recoveryRequests(stranger.session)).toAnswer).toEqual([]);
    });
    // A guardian who gives rubbish does not keep two others from bringing the owner back.
    expect((await answer(guardian, {})).status).toBe(201);
    await expectProblem(await answer(guardian, {}), 409, "RECOVERY_REQUEST_CLOSED");
    await give(guardians[1] as Person);
    await expect(collect()).rejects.toMatchObject({ code: "RECOVERY_SHARES_FEW" });
    await give(guardians[2] as Person);
    expect(await collect()).toHaveLength(20);
  });

  it("shares go to the holder of the temporary key alone", async () => {
    const url = `${system.kdc.url}/v1/recovery-requests/${requestId}/shares`;
    const byStranger = await signed(system, { method: "GET", url, key: stranger.keys.signing });
    await expectProblem(await replay(byStranger), 404, "RECOVERY_REQUEST_UNKNOWN");
    await expectProblem(await fetch(url), 401, "PROOF_INVALID");
    const recorded = await signed(system, { method: "GET", url, key: requester.signing });
    expect((await replay(recorded)).status).toBe(200);
    await expectProblem(await replay(recorded), 401, "PROOF_REPLAYED");
  });

  it("are stopped by the owner's veto, which nobody else has", async () => {
    await ask();
    await give(guardians[0] as Person);
    await give(guardians[1] as Person);
    for (const other of [stranger, guardians[0] as Person]) {
      await expect(vetoRecovery(other.session, requestId)).rejects.toMatchObject({
        code: "RECOVERY_REQUEST_UNKNOWN",
      });
    }
    const { own } = await recoveryRequests(owner.session);
    expect(own.find((request) => request.requestId === requestId)).toMatchObject({
      fingerprint: personFingerprint(requester),
      answers: 2,
      state: "open",
    });
    await vetoRecovery(owner.session, requestId);
    await expect(collect()).rejects.toMatchObject({ code: "RECOVERY_VETOED" });
    await expect(give(guardians[2] as Person)).rejects.toThrow("not asked");
    const kept = (await documentsOf(system.stores.kdc, "recovery_requests")).find(
      ({ _id }) => _id === requestId,
    );
    expect(kept?.shares).toEqual([]);
  });

  it("see the newest requests of an owner alone, and the owner one message an hour, however many strangers ask", async () => {
    const guardian = await system.patient("shy-dunnock", "Du");
    const flooded = await system.patient("busy-beaver", "Be");
    await nameGuardians({
      session: flooded.session,
      suite: system.suite,
      clock: system.clock,
      keys: flooded.keys,
      contents: contentsOf(flooded),
      cards: [cardOf(guardian), cardOf(stranger)],
      threshold: 2,
      given: { password: PASSWORD },
    });
    // The limit lets them through hour by hour; here they lie in the database at once.
    const asked = await requestRecovery(kdcOf(system), "busy-beaver", identity);
    const collection = await system.stores.kdc.collection<Record<string, unknown> & { _id: string }>({
      name: "recovery_requests",
      indexes: [],
    });
    const [request] = (await documentsOf(system.stores.kdc, "recovery_requests")).filter(
      ({ _id }) => _id === asked.requestId,
    );
    for (let i = 0; i < 60; i++) {
      const earlier = (request?.createdAt as number) - 1000 - i;
      await collection.insertOne({ ...request, _id: toHex(randomBytes(16)), createdAt: earlier });
    }
    const { toAnswer } = await recoveryRequests(guardian.session);
    expect(toAnswer).toHaveLength(20);
    expect(toAnswer.at(-1)?.requestId).toBe(asked.requestId);
    await requestRecovery(kdcOf(system), "busy-beaver", identity);
    const told = (await documentsOf(system.stores.kdc, "notices")).filter(
      ({ accountId, kind }) =>
        accountId === flooded.session.account.accountId && kind === "account.recovery-requested",
    );
    const hours = new Set(told.map(({ at }) => Math.floor((at as number) / 3_600_000)));
    expect(told).toHaveLength(hours.size);
  });

  it("are done without for the password, and shares that were given already open nothing then", async () => {
    await name(guardians.map(cardOf), 2);
    await ask();
    await give(guardians[0] as Person);
    await give(guardians[1] as Person);
    const code = await collect();
    await leavesNoTrace(system, async () => {
      const wrong = withdrawGuardians(owner.session, { password: "a wrong password" });
      await expect(wrong).rejects.toMatchObject({ code: "PASSWORD_WRONG" });
    });
    await withdrawGuardians(owner.session, { password: PASSWORD });
    expect(await namedGuardians(owner.session, owner.keys)).toBeNull();
    expect((await recoveryRequests((guardians[2] as Person).session)).toAnswer).toEqual([]);
    const recovering = recoverAccount(kdcOf(system), {
      ...{ handle: "quiet-otter", code, newPassword: NEW_PASSWORD },
    });
    await expect(recovering).rejects.toMatchObject({ code: "RECOVERY_REFUSED" });
    // Once more changes nothing, and naming others is possible.
    await withdrawGuardians(owner.session, { password: PASSWORD });
    await name(guardians.map(cardOf), 2);
  });

  it("of an earlier choice are asked no more, and a request ends by itself after a week", async () => {
    await ask();
    expect((await recoveryRequests((guardians[1] as Person).session)).toAnswer).not.toEqual([]);
    await name(guardians.slice(0, 2).map(cardOf), 2);
    expect((await recoveryRequests((guardians[1] as Person).session)).toAnswer).toEqual([]);
    await ask();
    system.clock.advance(7 * DAY_MS);
    const session = await system.login("loud-magpie");
    expect((await recoveryRequests(session)).toAnswer).toEqual([]);
    await expect(collect()).rejects.toMatchObject({ code: "RECOVERY_REQUEST_UNKNOWN" });
  });
});
