import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AccountClient, createAccountClient, createIdentity } from "../../../host/client/index.ts";
import { backends } from "../../support/stores.ts";
import { DAY_MS, PASSWORD, type Person, type System, startSystem } from "../../support/system.ts";
import { documentsOf, kdcOf, someId } from "../http/attack.ts";

describe.each(backends())("invitations, on the $name store", (backend) => {
  let system: System;
  let officer: Person;
  let operator: AccountClient;
  let other: AccountClient;
  let identity: string;

  const register = (invitation: string, handle: string) =>
    kdcOf(system).register({ invitation, handle, password: PASSWORD, identity });

  beforeAll(async () => {
    system = await startSystem(backend);
    operator = createAccountClient(system.operator.session);
    officer = await system.person("security-officer", "day-watch");
    other = createAccountClient((await system.person("operator", "late-shift")).session);
    identity = (await createIdentity(system.suite, system.clock)).statement;
  });
  afterAll(() => system?.stop());

  it("are listed to who made them, with what became of them and without their codes", async () => {
    const { invitationId, code, expiresAt } = await system.operator.session.invite("patient");
    const waiting = { invitationId, role: "patient", expiresAt, usedAt: null, usedBy: null };
    expect(await operator.invitations()).toContainEqual(waiting);
    expect(JSON.stringify(await operator.invitations())).not.toContain(code);
    expect(await other.invitations()).toEqual([]);
    await register(code, "quiet-otter");
    const used = (await operator.invitations()).find((one) => one.invitationId === invitationId);
    expect(used).toMatchObject({ usedAt: expect.any(Number), usedBy: "quiet-otter" });
    // Neither does the list give what the store keeps instead of the code.
    const [kept] = (await documentsOf(system.stores.kdc, "invitations")).filter(
      (document) => document.invitationId === invitationId,
    );
    expect(kept).toMatchObject({ _id: expect.not.stringContaining(invitationId) });
  });

  it("make no account once they are withdrawn", async () => {
    const { invitationId, code } = await system.operator.session.invite("doctor");
    await operator.withdrawInvitation(invitationId);
    await expect(register(code, "dr-late")).rejects.toMatchObject({ code: "INVITATION_INVALID" });
    expect(JSON.stringify(await operator.invitations())).not.toContain(invitationId);
    await expect(operator.withdrawInvitation(invitationId)).rejects.toMatchObject({
      code: "INVITATION_UNKNOWN",
      status: 404,
    });
  });

  it("are withdrawn by nobody else, and not once they were used", async () => {
    const { invitationId, code } = await system.operator.session.invite("patient");
    for (const stranger of [other, createAccountClient(officer.session)]) {
      await expect(stranger.withdrawInvitation(invitationId)).rejects.toMatchObject({
        code: "INVITATION_UNKNOWN",
      });
    }
    await expect(operator.withdrawInvitation(someId())).rejects.toMatchObject({ code: "INVITATION_UNKNOWN" });
    await register(code, "brave-wren");
    await expect(operator.withdrawInvitation(invitationId)).rejects.toMatchObject({
      code: "INVITATION_USED",
      status: 409,
    });
    const patient = createAccountClient(await system.login("brave-wren"));
    await expect(patient.invitations()).rejects.toMatchObject({ code: "ROLE_FORBIDDEN" });
    await expect(patient.withdrawInvitation(invitationId)).rejects.toMatchObject({ code: "ROLE_FORBIDDEN" });
  });

  it("wait again where no account came of them, and leave the list when they run out", async () => {
    const { invitationId, code } = await system.operator.session.invite("patient");
    await expect(register(code, "quiet-otter")).rejects.toMatchObject({ code: "ACCOUNT_HANDLE_TAKEN" });
    const listed = async () =>
      (await createAccountClient(await system.login("operator")).invitations()).find(
        (one) => one.invitationId === invitationId,
      );
    expect(await listed()).toMatchObject({ usedAt: null, usedBy: null });
    system.clock.advance(8 * DAY_MS);
    expect(await listed()).toBeUndefined();
  });

  it.runIf(backend.name === "embedded")("end one way: used or withdrawn, whoever comes first", async () => {
    const session = await system.login("operator");
    const client = createAccountClient(session);
    for (let round = 0; round < 6; round++) {
      const { invitationId, code } = await session.invite("patient");
      const [used, withdrawn] = await Promise.allSettled([
        register(code, `racing-hare-${round}`),
        client.withdrawInvitation(invitationId),
      ]);
      expect([used.status, withdrawn.status].sort()).toEqual(["fulfilled", "rejected"]);
    }
  });
});
