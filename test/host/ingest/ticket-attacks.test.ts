import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Bytes } from "../../../host/base/index.ts";
import type { HeldTicket } from "../../../host/client/index.ts";
import { createProof, keyThumbprint } from "../../../host/sealing/index.ts";
import { termsFor } from "../../support/sharing.ts";
import { backends } from "../../support/stores.ts";
import { DAY_MS, type Doctor, type System, startSystem } from "../../support/system.ts";
import {
  cloudletAccount,
  documentsOf,
  expectProblem,
  forgedJwt,
  kdcOf,
  leavesNoTrace,
  payloadOf,
  replay,
  sealedBy,
  signed,
  snapshot,
  someId,
  strangerKey,
  uploadBy,
  wearerOf,
} from "../http/attack.ts";

describe.each(backends())("a batch whose ticket is not its device's, on the $name store", (backend) => {
  let system: System;
  let sensor: Awaited<ReturnType<typeof wearerOf>>;
  let doctor: Doctor;
  let readTicket: HeldTicket;
  let batch: Bytes;
  let batchesUrl: string;

  /** The batch with another ticket, the proof made for that ticket with the device's own key. */
  const sendWith = async (ticket: string) => replay(await uploadBy(system, { ...sensor, ticket }, batch));

  beforeAll(async () => {
    system = await startSystem(backend);
    sensor = await wearerOf(system, "quiet-otter");
    doctor = await system.doctor("dr-heron");
    await sensor.patient.owner.share(termsFor(system, doctor));
    readTicket = await doctor.session.readTicket(sensor.streamId, doctor.keys.signing);
    batchesUrl = `${system.cloudlet.url}/v1/batches`;
    expect((await replay(await uploadBy(system, sensor, await sealedBy(system, sensor, 0)))).status).toBe(
      202,
    );
    batch = await sealedBy(system, sensor, 1);
  });
  afterAll(() => system?.stop());

  it("is refused without a ticket, with a session instead of one, and with half of one", async () => {
    const bytes = await sealedBy(system, sensor, 1);
    const { key } = sensor;
    await leavesNoTrace(system, async () => {
      for (const headers of [
        {},
        { Authorization: `Bearer ${sensor.ticket}` },
        { Authorization: "DPoP" },
        { Authorization: `DPoP ${sensor.ticket} x` },
      ]) {
        const recorded = await signed(system, { url: batchesUrl, key, bytes, headers });
        await expectProblem(await replay(recorded), 401, "TICKET_MISSING");
      }
      for (const ticket of ["a", "a.b.c", "..", "eyJhbGciOiJFZERTQSJ9..", sensor.ticket.slice(0, -20)]) {
        await expectProblem(await sendWith(ticket), 401, "TICKET_INVALID");
      }
    });
  });

  it("gets no ticket for a device that is unknown, or with another key than it was enrolled with", async () => {
    const kdc = kdcOf(system);
    const stranger = await strangerKey();
    await leavesNoTrace(system, async () => {
      await expect(kdc.uploadTicket(someId(), sensor.key)).rejects.toMatchObject({
        code: "DEVICE_UNKNOWN",
        status: 403,
      });
      await expect(kdc.uploadTicket(sensor.deviceId, stranger)).rejects.toMatchObject({
        code: "DEVICE_KEY_MISMATCH",
        status: 403,
      });
    });
  });

  it("is refused with a ticket that the KDC did not sign", async () => {
    const stranger = await strangerKey();
    const claims = payloadOf(sensor.ticket);
    const realKid = JSON.parse(atob(sensor.ticket.split(".")[0] as string)).kid as string;
    const typ = "medcloudlet-ticket+jwt";
    const ownKid = await keyThumbprint(stranger.publicKey);
    const [head, , signature] = sensor.ticket.split(".");
    const widened = await forgedJwt({}, { ...claims, stream: someId() }, null);
    const forged: [string, string][] = [
      [await forgedJwt({ alg: "EdDSA", typ, kid: realKid }, claims, stranger), "TICKET_INVALID"],
      [await forgedJwt({ alg: "EdDSA", typ, kid: ownKid }, claims, stranger), "TICKET_KEY_UNKNOWN"],
      [await forgedJwt({ alg: "none", typ, kid: realKid }, claims, null), "TICKET_INVALID"],
      [await forgedJwt({ alg: "NONE", typ }, claims, null), "TICKET_INVALID"],
      [await forgedJwt({ alg: "HS256", typ, kid: realKid }, claims, stranger), "TICKET_INVALID"],
      [await forgedJwt({ alg: "EdDSA", typ, jwk: { kty: "OKP" } }, claims, stranger), "TICKET_INVALID"],
      [`${head}.${widened.split(".")[1]}.${signature}`, "TICKET_INVALID"],
    ];
    await leavesNoTrace(system, async () => {
      for (const [ticket, code] of forged) {
        await expectProblem(await sendWith(ticket), 401, code);
      }
    });
  });

  it("is refused with a real ticket for another service or another right", async () => {
    const cloudlet = await cloudletAccount(system, "other-cloudlet");
    const { key } = readTicket;
    const atCloud = `${system.cloud.url}/v1/batches`;
    const bytes = batch;
    await leavesNoTrace(system, async () => {
      for (const [holder, ticket] of [
        [key, readTicket.ticket],
        [cloudlet.key, cloudlet.ticket],
      ] as const) {
        const recorded = await signed(system, { url: batchesUrl, key: holder, ticket, bytes });
        await expectProblem(await replay(recorded), 401, "TICKET_INVALID");
      }
      const device = await signed(system, { url: atCloud, key: sensor.key, ticket: sensor.ticket, bytes });
      await expectProblem(await replay(device), 401, "TICKET_INVALID");
      const reader = await signed(system, { url: atCloud, key, ticket: readTicket.ticket, bytes });
      await expectProblem(await replay(reader), 403, "TICKET_SCOPE");
      const forwarder = await signed(system, {
        method: "GET",
        url: `${system.cloud.url}/v1/streams/${sensor.streamId}/batches`,
        key: cloudlet.key,
        ticket: cloudlet.ticket,
      });
      await expectProblem(await replay(forwarder), 403, "TICKET_SCOPE");
    });
  });

  it("is refused with a stolen ticket: without the key, with another key, with another ticket's proof", async () => {
    const thief = await strangerKey();
    const url = batchesUrl;
    const { ticket } = sensor;
    const own = await wearerOf(system, "sly-fox");
    await leavesNoTrace(system, async () => {
      const stolen = await signed(system, { url, key: thief, ticket, bytes: batch });
      await expectProblem(await replay(stolen), 403, "TICKET_HOLDER_MISMATCH");
      const { DPoP: _, ...withoutProof } = stolen.init.headers as Record<string, string>;
      await expectProblem(
        await replay({ url, init: { ...stolen.init, headers: withoutProof } }),
        401,
        "PROOF_INVALID",
      );
      const proofOfOwn = await createProof({
        key: own.key,
        method: "POST",
        url,
        clock: system.clock,
        ticket: own.ticket,
      });
      const mixed = { ...withoutProof, DPoP: proofOfOwn };
      await expectProblem(
        await replay({ url, init: { ...stolen.init, headers: mixed } }),
        401,
        "PROOF_INVALID",
      );
    });
  });

  it("is refused by the cloud when a cloudlet forwards it without its device's ticket, or with a wrong time", async () => {
    const cloudlet = await cloudletAccount(system, "careless-cloudlet");
    const other = await wearerOf(system, "brave-wren");
    const now = system.clock.now();
    const forward = async (headers: Record<string, string>) =>
      replay(
        await signed(system, {
          url: `${system.cloud.url}/v1/batches`,
          key: cloudlet.key,
          ticket: cloudlet.ticket,
          bytes: batch,
          headers,
        }),
      );
    const at = { "Received-At": String(now) };
    const unknownKey = await forgedJwt(
      { alg: "EdDSA", typ: "medcloudlet-ticket+jwt", kid: "other" },
      payloadOf(sensor.ticket),
      cloudlet.key,
    );
    await leavesNoTrace(system, async () => {
      await expectProblem(await forward(at), 403, "DEVICE_TICKET_INVALID");
      for (const ticket of [cloudlet.ticket, readTicket.ticket, `${sensor.ticket}x`]) {
        await expectProblem(await forward({ ...at, "Device-Ticket": ticket }), 403, "DEVICE_TICKET_INVALID");
      }
      await expectProblem(
        await forward({ ...at, "Device-Ticket": other.ticket }),
        400,
        "BATCH_SIGNATURE_INVALID",
      );
      // Not for good: the KDC may have a new key that this cloud has not heard of.
      const unverified = await forward({ ...at, "Device-Ticket": unknownKey });
      await expectProblem(unverified, 503, "DEVICE_TICKET_UNVERIFIED");
      const times = ["", "soon", "-1", "1.5", String(now + 60_000), String(now - 8 * DAY_MS), "9".repeat(40)];
      for (const time of times) {
        const headers = { "Device-Ticket": sensor.ticket, "Received-At": time };
        await expectProblem(await forward(headers), 400, "RECEIVED_AT_INVALID");
      }
      const asText = { ...at, "Device-Ticket": sensor.ticket, "Content-Type": "text/plain" };
      await expectProblem(await forward(asText), 415, "REQUEST_MEDIA_TYPE");
    });
  });

  it("is refused with a ticket that has expired, by the cloudlet and by the cloud", async () => {
    const upload = await wearerOf(system, "late-robin");
    system.clock.advance(60 * 60_000 + 31_000);
    const cloudlet = await cloudletAccount(system, "prompt-cloudlet");
    const bytes = await sealedBy(system, upload, 0);
    await leavesNoTrace(system, async () => {
      await expectProblem(await replay(await uploadBy(system, upload, bytes)), 401, "TICKET_EXPIRED");
      const forwarded = await signed(system, {
        url: `${system.cloud.url}/v1/batches`,
        key: cloudlet.key,
        ticket: cloudlet.ticket,
        bytes,
        headers: { "Device-Ticket": upload.ticket, "Received-At": String(system.clock.now()) },
      });
      await expectProblem(await replay(forwarded), 403, "DEVICE_TICKET_INVALID");
    });
  });

  it("reaches the cloud though its ticket ended while the body was still on its way to the cloudlet", async () => {
    const slow = await wearerOf(system, "slow-snail");
    const bytes = await sealedBy(system, slow, 0);
    system.clock.advance(60 * 60_000 + 20_000);
    const { url, init } = await uploadBy(system, slow, bytes);
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(bytes.slice(0, 100));
        await new Promise((resolve) => setTimeout(resolve, 300));
        system.clock.advance(20_000);
        controller.enqueue(bytes.slice(100));
        controller.close();
      },
    });
    const streamed = { ...init, body, duplex: "half" } as RequestInit;
    expect((await fetch(url, streamed)).status).toBe(202);
    await snapshot(system);
    const [kept] = (await documentsOf(system.stores.cloudlet, "spool")).filter(
      ({ _id }) => _id === `${slow.deviceId}:0`,
    );
    expect(kept).toMatchObject({ state: "forwarded", reason: null });
  });

  it("gets no ticket once its device's enrolment is over, and a ticket from before ends with it", async () => {
    const { patient } = sensor;
    const key = await strangerKey();
    const deviceId = someId();
    const until = system.clock.now() + 10 * 60_000;
    const enrolment = { deviceId, signingKey: key.publicKey, region: "medical" as const };
    await patient.owner.enrolDevice({ ...enrolment, until });
    const kdc = kdcOf(system);
    const { ticket, expiresAt } = await kdc.uploadTicket(deviceId, key);
    expect(expiresAt).toBeLessThanOrEqual(until);
    const shortLived = { ...sensor, deviceId, key, ticket };
    expect(
      (await replay(await uploadBy(system, shortLived, await sealedBy(system, shortLived, 0)))).status,
    ).toBe(202);
    system.clock.advance(10 * 60_000 + 31_000);
    await leavesNoTrace(system, async () => {
      await expect(kdc.uploadTicket(deviceId, key)).rejects.toMatchObject({ code: "DEVICE_UNKNOWN" });
      const bytes = await sealedBy(system, shortLived, 1);
      await expectProblem(await replay(await uploadBy(system, shortLived, bytes)), 401, "TICKET_EXPIRED");
    });
    await patient.owner.enrolDevice({ ...enrolment, until: system.clock.now() + DAY_MS });
    expect((await kdc.uploadTicket(deviceId, key)).expiresAt).toBeGreaterThan(system.clock.now());
  });
});
