import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bytes, concatBytes, toBase64Url } from "../../../host/base/index.ts";
import { admitBatch, type Grant } from "../../../host/identity/index.ts";
import { backends } from "../../support/stores.ts";
import { eventually, type System, startSystem } from "../../support/system.ts";
import {
  cloudletAccount,
  documentsOf,
  expectProblem,
  leavesNoTrace,
  replay,
  type Sensor,
  sealedBy,
  sensorOf,
  signed,
  snapshot,
  uploadBy,
  wearerOf,
} from "../http/attack.ts";

const ENC_AT = 82;
const BODY_LENGTH_AT = ENC_AT + 962;
const BODY_AT = BODY_LENGTH_AT + 4;

/** What a changed byte may be called, by its place in the batch. */
function codesFor(position: number): readonly string[] {
  if (position < 4) {
    return ["BATCH_MAGIC_INVALID"];
  }
  if (position === 4) {
    return ["BATCH_VERSION_UNSUPPORTED"];
  }
  if (position === 5) {
    return ["BATCH_SUITE_UNSUPPORTED"];
  }
  if (position < 8 || (position >= 56 && position < 80)) {
    return ["BATCH_FIELD_INVALID", "BATCH_SIGNATURE_INVALID"];
  }
  if (position === 80 || position === 81) {
    return ["BATCH_FIELD_INVALID"];
  }
  if (position >= BODY_LENGTH_AT && position < BODY_AT) {
    return ["BATCH_FIELD_INVALID", "BATCH_TRUNCATED", "BATCH_TRAILING_BYTES"];
  }
  return ["BATCH_SIGNATURE_INVALID"];
}

function flipped(bytes: Bytes, position: number, bit: number): Bytes {
  const changed = bytes.slice();
  changed[position] = (changed[position] as number) ^ (1 << bit);
  return changed;
}

function grantOf(sensor: Sensor): Grant<"upload"> {
  return {
    scope: "upload",
    device: sensor.deviceId,
    stream: sensor.streamId,
    region: sensor.region,
    deviceKey: toBase64Url(sensor.key.publicKey),
    cnf: { jkt: "" },
  };
}

describe.each(backends())(
  "a sealed batch that is not what its device made, on the $name store",
  (backend) => {
    let system: System;
    let sensor: Awaited<ReturnType<typeof wearerOf>>;
    let batch: Bytes;

    const send = async (bytes: Bytes, by: Pick<Sensor, "key" | "ticket"> = sensor) =>
      replay(await uploadBy(system, by, bytes));

    beforeAll(async () => {
      system = await startSystem(backend);
      sensor = await wearerOf(system, "quiet-otter");
      expect((await send(await sealedBy(system, sensor, 0))).status).toBe(202);
      batch = await sealedBy(system, sensor, 1);
    });
    afterAll(() => system?.stop());

    it("is refused for a flipped bit at every byte", async () => {
      const grant = grantOf(sensor);
      expect((await admitBatch(batch, grant)).batch.header.sequence).toBe(1);
      const refusals: string[] = [];
      for (let position = 0; position < batch.length; position++) {
        const bits = position < ENC_AT ? [0, 1, 2, 3, 4, 5, 6, 7] : [position % 8];
        for (const bit of bits) {
          const code = await admitBatch(flipped(batch, position, bit), grant).then(
            () => "ADMITTED",
            (error) => error.code,
          );
          expect(codesFor(position), `byte ${position}, bit ${bit}`).toContain(code);
          refusals.push(code);
        }
      }
      expect(refusals.length).toBe(batch.length + 7 * ENC_AT);
      expect(new Set(refusals).size).toBe(7);
    });

    it("is refused for a flipped bit by the cloudlet and, from a lying cloudlet, by the cloud", async () => {
      const cloudlet = await cloudletAccount(system, "lying-cloudlet");
      const positions = [0, 4, 5, 6, 7, 8, 24, 40, 56, 63, 64, 79, 80, ENC_AT, 500, BODY_LENGTH_AT, BODY_AT];
      positions.push(batch.length - 70, batch.length - 64, batch.length - 1);
      await leavesNoTrace(system, async () => {
        for (const position of positions) {
          const changed = flipped(batch, position, position % 8);
          const atCloudlet = await send(changed);
          const { code } = await atCloudlet.clone().json();
          expect(codesFor(position), `byte ${position}`).toContain(code);
          await expectProblem(atCloudlet, 400, code);
          const forwarded = await signed(system, {
            url: `${system.cloud.url}/v1/batches`,
            key: cloudlet.key,
            ticket: cloudlet.ticket,
            bytes: changed,
            headers: { "Device-Ticket": sensor.ticket, "Received-At": String(system.clock.now()) },
          });
          await expectProblem(await replay(forwarded), 400, code);
        }
      });
    });

    it("is refused when truncated anywhere or followed by anything", async () => {
      const grant = grantOf(sensor);
      for (let length = 0; length < batch.length; length++) {
        await expect(admitBatch(batch.slice(0, length), grant)).rejects.toMatchObject({
          code: "BATCH_TRUNCATED",
        });
      }
      await leavesNoTrace(system, async () => {
        for (const length of [1, 79, 81, ENC_AT, BODY_AT, batch.length - 64, batch.length - 1]) {
          await expectProblem(await send(batch.slice(0, length)), 400, "BATCH_TRUNCATED");
        }
        for (const extra of [new Uint8Array(1), batch.slice(0, 80), batch]) {
          await expectProblem(await send(concatBytes(batch, extra)), 400, "BATCH_TRAILING_BYTES");
        }
      });
    });

    it("is refused as a replay when the very same request comes again, whatever became of the first", async () => {
      const recorded = await uploadBy(system, sensor, await sealedBy(system, sensor, 10));
      expect((await replay(recorded)).status).toBe(202);
      const recordedBad = await uploadBy(system, sensor, flipped(batch, 100, 0));
      expect((await replay(recordedBad)).status).toBe(400);
      await leavesNoTrace(system, async () => {
        await expectProblem(await replay(recorded), 401, "PROOF_REPLAYED");
        await expectProblem(await replay(recordedBad), 401, "PROOF_REPLAYED");
      });
    });

    it("is a duplicate when its own device sends it again, and kept once", async () => {
      const bytes = await sealedBy(system, sensor, 20);
      const first = await (await send(bytes)).json();
      expect(first.status).toBe("accepted");
      await snapshot(system);
      await leavesNoTrace(system, async () => {
        const again = await send(bytes);
        expect(again.status).toBe(200);
        expect(await again.json()).toEqual({ ...first, status: "duplicate" });
      });
      const kept = await documentsOf(system.stores.cloud, "batches");
      expect(kept.filter(({ _id }) => _id === `${sensor.deviceId}:20`)).toHaveLength(1);
    });

    it("is kept once when its device sends it twenty times at once", async () => {
      const bytes = await sealedBy(system, sensor, 21);
      const answers = await Promise.all(Array.from({ length: 20 }, () => send(bytes)));
      const statuses = answers.map(({ status }) => status).sort();
      expect(statuses).toEqual([...Array(19).fill(200), 202]);
      await snapshot(system);
      const kept = await documentsOf(system.stores.cloud, "batches");
      expect(kept.filter(({ _id }) => _id === `${sensor.deviceId}:21`)).toHaveLength(1);
    });

    it("is refused when its number was used for another batch, waiting or long forwarded", async () => {
      await send(await sealedBy(system, sensor, 30));
      await leavesNoTrace(system, async () => {
        await expectProblem(await send(await sealedBy(system, sensor, 30)), 409, "BATCH_SEQUENCE_REUSED");
      });
    });

    it("is refused when another device sends it, signs it, or signs in its name", async () => {
      const other = await wearerOf(system, "brave-wren");
      await leavesNoTrace(system, async () => {
        await expectProblem(await send(batch, other), 400, "BATCH_SIGNATURE_INVALID");
        const inOthersName = await sealedBy(system, sensor, 40, { signingKey: other.key });
        await expectProblem(await send(inOthersName), 400, "BATCH_SIGNATURE_INVALID");
        const namesAnother = await sealedBy(system, other, 40, { deviceId: sensor.deviceId });
        await expectProblem(await send(namesAnother, other), 403, "BATCH_DEVICE_MISMATCH");
        const withAnothersTicket = { key: other.key, ticket: sensor.ticket };
        await expectProblem(await send(batch, withAnothersTicket), 403, "TICKET_HOLDER_MISMATCH");
      });
    });

    it("is refused when it goes into another stream or region than its ticket says", async () => {
      const { patient } = sensor;
      await patient.owner.startEpoch("profile");
      const profile = await sensorOf(system, patient, "profile");
      const stranger = await wearerOf(system, "calm-heron");
      await leavesNoTrace(system, async () => {
        for (const streamId of [stranger.streamId, profile.streamId]) {
          const bytes = await sealedBy(system, sensor, 50, { streamId });
          await expectProblem(await send(bytes), 403, "BATCH_STREAM_MISMATCH");
        }
        const otherRegion = await sealedBy(system, sensor, 50, { region: "identity" });
        await expectProblem(await send(otherRegion), 403, "BATCH_STREAM_MISMATCH");
        const ticketOfProfile = { key: sensor.key, ticket: profile.ticket };
        await expectProblem(await send(batch, ticketOfProfile), 403, "TICKET_HOLDER_MISMATCH");
      });
    });

    it("still goes through untouched after all of this", async () => {
      expect((await send(batch)).status).toBe(202);
      await eventually(async () =>
        (await documentsOf(system.stores.cloud, "batches")).some(({ _id }) => _id === `${sensor.deviceId}:1`),
      );
    });
  },
);
