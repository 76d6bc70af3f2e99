import { beforeAll, describe, expect, it } from "vitest";
import {
  createOwnStreams,
  type OwnDevice,
  type OwnedEpoch,
  readSealedBatch,
} from "../../../host/client/index.ts";
import type { SealingSuite } from "../../../host/sealing/index.ts";
import { loadSuite, rejectionOf } from "../sealing/fixtures.ts";
import { newId, newStream, READINGS, type Somebody, type Stream, sealFor, somebody } from "./people.ts";

let suite: SealingSuite;
let owner: Somebody;
let first: Stream;

const ownedOf = ({ epoch, pair }: Stream): OwnedEpoch => {
  const { region, streamId, epochId, number } = epoch;
  return { region, streamId, epochId, number, privateKey: pair.privateKey };
};
const deviceOf = ({ enrolment }: Stream, revokedAt: number | null = null): OwnDevice => ({
  enrolment,
  revokedAt,
});
const holding = (epochs: readonly OwnedEpoch[], devices: OwnDevice[]) => ({
  epochs,
  devices: async () => devices,
});
const own = () =>
  createOwnStreams({ suite, keys: owner.keys, accountId: owner.account.accountId, name: "Ada" });

beforeAll(async () => {
  suite = await loadSuite();
  owner = await somebody(suite, "ada");
  first = await newStream(suite, owner, "medical");
});

describe("a patient's own streams", () => {
  it("open with the patient's own epoch keys", async () => {
    const streams = own();
    await streams.refresh(holding([ownedOf(first)], [deviceOf(first)]));
    const [stream] = streams.all;
    expect(stream).toMatchObject({
      region: "medical",
      ownerName: "Ada",
      ownerFingerprint: owner.fingerprint,
    });
    const { columns } = await readSealedBatch(
      await sealFor(suite, first, 1),
      stream as NonNullable<typeof stream>,
    );
    expect(columns).toEqual(READINGS);
  });

  it("grow in place by epochs and wearables that come later, and know which wearable was ended", async () => {
    const streams = own();
    await streams.refresh(holding([ownedOf(first)], [deviceOf(first)]));
    const [stream] = streams.all as [NonNullable<(typeof streams.all)[0]>];
    const later = await newStream(suite, owner, "medical");
    const second: Stream = {
      ...later,
      epoch: { ...later.epoch, streamId: first.epoch.streamId, number: 2 },
      enrolment: { ...later.enrolment, streamId: first.epoch.streamId },
    };
    const batch = await sealFor(suite, second, 1);
    expect(await rejectionOf(readSealedBatch(batch, stream))).toBe("DEVICE_UNKNOWN");
    await streams.refresh(holding([ownedOf(first)], [deviceOf(first), deviceOf(second)]));
    expect(await rejectionOf(readSealedBatch(batch, stream))).toBe("EPOCH_UNKNOWN");
    await streams.refresh(holding([ownedOf(first), ownedOf(second)], [deviceOf(first), deviceOf(second)]));
    expect((await readSealedBatch(batch, stream)).columns).toEqual(READINGS);
    const times = READINGS[0]?.times ?? [];
    await streams.refresh(holding([ownedOf(first)], [deviceOf(second, (times[0] as number) - 1)]));
    expect(await rejectionOf(readSealedBatch(batch, stream))).toBe("DEVICE_REVOKED");
    expect(streams.all).toHaveLength(1);
  });

  it("show readings first, and take no wearable of a stream that is not there", async () => {
    const streams = own();
    const profile = await newStream(suite, owner, "profile");
    const strange = { ...deviceOf(first), enrolment: { ...first.enrolment, streamId: newId() } };
    await streams.refresh(holding([ownedOf(profile), ownedOf(first)], [strange]));
    expect(streams.all.map(({ region }) => region)).toEqual(["medical", "profile"]);
    expect(streams.all.every(({ devices }) => devices.size === 0)).toBe(true);
  });
});
