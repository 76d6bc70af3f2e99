import { toBase64Url, toHex } from "../../../host/base/index.ts";
import { createHttpClient } from "../../../host/client/index.ts";
import {
  FORWARD_PERMIT,
  HELPER_CHOICE,
  PERMIT_MS,
  requestDigest,
} from "../../../host/emergency/live/index.ts";
import type { Action } from "../../../host/identity/index.ts";
import {
  batchDigest,
  EMERGENCY_CALL,
  EMERGENCY_CALL_REPORT,
  EMERGENCY_DUTY,
  signStatement,
} from "../../../host/sealing/index.ts";
import { askAttested } from "../../../host/trust/index.ts";
import { kdcOf, sealedBy, someId, strangerKey } from "../http/attack.ts";
import type { Owned, Sample, World } from "./policy-samples.ts";

const MINUTE_MS = 60_000;
/** Any points: what they ask is for the patient's side. */
const { request } = askAttested(["a code"]);
let made = 0;

async function callOf({ system }: World, { sensor }: Owned, callId = someId()): Promise<string> {
  const at = system.clock.now();
  return signStatement(
    EMERGENCY_CALL,
    {
      ...{ callId, deviceId: sensor.deviceId, cause: "fall" as const, request: requestDigest(request) },
      ...{ at, until: at + 30 * MINUTE_MS },
    },
    sensor.key,
  );
}

const bodyOf = async (world: World, target: Owned, callId = someId()) => ({
  community: "0".repeat(32),
  statement: await callOf(world, target, callId),
  request: toBase64Url(request),
});

/** A patient's call, made when first asked for: it can be asked about any number of times. */
const standing = new WeakMap<Owned, Promise<string>>();
function callIdOf(world: World, target: Owned): Promise<string> {
  const { system } = world;
  const open = async (): Promise<string> => {
    const callId = someId();
    const { key, ticket } = target.sensor;
    await createHttpClient({ clock: system.clock }).json({
      method: "POST",
      url: `${system.cloudlet.url}/v1/emergency-calls`,
      credentials: { key, ticket },
      json: await bodyOf(world, target, callId),
    });
    return callId;
  };
  const known = standing.get(target) ?? open();
  standing.set(target, known);
  return known;
}

/** Samples of calls and of what helpers bring; what helpers do at a cloudlet is with the communities. */
export const HELPER_SAMPLES = {
  "emergency.call": async (world, target) => ({ json: { statement: await callOf(world, target) } }),
  "emergency.call-report": async ({ system }, { sensor }) => {
    const callId = someId();
    const { deviceId, key } = sensor;
    const report = { callId, deviceId, helpers: 2, ended: false, at: system.clock.now() };
    return {
      path: `/emergency-calls/${callId}/reports`,
      json: { statement: await signStatement(EMERGENCY_CALL_REPORT, report, key) },
    };
  },
  "emergency.duty": async ({ system }, _target, caller) => {
    if (caller === null) {
      return { json: { statement: "no.shift.here" } };
    }
    const from = system.clock.now();
    const duty = { doctor: caller.session.account.accountId, from, until: from + 60 * MINUTE_MS };
    return { json: { statement: await signStatement(EMERGENCY_DUTY, duty, caller.keys.signing) } };
  },
  "helper-call.open": async (world, target) => ({ json: await bodyOf(world, target) }),
  "helper-call.show": async (world, target) => ({
    path: `/emergency-calls/${await callIdOf(world, target)}`,
  }),
  "helper-call.choose": async (world, target) => {
    const callId = await callIdOf(world, target);
    const { deviceId, key } = target.sensor;
    const at = world.system.clock.now();
    const choice = { callId, deviceId, version: 1, helpers: [], at, ended: false };
    return {
      path: `/emergency-calls/${callId}/choice`,
      json: { statement: await signStatement(HELPER_CHOICE, choice, key) },
    };
  },
  "relay.key": () => ({}),
  "batch.relay": async ({ system, helper }, { sensor }, _caller, relation) => {
    const bytes = await sealedBy(system, sensor, 2_000_000 + ++made, { priority: "emergency" });
    const { accountId: cloudlet, key } = system.cloudletAccount;
    const holder = relation === "own" ? helper : await strangerKey();
    const at = system.clock.now();
    const permit = {
      permitId: toHex(crypto.getRandomValues(new Uint8Array(16))),
      ...{ cloudlet, cloudletKey: toBase64Url(key.publicKey), helper: toBase64Url(holder.publicKey) },
      ...{ batch: batchDigest(bytes), receivedAt: at, at, until: at + PERMIT_MS },
    };
    return {
      bytes,
      headers: {
        "Device-Ticket": sensor.ticket,
        "Forward-Ticket": (await kdcOf(system).forwardTicket(cloudlet, key)).ticket,
        "Forward-Permit": await signStatement(FORWARD_PERMIT, permit, key),
      },
    };
  },
} satisfies Partial<Record<Action, Sample>>;
