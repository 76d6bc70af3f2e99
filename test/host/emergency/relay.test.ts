import { describe, expect, it } from "vitest";
import { randomBytes, toBase64Url, toHex } from "../../../host/base/index.ts";
import { createHttpClient, createKdcClient } from "../../../host/client/index.ts";
import {
  ACKNOWLEDGEMENT,
  FORWARD_PERMIT,
  type ForwardPermit,
  PERMIT_MS,
} from "../../../host/emergency/live/index.ts";
import { createErasures } from "../../../host/records/index.ts";
import { batchDigest, parseBatch, signStatement, unverifiedPayload } from "../../../host/sealing/index.ts";
import type { TestHelper } from "../../support/helpers.ts";
import { backendsOfLongRuns } from "../../support/stores.ts";
import { eventually } from "../../support/system.ts";

import { createStage } from "./stage.ts";

describe.each(backendsOfLongRuns())("what helpers carry, on the $name store", (backend) => {
  const stage = createStage(backend);
  const { codeOf, standBy, helper, gateway, ticketOf, stranded, inCloud, waiting, errandsFor, bring, tell } =
    stage;

  /** Two qualified helpers for a call with one stranded batch. */
  const relaying = async (count = 2) => {
    const helpers = await Promise.all(Array.from({ length: count }, () => helper()));
    const sealed = await stranded();
    const called = await gateway(3);
    await called.call("news2");
    for (const { helper: program } of helpers) {
      await program.round();
    }
    expect((await called.tend()).helpers).toBe(count);
    return { helpers: helpers as [TestHelper, TestHelper, TestHelper], sealed, called };
  };
  const settle = async (called: { end(): Promise<void> }) => {
    await called.end();
    stage.line.mend();
  };

  it("brings a sealed emergency to the cloud, whose word ends the cloudlet's waiting; other batches wait", async () => {
    const { helpers, sealed, called } = await relaying();
    const regular = await stranded("regular");
    expect(await waiting()).toBe(2);
    const done = await helpers[0].helper.round();
    expect(done).toMatchObject({ relayed: 1, bytes: sealed.bytes.length, troubles: [] });
    expect(await inCloud(sealed.bytes)).toBe(1);
    expect(await inCloud(regular.bytes)).toBe(0);
    expect(await waiting()).toBe(1);
    // The other finds nothing left to do.
    expect(await helpers[1].helper.round()).toMatchObject({ relayed: 0 });
    await settle(called);
    // The cloudlet's own trying never ended.
    await eventually(async () => (await inCloud(regular.bytes)) === 1, 40_000);
    expect(await inCloud(sealed.bytes)).toBe(1);
  });

  it("gives frames to two at a time, and to nobody who did not qualify", async () => {
    const { helpers, called } = await relaying(3);
    const outsider = await helper(["gout"]);
    expect(await errandsFor(outsider)).toEqual([]);
    expect(await errandsFor(helpers[0])).toHaveLength(1);
    expect(await errandsFor(helpers[0])).toEqual([]);
    expect(await errandsFor(helpers[1])).toHaveLength(1);
    expect(await errandsFor(helpers[2])).toEqual([]);
    // Who drops it costs half a minute: then the third is asked.
    stage.system.clock.advance(PERMIT_MS + 1000);
    expect(await errandsFor(helpers[0])).toEqual([]);
    expect(await helpers[2].helper.round()).toMatchObject({ relayed: 1 });
    await settle(called);
  });

  it("brings nothing back of a stream that its owner deleted, and the cloudlet drops it", async () => {
    const { helpers, sealed, called } = await relaying();
    const [errand] = await errandsFor(helpers[0]);
    const { streamId } = parseBatch(sealed.bytes).header;
    const { clock, stores } = stage.system;
    const erasures = await createErasures({ store: stores.cloud, clock, onErased: () => {} });
    await erasures.erase(streamId);
    const brought = await bring(helpers[0].key, errand as NonNullable<typeof errand>);
    expect(brought).toMatchObject({ status: "refused", code: "STREAM_DELETED" });
    expect(await inCloud(sealed.bytes)).toBe(0);
    await settle(called);
    await eventually(async () => (await waiting()) === 0, 40_000);
    expect(await inCloud(sealed.bytes)).toBe(0);
    // The stage's patient goes on in the other tests.
    await (await stores.cloud.collection({ name: "stream_tombstones", indexes: [] })).deleteMany({
      _id: { $eq: streamId },
    });
  });

  it("costs nothing where a helper lies: false words, altered bytes, another's permit, another batch, too late", async () => {
    const { helpers, sealed, called } = await relaying(3);
    const [liar, second, third] = helpers;
    const [errand] = await errandsFor(liar);
    const permit = unverifiedPayload(FORWARD_PERMIT, errand?.permit as string);
    const { header } = parseBatch(sealed.bytes);
    const word = {
      deviceId: header.deviceId,
      sequence: header.sequence,
      digest: batchDigest(sealed.bytes),
      cloudlet: permit.cloudlet,
      at: stage.system.clock.now(),
    };
    expect(codeOf(await tell(liar, await signStatement(ACKNOWLEDGEMENT, word, liar.key)))).toBe(
      "ACKNOWLEDGEMENT_INVALID",
    );
    expect(await waiting()).toBe(1);
    // A liar carries nothing more; somebody else takes over at once.
    expect(await errandsFor(liar)).toEqual([]);

    const e = errand as NonNullable<typeof errand>;
    const code = async (answer: ReturnType<typeof bring>) => (await answer).code;
    const altered = Uint8Array.from(sealed.bytes);
    altered[1100] = (altered[1100] as number) ^ 1;
    expect(await code(bring(liar.key, e, { batch: altered }))).toBe("BATCH_SIGNATURE_INVALID");
    expect(await code(bring(second.key, e))).toBe("PERMIT_HOLDER_MISMATCH");
    const another = await stranded();
    expect(await code(bring(liar.key, e, { batch: another.bytes }))).toBe("PERMIT_BATCH_MISMATCH");
    // Permits that the helper makes for itself: with its own key, with the cloudlet's key named.
    const own = (changes: Partial<ForwardPermit>, by = liar.key) =>
      signStatement(FORWARD_PERMIT, { ...permit, ...changes }, by);
    const keyed = await own({
      cloudletKey: toBase64Url(liar.key.publicKey),
      batch: batchDigest(another.bytes),
    });
    expect(await code(bring(liar.key, e, { batch: another.bytes, permit: keyed }))).toBe(
      "PERMIT_CLOUDLET_MISMATCH",
    );
    const unsigned = await own({ batch: batchDigest(another.bytes) });
    expect(await code(bring(liar.key, e, { batch: another.bytes, permit: unsigned }))).toBe(
      "STATEMENT_INVALID",
    );
    expect(await code(bring(liar.key, e, { forwardTicket: e.deviceTicket }))).toBe("FORWARD_TICKET_INVALID");
    // The cloudlet's ticket in a helper's hands is no cloudlet's right.
    const http = createHttpClient({ clock: stage.system.clock });
    await expect(
      http.json({
        method: "POST",
        url: `${stage.system.cloud.url}/v1/batches`,
        credentials: { key: liar.key, ticket: e.forwardTicket },
        bytes: sealed.bytes,
        headers: { "Device-Ticket": e.deviceTicket, "Received-At": String(stage.system.clock.now()) },
      }),
    ).rejects.toMatchObject({ code: "TICKET_HOLDER_MISMATCH" });
    expect(await inCloud(sealed.bytes)).toBe(0);

    // Twice is once, and its word is as good the second time.
    const first = await bring(liar.key, e);
    expect(first.status).toBe("stored");
    expect((await bring(liar.key, e)).status).toBe("duplicate");
    expect(await inCloud(sealed.bytes)).toBe(1);
    // The word about one batch ends nobody else's waiting.
    expect((await tell(second, first.acknowledgement)).json).toEqual({ status: "taken" });
    expect((await tell(third, first.acknowledgement)).json).toEqual({ status: "known" });
    expect(await waiting()).toBe(1);
    stage.system.clock.advance(PERMIT_MS + 1000);
    expect(await code(bring(liar.key, e))).toBe("PERMIT_EXPIRED");
    expect(await third.helper.round()).toMatchObject({ relayed: 1 });
    await settle(called);
  });

  it("lets no cloudlet pass off a batch that is no emergency, or of a device that it invented", async () => {
    const regular = await stranded("regular");
    const who = await helper();
    const { accountId: cloudlet, key } = stage.system.cloudletAccount;
    const kdc = createKdcClient({
      http: createHttpClient({ clock: stage.system.clock }),
      url: stage.system.kdc.url,
    });
    const now = stage.system.clock.now();
    const permit = await signStatement(
      FORWARD_PERMIT,
      {
        permitId: toHex(randomBytes(16)),
        cloudlet,
        cloudletKey: toBase64Url(key.publicKey),
        helper: toBase64Url(who.key.publicKey),
        batch: batchDigest(regular.bytes),
        receivedAt: now,
        at: now,
        until: now + PERMIT_MS,
      },
      key,
    );
    const errand = {
      batch: toBase64Url(regular.bytes),
      deviceTicket: (await ticketOf()).ticket,
      forwardTicket: (await kdc.forwardTicket(cloudlet, key)).ticket,
      permit,
    };
    expect((await bring(who.key, errand)).code).toBe("RELAY_NOT_EMERGENCY");
    expect((await bring(who.key, { ...errand, deviceTicket: errand.forwardTicket })).code).toBe(
      "DEVICE_TICKET_INVALID",
    );
    stage.line.mend();
  });

  it("shows a helper the sealed frame and ids, and no name, handle or reading", async () => {
    const { helpers, called } = await relaying(2);
    const { json } = await standBy(helpers[0], helpers[0].self.set);
    const text =
      JSON.stringify(json) + atob((json.errands[0].deviceTicket as string).split(".")[1] as string);
    expect(text).not.toContain("ada-helped");
    expect(text).not.toContain("Quillfeather");
    expect(text).not.toContain(stage.pairing.ownerId);
    expect(Object.keys(json.errands[0]).sort()).toEqual([
      "batch",
      "callId",
      "deviceTicket",
      "forwardTicket",
      "permit",
    ]);
    await settle(called);
  });
});
