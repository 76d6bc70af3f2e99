import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import {
  createHttpClient,
  createPreview,
  type OwnedEpoch,
  type Preview,
} from "../../../host/client/index.ts";
import { RECORD_PART, signStatement } from "../../../host/sealing/index.ts";
import { type Terms, termsFor } from "../../support/sharing.ts";
import { backends } from "../../support/stores.ts";
import { DAY_MS, type Doctor, type Patient, type System, startSystem } from "../../support/system.ts";
import { replay, type Sensor, sealedBy, sensorOf, snapshot, uploadBy } from "../http/attack.ts";

let system: System;
let ada: Patient;
let heron: Doctor;
let stork: Doctor;
let sensor: Sensor;

beforeAll(async () => {
  system = await startSystem(backends()[0] as NonNullable<ReturnType<typeof backends>[0]>);
  ada = await system.patient("quiet-otter", "Ada Quillfeather");
  heron = await system.doctor("dr-heron");
  stork = await system.doctor("dr-stork");
  await ada.owner.startEpoch("medical");
  await ada.owner.startEpoch("profile");
  sensor = await sensorOf(system, ada);
  for (const sequence of [0, 1]) {
    await replay(await uploadBy(system, sensor, await sealedBy(system, sensor, sequence)));
  }
  await snapshot(system);
});
afterAll(() => system?.stop());

const share = (to: Doctor, changes: Partial<Terms> = {}) => ada.owner.share(termsFor(system, to, changes));
const preview = (
  to: Doctor | null,
  changes: { regions?: ("medical" | "profile" | "identity")[]; history?: "from-now"; cloudUrl?: string } = {},
): Promise<Preview> => {
  const { cloudUrl = system.cloud.url, regions = ["medical"], ...terms } = changes;
  const { clock } = system;
  const { session, keys, owner } = ada;
  const from = clock.now();
  return createPreview({ clock, http: createHttpClient({ clock }), session, keys, owner, cloudUrl })({
    ...(to === null ? {} : { reader: to.handle }),
    ...{ regions, from, until: from + DAY_MS },
    ...terms,
  });
};
const epochsOf = ({ regions }: Preview) =>
  regions[0]?.epochs.map(({ number, opens, had, held }) => [number, opens, had, held?.batches]);

describe("a preview", () => {
  it("says what would open, how much of it there is, and which devices write", async () => {
    const seen = await preview(heron, { regions: ["medical", "profile"] });
    expect(epochsOf(seen)).toEqual([[1, true, false, 2]]);
    expect(seen.regions.map(({ region, devices }) => [region, devices.length])).toEqual([
      ["medical", 1],
      ["profile", 0],
    ]);
    expect(seen.regions[1]?.epochs[0]?.held).toEqual({ batches: 0, firstTime: null, lastTime: null });
    expect(seen.standing).toEqual([]);
    expect(await heron.session.grants()).toEqual([]);
  });

  it("without history opens nothing that is there", async () => {
    const seen = await preview(heron, { history: "from-now" });
    expect(epochsOf(seen)).toEqual([[1, false, false, 2]]);
    expect(seen.regions[0]?.startsNewEpoch).toBe(true);
  });

  it("is what the reader then really gets, and says so of keys that cannot be taken back", async () => {
    const first = await share(heron);
    const [stream] = (await heron.reader.shared()).streams;
    expect(stream?.epochs.size).toBe(1);
    expect(epochsOf(await preview(heron))).toEqual([[1, true, true, 2]]);
    expect((await preview(heron)).standing).toMatchObject([{ state: "live" }]);

    await ada.owner.revoke(first.consentId);
    const afterwards = await preview(heron, { history: "from-now" });
    expect(epochsOf(afterwards)).toEqual([
      [1, false, true, 2],
      [2, false, false, 0],
    ]);
    expect(afterwards.standing).toMatchObject([{ state: "revoked" }]);
    expect(epochsOf(await preview(stork))).toEqual([
      [1, true, false, 2],
      [2, true, false, 0],
    ]);

    await share(stork, { history: "from-now" });
    expect(epochsOf(await preview(stork))).toEqual([
      [1, true, false, 2],
      [2, true, false, 0],
      [3, true, true, 0],
    ]);
    const [theirs] = (await stork.reader.shared()).streams;
    expect(theirs?.epochs.size).toBe(1);
  });

  it("counts the record's part, and says when only what is saved anew would open", async () => {
    const of = async (terms: Parameters<typeof preview>[1]) =>
      (await preview(heron, { regions: ["profile"], ...terms })).regions[0]?.record;
    expect(await of({})).toBeNull();
    const { streamId, epochId } = ada.owner.epochs.find(({ region }) => region === "profile") as OwnedEpoch;
    const owner = ada.session.account.accountId;
    for (const version of [1, 2]) {
      const part = {
        owner,
        region: "profile" as const,
        streamId,
        epochId,
        version,
        digest: "0".repeat(64),
        createdAt: version,
      };
      const statement = await signStatement(RECORD_PART, part, ada.keys.signing);
      await ada.session.call(z.unknown(), { method: "POST", path: "/record-parts", json: { statement } });
    }
    expect(await of({})).toEqual({ version: 2, savedAt: 2, epoch: 1, opens: true });
    expect(await of({ history: "from-now" })).toMatchObject({ version: 2, opens: false });
  });

  it("works for nobody in particular, and while the cloud is away", async () => {
    const seen = await preview(null, { cloudUrl: "http://127.0.0.1:1" });
    expect(seen.reader).toBeNull();
    expect(seen.regions[0]?.epochs.map(({ opens, had, held }) => [opens, had, held])).toEqual(
      Array(3).fill([true, false, null]),
    );
  });

  it("needs an epoch of the region and a reader who exists", async () => {
    await expect(preview(heron, { regions: ["identity"] })).rejects.toMatchObject({ code: "EPOCH_MISSING" });
    await expect(preview({ ...heron, handle: "dr-nobody" })).rejects.toMatchObject({
      code: "ACCOUNT_UNKNOWN",
    });
  });
});
