import { beforeAll, describe, expect, it } from "vitest";
import { toBase64Url } from "../../../host/base/index.ts";
import type { UnverifiedGrant } from "../../../host/client/kdc-client.ts";
import {
  CONSENT,
  type Consent,
  ENROLMENT,
  EPOCH,
  type SealingSuite,
  signStatement,
} from "../../../host/sealing/index.ts";
import { loadSuite, rejectionOf } from "../sealing/fixtures.ts";
import {
  consentOf,
  grantOf,
  newId,
  newStream,
  openAs,
  type Somebody,
  type Stream,
  somebody,
  wrappedFor,
} from "./people.ts";

let suite: SealingSuite;
let owner: Somebody;
let stranger: Somebody;
let reader: Somebody;
let otherReader: Somebody;
let medical: Stream;
let profile: Stream;
let foreign: Stream;
let consent: Consent;
let grant: UnverifiedGrant;
beforeAll(async () => {
  suite = await loadSuite();
  [owner, stranger, reader, otherReader] = (await Promise.all(
    ["ada", "eve", "dr-heron", "dr-stork"].map((handle) => somebody(suite, handle)),
  )) as [Somebody, Somebody, Somebody, Somebody];
  medical = await newStream(suite, owner, "medical");
  profile = await newStream(suite, owner, "profile");
  foreign = await newStream(suite, stranger, "medical");
  consent = consentOf(owner, reader, ["medical"]);
  grant = await grantOf(suite, owner, reader, consent, [medical]);
});

const verdictOn = (changes: Partial<UnverifiedGrant>) =>
  rejectionOf(openAs(suite, reader, { ...grant, ...changes }));
const signed = (value: Consent) => signStatement(CONSENT, value, owner.keys.signing);
const wrapped = (value: Consent, stream: Pick<Stream, "epoch" | "pair">) =>
  wrappedFor(suite, owner, reader, value, stream);

describe("a grant", () => {
  it("opens into the owner's stream with its keys, devices, and the name told under seal", async () => {
    const streams = await openAs(suite, reader, grant);
    expect(streams).toHaveLength(1);
    expect(streams[0]).toMatchObject({
      streamId: medical.epoch.streamId,
      region: "medical",
      ownerId: owner.account.accountId,
      ownerName: "Ada",
      ownerFingerprint: owner.fingerprint,
      consent,
    });
    expect([...(streams[0]?.epochs ?? [])].map(([id, { publicKey }]) => [id, publicKey])).toEqual([
      [medical.epoch.epochId, medical.pair.publicKey],
    ]);
    expect([...(streams[0]?.devices ?? [])]).toEqual([[medical.enrolment.deviceId, medical.enrolment]]);
  });

  it("for two regions opens into two streams, each with its own devices", async () => {
    const both = consentOf(owner, reader, ["medical", "profile"]);
    const streams = await openAs(
      suite,
      reader,
      await grantOf(suite, owner, reader, both, [medical, profile]),
    );
    expect(streams.map(({ region, devices }) => [region, [...devices.keys()]])).toEqual([
      ["medical", [medical.enrolment.deviceId]],
      ["profile", [profile.enrolment.deviceId]],
    ]);
  });

  it("with a second epoch opens into one stream with both keys", async () => {
    const next = await newStream(suite, owner, "medical");
    const epoch = { ...next.epoch, streamId: medical.epoch.streamId, number: 2 };
    const streams = await openAs(
      suite,
      reader,
      await grantOf(suite, owner, reader, consent, [medical, { ...next, epoch }]),
    );
    expect(streams.map(({ epochs }) => epochs.size)).toEqual([2]);
  });

  it("does not open what was not wrapped, though its epoch is published", async () => {
    const streams = await openAs(suite, reader, { ...grant, wrappedKeys: [] });
    expect(streams).toEqual([]);
  });
});

describe("a lying KDC", () => {
  it("cannot pass the grant off as another owner's", async () => {
    expect(await verdictOn({ owner: stranger.account })).toBe("STATEMENT_INVALID");
    expect(await verdictOn({ owner: { ...owner.account, accountId: newId() } })).toBe("GRANT_INVALID");
    expect(await verdictOn({ owner: { ...owner.account, identity: stranger.account.identity } })).toBe(
      "STATEMENT_INVALID",
    );
  });

  it("cannot hand one reader's grant to another", async () => {
    expect(await rejectionOf(openAs(suite, otherReader, grant))).toBe("GRANT_INVALID");
    const sameAccount = { ...otherReader, account: reader.account };
    expect(await rejectionOf(openAs(suite, sameAccount, grant))).toBe("GRANT_INVALID");
    const sameKeys = { ...reader, account: otherReader.account };
    expect(await rejectionOf(openAs(suite, sameKeys, grant))).toBe("GRANT_INVALID");
    expect(await verdictOn({ consent: await signed({ ...consent, reader: newId() }) })).toBe("GRANT_INVALID");
    expect(
      await verdictOn({
        consent: await signed({ ...consent, readerFingerprint: otherReader.fingerprint }),
      }),
    ).toBe("GRANT_INVALID");
  });

  it("cannot make up or change a consent", async () => {
    const forged = await signStatement(CONSENT, consent, stranger.keys.signing);
    expect(await verdictOn({ consent: forged })).toBe("STATEMENT_INVALID");
    const own = await signStatement(
      CONSENT,
      { ...consent, owner: stranger.account.accountId },
      owner.keys.signing,
    );
    expect(await verdictOn({ consent: own })).toBe("GRANT_INVALID");
    const [header, , signature] = grant.consent.split(".");
    const longer = Buffer.from(JSON.stringify({ ...consent, until: consent.until + 1 })).toString(
      "base64url",
    );
    expect(await verdictOn({ consent: `${header}.${longer}.${signature}` })).toBe("STATEMENT_INVALID");
    expect(await verdictOn({ consent: grant.epochs[0] as string })).toBe("STATEMENT_INVALID");
  });

  it("cannot put another consent of the same two people under the keys", async () => {
    const other = consentOf(owner, reader, ["medical"]);
    expect(await verdictOn({ consent: await signed(other) })).toBe("GRANT_INVALID");
  });

  it("cannot slip in an epoch of somebody else", async () => {
    const theirs = await signStatement(EPOCH, foreign.epoch, stranger.keys.signing);
    expect(await verdictOn({ epochs: [theirs] })).toBe("STATEMENT_INVALID");
    expect(await verdictOn({ epochs: [...grant.epochs, theirs] })).toBe("STATEMENT_INVALID");
    const claimed = await signStatement(EPOCH, foreign.epoch, owner.keys.signing);
    expect(await verdictOn({ epochs: [...grant.epochs, claimed] })).toBe("GRANT_INVALID");
  });

  it("cannot slip in a device of somebody else", async () => {
    const theirs = await signStatement(ENROLMENT, foreign.enrolment, stranger.keys.signing);
    expect(await verdictOn({ devices: [theirs] })).toBe("STATEMENT_INVALID");
    const claimed = await signStatement(ENROLMENT, foreign.enrolment, owner.keys.signing);
    expect(await verdictOn({ devices: [claimed] })).toBe("GRANT_INVALID");
    const elsewhere = {
      ...foreign.enrolment,
      owner: owner.account.accountId,
      streamId: profile.epoch.streamId,
    };
    const streams = await openAs(suite, reader, {
      ...grant,
      devices: [...grant.devices, await signStatement(ENROLMENT, elsewhere, owner.keys.signing)],
    });
    expect([...(streams[0]?.devices.keys() ?? [])]).toEqual([medical.enrolment.deviceId]);
  });

  it("cannot exchange the wrapped key for that of another consent, epoch or reader", async () => {
    const other = consentOf(owner, reader, ["medical", "profile"]);
    expect(await verdictOn({ wrappedKeys: [await wrapped(other, medical)] })).toBe("GRANT_INVALID");
    expect(await verdictOn({ wrappedKeys: [await wrapped(consent, profile)] })).toBe("GRANT_INVALID");
    const forOther = await wrappedFor(suite, owner, otherReader, { ...consent, reader: newId() }, medical);
    expect(await verdictOn({ wrappedKeys: [forOther] })).toBe("GRANT_INVALID");
    const sealedToOther = await wrappedFor(suite, owner, otherReader, consent, medical);
    expect(await verdictOn({ wrappedKeys: [sealedToOther] })).toBe("SEALED_OPEN_FAILED");
    const byStranger = await wrappedFor(suite, stranger, reader, consent, medical);
    expect(await verdictOn({ wrappedKeys: [byStranger] })).toBe("STATEMENT_INVALID");
    const inAnotherName = await wrapped({ ...consent, owner: stranger.account.accountId }, medical);
    expect(await verdictOn({ wrappedKeys: [inAnotherName] })).toBe("GRANT_INVALID");
  });

  it("cannot widen a consent to a region that it does not name", async () => {
    const both = await grantOf(suite, owner, reader, consent, [medical, profile]);
    expect(await rejectionOf(openAs(suite, reader, both))).toBe("GRANT_INVALID");
  });

  it("cannot keep the epoch back that a key belongs to", async () => {
    expect(await verdictOn({ epochs: [] })).toBe("GRANT_INVALID");
  });
});

describe("an owner's mistake", () => {
  it("is refused where the wrapped key is not the private half of its epoch", async () => {
    const mixedUp = await wrapped(consent, { epoch: medical.epoch, pair: profile.pair });
    expect(await verdictOn({ wrappedKeys: [mixedUp] })).toBe("GRANT_INVALID");
    const epoch = { ...medical.epoch, publicKey: toBase64Url(profile.pair.publicKey) };
    expect(await verdictOn({ epochs: [await signStatement(EPOCH, epoch, owner.keys.signing)] })).toBe(
      "GRANT_INVALID",
    );
  });
});
