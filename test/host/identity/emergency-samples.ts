import { z } from "zod";
import { randomBytes, toBase64Url } from "../../../host/base/index.ts";
import { personFingerprint } from "../../../host/client/index.ts";
import type { Action } from "../../../host/identity/index.ts";
import { createNotices } from "../../../host/identity/notices.ts";
import {
  EMERGENCY_APPROVAL,
  EMERGENCY_REQUEST,
  EMERGENCY_SHARE,
  sealEmergencyShares,
  signStatement,
} from "../../../host/sealing/index.ts";
import { REASON, type Staff, staffOf } from "../../support/emergency.ts";
import type { Person } from "../../support/system.ts";
import { someId, wearerOf } from "../http/attack.ts";
import type { Owned, Sample, Sent, World } from "./policy-samples.ts";

const MINUTE_MS = 60_000;
const idOf = ({ session }: Person) => session.account.accountId;
const handleOf = ({ session }: Person) => session.account.handle;
let made = 0;

/** Trustees and requesters, made once for each world, and one emergency for each action and patient. */
interface Cast {
  readonly trustees: readonly [Staff, Staff];
  readonly requesters: Map<string, Promise<Person>>;
  readonly setIds: Map<string, string>;
  readonly emergencies: Map<string, Promise<string>>;
}
const casts = new WeakMap<World, Promise<Cast>>();

function castOf(world: World): Promise<Cast> {
  const cast =
    casts.get(world) ??
    (async (): Promise<Cast> => ({
      trustees: [
        await staffOf(world.system, "trustee-one"),
        await staffOf(world.system, "trustee-two", "security-officer"),
      ],
      requesters: new Map(),
      setIds: new Map(),
      emergencies: new Map(),
    }))();
  casts.set(world, cast);
  return cast;
}

async function preparation({ system }: World, { patient }: Owned, trustees: readonly Person[]) {
  const epoch = patient.owner.epochs.find(({ region }) => region === "medical");
  const setId = someId();
  const set = {
    setId,
    owner: idOf(patient),
    epochId: epoch?.epochId ?? "",
    threshold: 2,
    createdAt: system.clock.now() + ++made,
  };
  const chosen = trustees.map((trustee) => ({
    accountId: idOf(trustee),
    fingerprint: personFingerprint(trustee.keys),
    receivingKey: trustee.keys.receiving.publicKey,
  }));
  const shares = await sealEmergencyShares(
    system.suite,
    set,
    chosen,
    epoch?.privateKey ?? new Uint8Array(32),
  );
  const statements = await Promise.all(
    shares.map((share) => signStatement(EMERGENCY_SHARE, share, patient.keys.signing)),
  );
  return { setId, json: { statements } };
}

async function prepare(world: World, target: Owned, trustees: readonly Person[]): Promise<string> {
  const { setId, json } = await preparation(world, target, trustees);
  await target.patient.session.call(z.unknown(), { method: "POST", path: "/emergency-shares", json });
  return setId;
}

async function request({ system }: World, { patient }: Owned, by: Person): Promise<[string, Sent]> {
  const emergencyId = someId();
  const now = system.clock.now();
  const statement = await signStatement(
    EMERGENCY_REQUEST,
    {
      emergencyId,
      requester: idOf(by),
      patient: handleOf(patient),
      reason: REASON,
      requestedAt: now,
      until: now + 30 * MINUTE_MS,
    },
    by.keys.signing,
  );
  return [emergencyId, { json: { statement } }];
}

/** An approval whose shares are noise: the KDC cannot know. */
async function approval(
  { system }: World,
  about: { emergencyId: string; setId: string; epochId: string; requester: Person },
  by: Person,
): Promise<Sent> {
  const now = system.clock.now();
  const { emergencyId, setId, epochId, requester } = about;
  const statement = await signStatement(
    EMERGENCY_APPROVAL,
    {
      emergencyId,
      approver: idOf(by),
      requester: idOf(requester),
      requesterFingerprint: personFingerprint(requester.keys),
      setId,
      epochs: [{ epochId, enc: toBase64Url(randomBytes(962)), ciphertext: toBase64Url(randomBytes(49)) }],
      approvedAt: now,
      expiresAt: now + 10 * MINUTE_MS,
    },
    by.keys.signing,
  );
  return { path: `/emergencies/${emergencyId}/approvals`, json: { statement } };
}

const post = async (by: Person, path: string, sent: Sent) => {
  await by.session.call(z.unknown(), { method: "POST", path: sent.path ?? path, json: sent.json });
};
const epochIdOf = ({ patient }: Owned) =>
  patient.owner.epochs.find(({ region }) => region === "medical")?.epochId ?? "";

async function newOwned({ system }: World): Promise<Owned> {
  const { patient, ...sensor } = await wearerOf(system, `in-danger-${++made}`);
  return { patient, sensor };
}

/** An emergency of a patient of its own, requested by the caller and open. */
async function requestedBy(world: World, caller: Person): Promise<{ emergencyId: string; owned: Owned }> {
  const { trustees } = await castOf(world);
  const owned = await newOwned(world);
  const setId = await prepare(world, owned, trustees);
  const [emergencyId, sent] = await request(world, owned, caller);
  await post(caller, "/emergencies", sent);
  for (const trustee of trustees) {
    const about = { emergencyId, setId, epochId: epochIdOf(owned), requester: caller };
    await post(trustee, "", await approval(world, about, trustee));
  }
  return { emergencyId, owned };
}

/** A patient whose emergency is open to the caller, without any consent. */
export async function openedTo(world: World, caller: Person): Promise<Owned> {
  return (await requestedBy(world, caller)).owned;
}

/** The one who requests where the caller does not: one for each patient, for one may request so often only. */
async function requesterFor(world: World, target: Owned): Promise<Person> {
  const { requesters } = await castOf(world);
  const name = handleOf(target.patient);
  const known = requesters.get(name) ?? world.system.person("doctor", `requester-${++made}`);
  requesters.set(name, known);
  return known;
}

/** An emergency about a patient that somebody else requested; each action has its own. */
async function standing(world: World, target: Owned, action: string): Promise<string> {
  const { emergencies, setIds, trustees } = await castOf(world);
  const name = `${handleOf(target.patient)} ${action}`;
  const make = async () => {
    const requester = await requesterFor(world, target);
    if (!setIds.has(handleOf(target.patient))) {
      setIds.set(handleOf(target.patient), await prepare(world, target, trustees));
    }
    const [emergencyId, sent] = await request(world, target, requester);
    await post(requester, "/emergencies", sent);
    return emergencyId;
  };
  const known = emergencies.get(name) ?? make();
  emergencies.set(name, known);
  return known;
}

/** A request about an emergency, as trustee, as requester, or as whoever else. */
const aboutOne =
  (action: string, rest: string): Sample =>
  async (world, target, caller, relation) => {
    if (caller !== null && relation === "trustee") {
      const { trustees } = await castOf(world);
      const owned = await newOwned(world);
      const setId = await prepare(world, owned, [caller, ...trustees]);
      const requester = await requesterFor(world, owned);
      const [emergencyId, sent] = await request(world, owned, requester);
      await post(requester, "/emergencies", sent);
      const about = { emergencyId, setId, epochId: epochIdOf(owned), requester };
      const own = await approval(world, about, caller);
      if (action === "approve") {
        return own;
      }
      if (action === "withdraw") {
        await post(caller, "", own);
      }
      return { path: `/emergencies/${emergencyId}/${rest}` };
    }
    if (caller !== null && relation === "own" && caller.session.account.role === "doctor") {
      const { emergencyId, owned } = await requestedBy(world, caller);
      if (action === "approve") {
        const about = { emergencyId, setId: someId(), epochId: epochIdOf(owned), requester: caller };
        return approval(world, about, caller);
      }
      return { path: `/emergencies/${emergencyId}/${rest}` };
    }
    const emergencyId = await standing(world, target, action);
    if (action === "approve") {
      const requester = await requesterFor(world, target);
      const about = { emergencyId, setId: someId(), epochId: epochIdOf(target), requester };
      return approval(world, about, caller ?? requester);
    }
    return { path: `/emergencies/${emergencyId}/${rest}` };
  };

type EmergencyAction = Exclude<
  Extract<Action, `emergency.${string}` | `notice.${string}`>,
  "emergency.call" | "emergency.call-report" | "emergency.duty"
>;

/** Samples of everything around break-glass and notices. */
export const EMERGENCY_SAMPLES: Readonly<Record<EmergencyAction, Sample>> = {
  "emergency.look-up-trustee": async (world) => ({
    path: `/trustees/${(await castOf(world)).trustees[0].handle}`,
  }),
  "emergency.prepare": async (world, target) => {
    const { json } = await preparation(world, target, (await castOf(world)).trustees);
    return { json };
  },
  "emergency.list-shares": () => ({}),
  "emergency.request": async (world, target, caller) => {
    await standing(world, target, "request");
    return caller === null ? { json: { statement: "" } } : (await request(world, target, caller))[1];
  },
  "emergency.list": () => ({}),
  "emergency.fetch-share": aboutOne("fetch", "share"),
  "emergency.approve": aboutOne("approve", "approvals"),
  "emergency.withdraw": aboutOne("withdraw", "approvals/own"),
  "emergency.end": aboutOne("end", "end"),
  "emergency.list-running": () => ({}),
  "emergency.stop": async (world, target) => ({
    path: `/emergencies/${await standing(world, target, "stop")}/stop`,
    json: { reason: "The requester's telephone was stolen." },
  }),
  "emergency.release": aboutOne("release", "keys"),
  "notice.list": () => ({}),
  "notice.mark-seen": async ({ system }, _target, caller) => {
    const object = someId();
    if (caller === null) {
      return { path: `/notices/${object}/seen` };
    }
    const notices = await createNotices(system.stores.kdc, system.clock);
    await notices.send({ to: idOf(caller), kind: "test.sample", object });
    const [newest] = (await notices.ofAccount(idOf(caller), { unseen: true, limit: 500 })).filter(
      (notice) => notice.object === object,
    );
    return { path: `/notices/${newest?._id}/seen` };
  },
};
