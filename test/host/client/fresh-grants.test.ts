import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type Bytes, MedcloudletError, toBase64Url } from "../../../host/base/index.ts";
import {
  createHttpClient,
  createReader,
  type Reader,
  type SharedStream,
} from "../../../host/client/index.ts";
import type { UnverifiedGrant } from "../../../host/client/kdc-client.ts";
import {
  CONSENT,
  DEVICE_REVOCATION,
  ENROLMENT,
  EPOCH,
  frameBatches,
  type SealingSuite,
  signStatement,
} from "../../../host/sealing/index.ts";
import { loadSuite, newSigningKey } from "../sealing/fixtures.ts";
import {
  consentOf,
  grantOf,
  NOW,
  newId,
  newStream,
  type Somebody,
  type Stream,
  sealFor,
  sessionOf,
  somebody,
  wrappedFor,
} from "./people.ts";

/** What the reader asks the KDC on account of batches, at most, at once. */
const BURST = 10;

let suite: SealingSuite;
let owner: Somebody;
let mallory: Somebody;
let doctor: Somebody;
let first: Stream;
let server: Server;
let cloudUrl: string;

/** What the cloud keeps and shows a page at a time; what the KDC hands out, and how often it was asked. */
let kept: Bytes[];
let pageLength: number;
let grant: UnverifiedGrant & { readonly consentId: string };
let asked: string[];
let kdcFault: MedcloudletError | null;

/** Another device of the same stream, enrolled by `by`. */
async function newDevice(by: Somebody): Promise<{ stream: Stream; statement: string }> {
  const deviceKey = await newSigningKey();
  const enrolment = {
    ...first.enrolment,
    deviceId: newId(),
    owner: by.account.accountId,
    signingKey: toBase64Url(deviceKey.publicKey),
  };
  const statement = await signStatement(ENROLMENT, enrolment, by.keys.signing);
  return { stream: { ...first, enrolment, deviceKey }, statement };
}

/** Another epoch of the same stream. */
async function newEpoch(): Promise<Stream> {
  const pair = await suite.generateKeyPair();
  const epoch = { ...first.epoch, epochId: newId(), number: 2, publicKey: toBase64Url(pair.publicKey) };
  return { ...first, pair, epoch };
}

beforeAll(async () => {
  suite = await loadSuite();
  [owner, mallory, doctor] = [
    await somebody(suite, "ada"),
    await somebody(suite, "mallory"),
    await somebody(suite, "dr-heron"),
  ];
  first = await newStream(suite, owner, "medical");
  server = createServer((request, response) => {
    const url = new URL(request.url as string, "http://cloud");
    if (url.pathname.endsWith("/events")) {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write(": welcome\n\n");
      return;
    }
    const after = Number(url.searchParams.get("after"));
    const batches = kept.slice(after, after + pageLength);
    response.setHeader("Medcloudlet-Cursor", String(after + batches.length));
    response.end(frameBatches(batches));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cloudUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(async () => {
  kept = [];
  // One batch a page: what a list settles for a whole page is of no help to a cloud that shows them one by one.
  pageLength = 1;
  asked = [];
  kdcFault = null;
  const consent = consentOf(owner, doctor, ["medical"]);
  grant = { ...(await grantOf(suite, owner, doctor, consent, [first])), consentId: consent.consentId };
});
afterEach(() => vi.restoreAllMocks());

/** A reader whose KDC answers with `grant` as it is then. */
async function begin(): Promise<{ reader: Reader; stream: SharedStream }> {
  const session = sessionOf(doctor.account, {
    grants: async () => [grant],
    readTicket: async () => ({ ticket: "t", expiresAt: NOW + 600_000, key: doctor.keys.signing }),
    call: async (schema, { path }) => {
      asked.push(path.replace(/[0-9a-f]{32}/, "ID"));
      if (kdcFault !== null) {
        throw kdcFault;
      }
      const { wrappedKeys, epochs } = grant;
      const keys = wrappedKeys.map((wrappedKey, i) => ({ wrappedKey, epoch: epochs[i] }));
      return schema.parse(
        path.startsWith("/grants") ? { grants: [grant], next: null } : { keys, next: null },
      );
    },
  });
  const clock = { now: () => NOW + 1000 };
  const reader = createReader({
    ...{ suite, clock, session, cloudUrl },
    http: createHttpClient({ clock }),
    keys: doctor.keys,
  });
  const [stream] = (await reader.shared()).streams;
  return { reader, stream: stream as SharedStream };
}

/** Sequences of what was opened and codes of what was refused, of as many as there are. */
async function outcomes(
  { reader, stream }: { reader: Reader; stream: SharedStream },
  how: "read" | "follow" = "read",
  onTrouble: (error: MedcloudletError) => void = () => {},
): Promise<(number | string)[]> {
  const controller = new AbortController();
  const found: (number | string)[] = [];
  const items =
    how === "read" ? reader.read(stream) : reader.follow(stream, controller.signal, { onTrouble });
  for await (const { batch } of items) {
    found.push(batch.status === "opened" ? batch.header.sequence : batch.error.code);
    if (found.length === kept.length) {
      controller.abort();
    }
  }
  return found;
}

/** The reader's own clock, moved by hand. */
function moveTime(): { by(ms: number): void } {
  let moved = 0;
  const real = performance.now.bind(performance);
  vi.spyOn(performance, "now").mockImplementation(() => real() + moved);
  return {
    by(ms) {
      moved += ms;
    },
  };
}

describe("a device that was enrolled while somebody reads", () => {
  it.each(["read", "follow"] as const)(
    "is learnt of from the owner's list, with one question (%s)",
    async (how) => {
      const following = await begin();
      const { stream: ring, statement } = await newDevice(owner);
      grant = { ...grant, devices: [...grant.devices, statement] };
      kept = [await sealFor(suite, first, 1), await sealFor(suite, ring, 2), await sealFor(suite, ring, 3)];
      expect(await outcomes(following, how)).toEqual([1, 2, 3]);
      // Keys are not asked for: each question for keys has an entry in the patient's log.
      expect(asked).toEqual(["/grants?after=ID"]);
    },
  );

  it("is learnt of together with the epoch that began after it", async () => {
    const following = await begin();
    const { stream: ring, statement } = await newDevice(owner);
    const second = await newEpoch();
    const consent = { ...consentOf(owner, doctor, ["medical"]), consentId: grant.consentId };
    grant = {
      ...grant,
      devices: [...grant.devices, statement],
      wrappedKeys: [...grant.wrappedKeys, await wrappedFor(suite, owner, doctor, consent, second)],
      epochs: [...grant.epochs, await signStatement(EPOCH, second.epoch, owner.keys.signing)],
    };
    kept = [
      await sealFor(suite, { ...second, enrolment: ring.enrolment, deviceKey: ring.deviceKey }, 1),
      await sealFor(suite, ring, 2),
    ];
    expect(await outcomes(following)).toEqual([1, 2]);
  });

  it("is not lost while the KDC is away: whoever follows is told, and it is asked again", async () => {
    const following = await begin();
    const { stream: ring, statement } = await newDevice(owner);
    grant = { ...grant, devices: [...grant.devices, statement] };
    kept = [await sealFor(suite, ring, 1)];
    kdcFault = new MedcloudletError("SERVICE_UNREACHABLE", "away", { status: 503 });
    const trouble: string[] = [];
    const found = await outcomes(following, "follow", ({ code }) => {
      trouble.push(code);
      kdcFault = null;
    });
    expect([found, trouble]).toEqual([[1], ["SERVICE_UNREACHABLE"]]);
  });
});

describe("a device that the owner did not enrol", () => {
  it("stays unknown, whoever signed its enrolment and whoever the KDC says the owner is", async () => {
    const following = await begin();
    const { stream: hers, statement } = await newDevice(mallory);
    kept = [await sealFor(suite, hers, 1)];
    const honest = grant;
    grant = { ...honest, devices: [...honest.devices, statement] };
    expect(await outcomes(following)).toEqual(["DEVICE_UNKNOWN"]);
    // The whole grant is hers, consent and identity too, under the id of the owner's.
    const consent = { ...consentOf(mallory, doctor, ["medical"]), consentId: honest.consentId };
    const signed = await signStatement(CONSENT, consent, mallory.keys.signing);
    grant = { ...honest, owner: mallory.account, consent: signed, devices: [statement] };
    expect(await outcomes(following)).toEqual(["DEVICE_UNKNOWN"]);
    expect(asked).toHaveLength(2);
  });

  it("does not make the reader ask the KDC more than a few times, however many a cloud invents", async () => {
    const { stream: invented } = await newDevice(owner);
    const following = await begin();
    for (let i = 0; i < 3 * BURST; i++) {
      const enrolment = { ...invented.enrolment, deviceId: newId() };
      kept.push(await sealFor(suite, { ...invented, enrolment }, i));
    }
    expect(new Set(await outcomes(following))).toEqual(new Set(["DEVICE_UNKNOWN"]));
    expect(asked).toHaveLength(BURST);
  });

  it("is asked for once a page, for the list that was asked for after the page came settles all of it", async () => {
    pageLength = 100;
    const following = await begin();
    for (let i = 0; i < 5; i++) {
      kept.push(await sealFor(suite, { ...first, enrolment: { ...first.enrolment, deviceId: newId() } }, i));
    }
    expect(new Set(await outcomes(following))).toEqual(new Set(["DEVICE_UNKNOWN"]));
    expect(asked).toHaveLength(1);
  });

  it("keeps a real one waiting for seconds, not for ever", async () => {
    const time = moveTime();
    const following = await begin();
    const { stream: ring, statement } = await newDevice(owner);
    for (let i = 0; i < 2 * BURST; i++) {
      kept.push(await sealFor(suite, { ...ring, enrolment: { ...ring.enrolment, deviceId: newId() } }, i));
    }
    await outcomes(following);
    grant = { ...grant, devices: [...grant.devices, statement] };
    kept = [await sealFor(suite, ring, 1)];
    expect(await outcomes(following)).toEqual(["DEVICE_UNKNOWN"]);
    time.by(5000);
    expect(await outcomes(following)).toEqual([1]);
    expect(asked).toHaveLength(BURST + 1);
  });
});

describe("an epoch that nobody began", () => {
  it("does not make the reader ask for keys without end, however many a stolen device invents", async () => {
    const following = await begin();
    for (let i = 0; i < 3 * BURST; i++) {
      kept.push(await sealFor(suite, { ...first, epoch: { ...first.epoch, epochId: newId() } }, i));
    }
    expect(new Set(await outcomes(following))).toEqual(new Set(["EPOCH_UNKNOWN"]));
    expect(asked).toHaveLength(BURST);
  });
});

describe("a device that was revoked while somebody follows", () => {
  it("is refused within minutes, and stays so when the KDC leaves the revocation out again", async () => {
    const time = moveTime();
    const following = await begin();
    kept = [await sealFor(suite, first, 1)];
    expect(await outcomes(following, "follow")).toEqual([1]);
    const { deviceId, owner: ownerId } = first.enrolment;
    const revocation = { owner: ownerId, deviceId, revokedAt: NOW - 1 };
    const honest = grant;
    const statement = await signStatement(DEVICE_REVOCATION, revocation, owner.keys.signing);
    grant = { ...honest, deviceRevocations: [statement] };
    expect(await outcomes(following, "follow")).toEqual([1]);
    time.by(5 * 60_000);
    expect(await outcomes(following, "follow")).toEqual(["DEVICE_REVOKED"]);
    grant = honest;
    time.by(5 * 60_000);
    expect(await outcomes(following, "follow")).toEqual(["DEVICE_REVOKED"]);
    expect(asked).toHaveLength(2);
  });
});
