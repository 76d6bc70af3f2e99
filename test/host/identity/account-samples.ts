import { z } from "zod";
import { randomBytes, toBase64Url } from "../../../host/base/index.ts";
import { type ContactCard, nameGuardians, requestRecovery } from "../../../host/client/index.ts";
import type { Action } from "../../../host/identity/index.ts";
import { PASSWORD, type Person } from "../../support/system.ts";
import { kdcOf, someId } from "../http/attack.ts";
import type { Owned, Sample, World } from "./policy-samples.ts";

const WRONG = "not anybody's password";

const cardOf = ({ session }: Person): ContactCard => {
  const { accountId, handle, identity } = session.account;
  return { accountId, handle, identity };
};

/** What was made once for each world: guardians of a patient, and one request for each patient and action. */
const made = new WeakMap<World, Map<string, Promise<string>>>();
let strangers = 0;

function once(world: World, name: string, make: () => Promise<string>): Promise<string> {
  const known = made.get(world) ?? new Map<string, Promise<string>>();
  made.set(world, known);
  const result = known.get(name) ?? make();
  known.set(name, result);
  return result;
}

async function nameGuardiansOf({ system, ada, cy, doctor, stranger }: World, target: Owned): Promise<string> {
  const { session, keys } = target.patient;
  const { accountId, handle } = session.account;
  const guardians = target === cy ? [doctor, ada.patient] : [cy.patient, stranger];
  await nameGuardians({
    session,
    suite: system.suite,
    clock: system.clock,
    keys,
    contents: {
      accountId,
      handle,
      role: "patient",
      name: "",
      signingSeed: toBase64Url(new Uint8Array(32)),
      receivingKey: toBase64Url(new Uint8Array(32)),
      epochs: [],
      known: {},
    },
    cards: guardians.map(cardOf),
    threshold: 2,
    given: { password: PASSWORD },
  });
  return handle;
}

/** A request for the account of `target`, whose guardians are the doctor and another patient. */
async function recoveryRequestFor(
  world: World,
  target: Owned,
  action: string,
  identity?: string,
): Promise<string> {
  const { handle } = target.patient.session.account;
  await once(world, handle, () => nameGuardiansOf(world, target));
  // One for each: they are throttled by handle.
  return once(world, `${handle} ${action}`, async () => {
    const asked = identity ?? world.requester.identity;
    return (await requestRecovery(kdcOf(world.system), handle, asked)).requestId;
  });
}

const nothing: Sample = () => ({});
const reauthenticated =
  (rest: Readonly<Record<string, unknown>>): Sample =>
  () => ({ json: { password: WRONG, ...rest }, passes: ["PASSWORD_WRONG"] });

type AccountAction = Extract<
  Action,
  | "account.events"
  | "account.password"
  | "account.suspend"
  | "invitation.list"
  | "invitation.withdraw"
  | "session.list"
  | "session.end"
  | "session.end-others"
  | `second-factor${string}`
  | `backup.${string}`
  | `recovery.${string}`
  | `guardians.${string}`
  | `recovery-request.${string}`
>;

/** Samples of what people do with their own accounts. Where password or code come in, wrong ones: right ones end the play. */
export const ACCOUNT_SAMPLES: Readonly<Record<AccountAction, Sample>> = {
  "account.events": nothing,
  "account.password": reauthenticated({ newPassword: "seven otters under one bridge" }),
  "session.list": nothing,
  "session.end": async ({ system }, _target, caller) => {
    if (caller === null) {
      return { path: `/sessions/${someId()}` };
    }
    const other = await system.login(caller.session.account.handle);
    const { sessions } = await other.call(
      z.object({ sessions: z.array(z.object({ sessionId: z.string(), current: z.boolean() })) }),
      { method: "GET", path: "/sessions" },
    );
    return { path: `/sessions/${sessions.find(({ current }) => current)?.sessionId}` };
  },
  "session.end-others": nothing,
  "second-factor.propose": reauthenticated({}),
  "second-factor.confirm": () => ({
    json: { code: "000000" },
    passes: ["SECOND_FACTOR_NOT_PROPOSED", "SECOND_FACTOR_INVALID"],
  }),
  "second-factor-reset.request": ({ ada }) => ({
    json: { handle: ada.patient.session.account.handle },
    passes: ["FACTOR_RESET_NEEDLESS"],
  }),
  "account.suspend": ({ stranger }) => ({
    path: `/suspensions/${stranger.session.account.handle}`,
    json: { suspended: false },
  }),
  "invitation.list": nothing,
  "invitation.withdraw": () => ({
    path: `/invitations/${someId()}`,
    passes: ["INVITATION_UNKNOWN"],
  }),
  "second-factor-reset.list": nothing,
  "second-factor-reset.confirm": () => ({
    path: `/second-factor-resets/${someId()}/confirmation`,
    passes: ["FACTOR_RESET_UNKNOWN"],
  }),
  "backup.keep": ({ system }, _target, caller) => ({
    ...(caller === null ? {} : { key: caller.keys.signing }),
    json: {
      version: system.clock.now(),
      keystore: "locked",
      escrow: { enc: toBase64Url(randomBytes(962)), ciphertext: toBase64Url(randomBytes(48)) },
    },
  }),
  "backup.fetch": () => ({ passes: ["BACKUP_MISSING"] }),
  "recovery.arm": reauthenticated({ verifier: toBase64Url(randomBytes(32)), locked: "locked" }),
  "recovery.use": () => ({
    json: { handle: `nobody-${++strangers}`, proof: toBase64Url(randomBytes(32)), newPassword: PASSWORD },
    passes: ["RECOVERY_REFUSED"],
  }),
  "guardians.name": reauthenticated({
    statement: "a.b.c",
    verifier: toBase64Url(randomBytes(32)),
    locked: "locked",
  }),
  "guardians.withdraw": reauthenticated({}),
  "guardians.show": nothing,
  "recovery-request.open": ({ requester }) => ({
    json: { handle: `nobody-${++strangers}`, identity: requester.identity },
  }),
  "recovery-request.list": nothing,
  "recovery-request.veto": async (world, target, caller, relation) => ({
    path: `/recovery-requests/${await recoveryRequestFor(world, target, "veto")}`,
    // Only Ada's account is asked for here; the others have none of their own that they could refuse.
    passes: relation === "own" && caller !== world.ada.patient ? ["RECOVERY_REQUEST_UNKNOWN"] : [],
  }),
  "recovery-request.answer": async (world, target) => ({
    path: `/recovery-requests/${await recoveryRequestFor(world, target, "answer")}/shares`,
    json: { statement: "a.b.c" },
    passes: ["STATEMENT_INVALID"],
  }),
  "recovery-request.collect": async (world, target) => {
    const identity = target === world.bo ? world.bo.patient.session.account.identity : undefined;
    return {
      path: `/recovery-requests/${await recoveryRequestFor(world, target, "collect", identity)}/shares`,
    };
  },
};
