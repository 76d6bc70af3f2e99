import { afterAll, beforeAll, beforeEach } from "vitest";
import { type Bytes, fromBase64Url, fromHex, randomBytes, toBase64Url } from "../../../host/base/index.ts";
import { createHttpClient, createKdcClient } from "../../../host/client/index.ts";
import { HELPER_ANSWER, SLOW_MS } from "../../../host/emergency/live/index.ts";
import {
  batchDigest,
  importSigningKey,
  type SigningKey,
  signStatement,
} from "../../../host/sealing/index.ts";
import { answerAttested } from "../../../host/trust/index.ts";
import { createPhysiology, type Device, type Pairing } from "../../../host/wearable/index.ts";
import { createLine, createTestHelper, gatewayOf, type TestHelper } from "../../support/helpers.ts";
import type { Backend } from "../../support/stores.ts";
import { dumpOf, eventually, type Patient, type System, startSystem } from "../../support/system.ts";
import { createScene, type Insider, type Scene } from "../community/scene.ts";

export const CODES = ["asthma", "diabetes", "hypertension", "epilepsy"];

/** Everything that tests of helpers share: one system, one community with a hospital, a new wearable for each test. */
export function createStage(backend: Backend) {
  const line = createLine();
  let system: System;
  let scene: Scene;
  let document: string;
  let ada: Patient;
  let device: Device;
  let pairing: Pairing;
  let deviceKey: SigningKey;

  beforeAll(async () => {
    system = await startSystem(backend, { cloudletFetch: line.fetch });
    scene = await createScene(system, { moderator: await system.person("moderator", "mod") });
    await scene.publish();
    document = (await scene.call("GET", scene.path, undefined)).json.statement;
    ada = await system.patient("ada-helped", "Ada Quillfeather");
    await ada.owner.startEpoch("medical");
    // The cloudlet has to have met its cloud once.
    await eventually(async () =>
      (await dumpOf(system.stores.cloudlet)).some(({ collection }) => collection === "cloud_keys"),
    );
  });
  // One device may call six times an hour.
  beforeEach(async () => {
    ({ device, pairing } = await system.device(ada));
    deviceKey = await importSigningKey(fromHex(pairing.signingSeed));
  });
  afterAll(async () => {
    line.mend();
    await system?.stop();
  });

  const codeOf = ({ status, json }: { status: number; json: { code?: string } }) =>
    status < 300 ? status : json.code;
  const standBy = (who: Insider, set: string) =>
    scene.call("POST", `${scene.path}/helpers/own`, who, { set });
  const helper = (codes: readonly string[] = CODES) => createTestHelper(system, scene, codes);
  const gateway = (threshold = 3, codes: readonly string[] = CODES) =>
    gatewayOf(system, pairing, { community: document, codes, threshold });
  const ticketOf = async (key = deviceKey, id = pairing.deviceId) => ({
    key,
    ticket: (
      await createKdcClient({
        http: createHttpClient({ clock: system.clock }),
        url: system.kdc.url,
      }).uploadTicket(id, key)
    ).ticket,
  });
  const columns = createPhysiology({ seed: 7, startTime: Date.now() });
  /** A batch that the cloudlet has and the cloud has not. */
  const stranded = async (priority: "emergency" | "regular" = "emergency") => {
    line.cut(system.cloud.url);
    const sealed = await device.record(columns.nextBatch(10), priority);
    await device.flush();
    // Whether or not the cloudlet has noticed yet that the line is cut.
    system.clock.advance(SLOW_MS + 1);
    return sealed;
  };
  const inCloud = async (bytes: Bytes) =>
    (await dumpOf(system.stores.cloud)).filter(
      ({ collection, document: { digest } }) => collection === "batches" && digest === batchDigest(bytes),
    ).length;
  const waiting = async () =>
    (await dumpOf(system.stores.cloudlet)).filter(
      ({ collection, document: { _id, state } }) =>
        collection === "spool" && state === "waiting" && String(_id).startsWith(pairing.deviceId),
    ).length;
  /** Errands as the cloudlet hands them out. */
  const errandsFor = async (who: TestHelper) => {
    return (await standBy(who, who.self.set)).json.errands as {
      batch: string;
      deviceTicket: string;
      forwardTicket: string;
      permit: string;
    }[];
  };
  const bring = async (
    who: SigningKey,
    errand: { batch: string; deviceTicket: string; forwardTicket: string; permit: string },
    changes: { batch?: Bytes; permit?: string; forwardTicket?: string } = {},
  ) => {
    const http = createHttpClient({ clock: system.clock });
    try {
      return (await http.json({
        method: "POST",
        url: `${system.cloud.url}/v1/relayed-batches`,
        credentials: { key: who },
        bytes: changes.batch ?? fromBase64Url(errand.batch),
        headers: {
          "Device-Ticket": errand.deviceTicket,
          "Forward-Ticket": changes.forwardTicket ?? errand.forwardTicket,
          "Forward-Permit": changes.permit ?? errand.permit,
        },
      })) as { status: string; acknowledgement: string; code?: string };
    } catch (error) {
      return { status: "refused", acknowledgement: "", code: (error as { code: string }).code };
    }
  };
  const tell = (who: Insider, statement: string) =>
    scene.call("POST", `${scene.path}/acknowledgements`, who, { statement });

  const answerOf = async (
    who: TestHelper,
    callId: string,
    changes: Partial<(typeof HELPER_ANSWER)["schema"]["_output"]> = {},
    by: SigningKey = who.key,
  ) => {
    const { json } = await standBy(who, who.self.set);
    const call = (json.calls as { callId: string; request: string }[]).find((one) => one.callId === callId);
    const points = call === undefined ? randomBytes(1024) : fromBase64Url(call.request);
    return signStatement(
      HELPER_ANSWER,
      {
        callId,
        community: scene.community,
        pseudonym: who.pseudonym,
        answer: toBase64Url(call === undefined ? points : answerAttested(who.self.seed, points)),
        at: system.clock.now(),
        ...changes,
      },
      by,
    );
  };
  const sendAnswer = (who: Insider, callId: string, statement: string) =>
    scene.call("POST", `${scene.path}/emergency-calls/${callId}/answers`, who, { statement });

  return {
    line,
    get system() {
      return system;
    },
    get scene() {
      return scene;
    },
    get ada() {
      return ada;
    },
    get pairing() {
      return pairing;
    },
    get deviceKey() {
      return deviceKey;
    },
    ...{ codeOf, standBy, helper, gateway, ticketOf, stranded, inCloud, waiting, errandsFor, bring, tell },
    ...{ answerOf, sendAnswer },
  };
}
