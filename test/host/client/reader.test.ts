import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Bytes } from "../../../host/base/index.ts";
import {
  createHttpClient,
  createReader,
  type KdcSession,
  type ReadBatch,
  type Reader,
  readSealedBatch,
  type SharedStream,
} from "../../../host/client/index.ts";
import { frameBatches, type SealingSuite, ticketHash } from "../../../host/sealing/index.ts";
import { flipped, loadSuite, newSigningKey, rejectionOf } from "../sealing/fixtures.ts";
import {
  consentOf,
  grantOf,
  LATER,
  NOW,
  newId,
  newStream,
  openAs,
  READINGS,
  type Somebody,
  type Stream,
  sealFor,
  sessionOf,
  somebody,
} from "./people.ts";

/** Runs from shortly after the consents here begin. */
const startedAt = Date.now();
const clock = { now: () => NOW + 1000 + Date.now() - startedAt };

let suite: SealingSuite;
let owner: Somebody;
let person: Somebody;
let written: Stream;
let stream: SharedStream;
let server: Server;
let cloudUrl: string;

/** What the cloud holds, how it answers, and what it was asked. */
let kept: Bytes[];
let page: (after: number, response: ServerResponse) => void;
let events: (response: ServerResponse) => void;
let asked: { url: string; authorization: string | undefined; proof: string | undefined }[];
/** How many subscriptions the cloud refuses before it takes one. */
let refuseEvents: number;
let ticketsIssued: number;
let ticketLifetime: number;

const PAGE = 2;
function honestPage(after: number, response: ServerResponse): void {
  const batches = kept.slice(after, after + PAGE);
  response.setHeader("Medcloudlet-Cursor", String(after + batches.length));
  response.end(frameBatches(batches));
}

beforeAll(async () => {
  suite = await loadSuite();
  owner = await somebody(suite, "ada");
  person = await somebody(suite, "dr-heron");
  written = await newStream(suite, owner, "medical");
  const consent = consentOf(owner, person, ["medical"]);
  [stream] = (await openAs(suite, person, await grantOf(suite, owner, person, consent, [written]))) as [
    SharedStream,
  ];
  server = createServer((request, response) => {
    const url = new URL(request.url as string, "http://cloud");
    asked.push({
      url: request.url as string,
      authorization: request.headers.authorization,
      proof: request.headers.dpop as string | undefined,
    });
    if (url.pathname.endsWith("/events") && refuseEvents > 0) {
      refuseEvents--;
      response.writeHead(503).end();
    } else if (url.pathname.endsWith("/events")) {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      events(response);
    } else {
      page(Number(url.searchParams.get("after")), response);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cloudUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  kept = [];
  asked = [];
  page = honestPage;
  events = (response) => response.flushHeaders();
  refuseEvents = 0;
  ticketsIssued = 0;
  ticketLifetime = 600_000;
});

function readerWith(answers: Partial<KdcSession> = {}): Reader {
  const session = sessionOf(person.account, {
    readTicket: async () => {
      ticketsIssued++;
      const key = person.keys.signing;
      return { ticket: `ticket-${ticketsIssued}`, expiresAt: clock.now() + ticketLifetime, key };
    },
    ...answers,
  });
  const http = createHttpClient({ clock });
  return createReader({ suite, clock, http, session, keys: person.keys, cloudUrl });
}

async function readAll(after?: number): Promise<{ batch: ReadBatch; cursor: number }[]> {
  const items = [];
  for await (const item of readerWith().read(stream, after)) {
    items.push(item);
  }
  return items;
}

/** The sequence of an opened batch, or the code with which it was refused. */
const outcome = ({ batch }: { batch: ReadBatch }) =>
  batch.status === "opened" ? batch.header.sequence : batch.error.code;

describe("a batch that a reader opens", () => {
  const verdictOn = (bytes: Bytes, changes: Partial<SharedStream> = {}) =>
    rejectionOf(readSealedBatch(bytes, { ...stream, ...changes }));

  it("gives its header and its readings", async () => {
    const { header, columns } = await readSealedBatch(await sealFor(suite, written, 3), stream);
    expect(header).toMatchObject({ sequence: 3, deviceId: written.enrolment.deviceId });
    expect(columns).toStrictEqual(READINGS);
  });

  it("comes from a device that the owner enrolled for this stream", async () => {
    const stranger = { ...written, enrolment: { ...written.enrolment, deviceId: newId() } };
    expect(await verdictOn(await sealFor(suite, stranger, 0))).toBe("DEVICE_UNKNOWN");
    const impostor = { ...written, deviceKey: await newSigningKey() };
    expect(await verdictOn(await sealFor(suite, impostor, 0))).toBe("BATCH_SIGNATURE_INVALID");
  });

  it("holds nothing from after the time until which its device may write", async () => {
    const at = (time: number) =>
      sealFor(suite, written, 0, [{ quantity: "heartRate", times: [LATER - 1, time], values: [1, 2] }]);
    expect(await verdictOn(await at(LATER))).toBe("none");
    expect(await verdictOn(await at(LATER + 1))).toBe("DEVICE_EXPIRED");
  });

  it("belongs to this stream and region, whatever its device signs", async () => {
    const elsewhere = { ...written, epoch: { ...written.epoch, streamId: newId() } };
    expect(await verdictOn(await sealFor(suite, elsewhere, 0))).toBe("BATCH_STREAM_MISMATCH");
    const other = { ...written, epoch: { ...written.epoch, region: "profile" as const } };
    expect(await verdictOn(await sealFor(suite, other, 0))).toBe("BATCH_STREAM_MISMATCH");
  });

  it("is sealed to an epoch that was shared", async () => {
    const later = { ...written, epoch: { ...written.epoch, epochId: newId() } };
    expect(await verdictOn(await sealFor(suite, later, 0))).toBe("EPOCH_UNKNOWN");
    const mixedUp = { ...written, pair: await suite.generateKeyPair() };
    expect(await verdictOn(await sealFor(suite, mixedUp, 0))).toBe("SEALED_OPEN_FAILED");
  });
});

describe("reading a stream", () => {
  it("gives every batch in order, page by page, and a cursor to go on from", async () => {
    kept = await Promise.all([0, 1, 2, 3, 4].map((sequence) => sealFor(suite, written, sequence)));
    const items = await readAll();
    expect(items.map(outcome)).toEqual([0, 1, 2, 3, 4]);
    expect(items.map(({ cursor }) => cursor)).toEqual([0, 2, 2, 4, 5]);
    expect((await readAll(4)).map(outcome)).toEqual([4]);
    expect(await readAll(5)).toEqual([]);
  });

  it("gives a tampered batch as refused, and the others all the same", async () => {
    kept = await Promise.all([0, 1, 2, 3].map((sequence) => sealFor(suite, written, sequence)));
    kept[1] = flipped(kept[1] as Bytes, 500);
    kept[2] = (kept[2] as Bytes).slice(0, 300);
    kept.splice(3, 0, new Uint8Array(), new Uint8Array(700));
    expect((await readAll()).map(outcome)).toEqual([
      0,
      "BATCH_SIGNATURE_INVALID",
      "BATCH_TRUNCATED",
      "BATCH_TRUNCATED",
      "BATCH_MAGIC_INVALID",
      3,
    ]);
  });

  it("shows the ticket and proves its key for the very request, with one ticket for many pages", async () => {
    kept = await Promise.all([0, 1, 2].map((sequence) => sealFor(suite, written, sequence)));
    await readAll();
    expect(ticketsIssued).toBe(1);
    expect(asked.map(({ url }) => url)).toEqual(
      [0, 2, 3].map((after) => `/v1/streams/${stream.streamId}/batches?after=${after}`),
    );
    expect(new Set(asked.map(({ proof }) => proof)).size).toBe(3);
    for (const { authorization, proof } of asked) {
      expect(authorization).toBe("DPoP ticket-1");
      const [, claims] = (proof as string).split(".");
      expect(JSON.parse(Buffer.from(claims as string, "base64url").toString())).toMatchObject({
        htm: "GET",
        htu: `${cloudUrl}v1/streams/${stream.streamId}/batches`,
        ath: ticketHash("ticket-1"),
      });
    }
  });

  it("renews a ticket that is about to end", async () => {
    ticketLifetime = 29_000;
    kept = await Promise.all([0, 1, 2].map((sequence) => sealFor(suite, written, sequence)));
    await readAll();
    expect(asked.map(({ authorization }) => authorization)).toEqual([
      "DPoP ticket-1",
      "DPoP ticket-2",
      "DPoP ticket-3",
    ]);
  });

  it.each<[string, string | undefined]>([
    ["no cursor", undefined],
    ["a cursor that stands still", "0"],
    ["a cursor that goes back", "-1"],
    ["a cursor that is no number", "far"],
    ["a cursor beyond every number", "1e400"],
  ])("ends with an error where the cloud gives %s, and not in a circle", async (_, cursor) => {
    const batch = await sealFor(suite, written, 0);
    page = (_after, response) => {
      if (cursor !== undefined) {
        response.setHeader("Medcloudlet-Cursor", cursor);
      }
      response.end(frameBatches([batch]));
    };
    expect(await rejectionOf(readAll())).toBe("SERVICE_RESPONSE");
    expect(asked).toHaveLength(1);
  });

  it("ends with an error where a page breaks off", async () => {
    const framed = frameBatches([await sealFor(suite, written, 0)]);
    page = (_after, response) => response.end(framed.subarray(0, -1));
    expect(await rejectionOf(readAll())).toBe("FRAME_TRUNCATED");
  });

  it("ends with the cloud's own error", async () => {
    page = (_after, response) => {
      response.writeHead(403).end(JSON.stringify({ code: "TICKET_SCOPE", detail: "Not this stream." }));
    };
    expect(await rejectionOf(readAll())).toBe("TICKET_SCOPE");
  });
});

describe("following a stream", () => {
  async function follow(count: number, signal: AbortController): Promise<(string | number)[]> {
    const seen: (string | number)[] = [];
    for await (const item of readerWith().follow(stream, signal.signal)) {
      seen.push(outcome(item));
      if (seen.length === count) {
        signal.abort();
      }
    }
    return seen;
  }

  it("ends when it is told to also after the garbage collector has been by", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    events = (response) => response.write(": welcome\n\n");
    const controller = new AbortController();
    const following = (async () => {
      for await (const _ of readerWith().follow(stream, controller.signal)) {
        // Nothing comes.
      }
    })();
    for (let i = 0; i < 10; i++) {
      await new Promise((resolve) => setTimeout(resolve, 30));
      collect();
    }
    controller.abort();
    await following;
    expect(asked.filter(({ url }) => url.endsWith("/events"))).toHaveLength(1);
  }, 10_000);

  it("gives what is there, then what comes, and ends when it is told to", async () => {
    kept = [await sealFor(suite, written, 0)];
    const second = await sealFor(suite, written, 1);
    events = (response) => {
      response.write(": welcome\n\n");
      setTimeout(() => {
        kept.push(second);
        response.write("event: other\ndata: {}\n\nevent: batch\ndata: {}\n\n");
      }, 200);
    };
    expect(await follow(2, new AbortController())).toEqual([0, 1]);
  });

  it("goes on where it was after the cloud hung up, without haste", async () => {
    const batches = await Promise.all([0, 1].map((sequence) => sealFor(suite, written, sequence)));
    kept = [batches[0] as Bytes];
    let subscriptions = 0;
    events = (response) => {
      subscriptions++;
      response.end();
      if (subscriptions === 1) {
        setTimeout(() => kept.push(batches[1] as Bytes), 300);
      }
    };
    expect(await follow(2, new AbortController())).toEqual([0, 1]);
    // One subscription a second: a cloud that hangs up at once is not asked thousands of times.
    expect(subscriptions).toBeLessThanOrEqual(3);
    expect(asked.filter(({ url }) => url.endsWith("after=0"))).toHaveLength(1);
  });

  it("says so while the cloud is away, and goes on when it is back", async () => {
    let calls = 0;
    events = (response) => {
      calls++;
      response.write(": back\n\n");
    };
    kept = [await sealFor(suite, written, 0)];
    refuseEvents = 1;
    const trouble: string[] = [];
    const controller = new AbortController();
    const onTrouble = ({ code }: { code: string }) => trouble.push(code);
    const outcomes = [];
    for await (const item of readerWith().follow(stream, controller.signal, { onTrouble })) {
      outcomes.push(outcome(item));
      controller.abort();
    }
    expect(outcomes).toEqual([0]);
    expect(trouble).toEqual(["SERVICE_RESPONSE"]);
    expect(calls).toBe(1);
  });

  it("ends with an error where the cloud refuses", async () => {
    events = (response) => response.end();
    page = (_after, response) => {
      response.writeHead(403).end(JSON.stringify({ code: "TICKET_SCOPE", detail: "Not this stream." }));
    };
    expect(await rejectionOf(follow(1, new AbortController()))).toBe("TICKET_SCOPE");
  });
});

describe("a cloud that shows batches again", () => {
  it("is not heard twice, and two batches under one number are shown as such", async () => {
    const first = await sealFor(suite, written, 0);
    const other = await sealFor(suite, written, 0);
    kept = [first, first, await sealFor(suite, written, 1), first, other];
    expect((await readAll()).map(outcome)).toEqual([0, 1, "BATCH_SEQUENCE_REUSED"]);
  });
});

describe("the list of what was shared", () => {
  it("leaves out a consent that is not in force, whatever the KDC says", async () => {
    for (const changes of [{ from: NOW - 2000, until: NOW - 1000 }, { from: NOW + 600_000 }]) {
      const consent = { ...consentOf(owner, person, ["medical"]), ...changes };
      const grant = await grantOf(suite, owner, person, consent, [written]);
      const { streams, refused } = await readerWith({ grants: async () => [grant] }).shared();
      expect(streams).toEqual([]);
      expect(refused.map(({ code }) => code)).toEqual(["GRANT_INVALID"]);
    }
  });

  it("has the grants that hold, and tells of those that do not", async () => {
    const consent = consentOf(owner, person, ["medical"]);
    const good = await grantOf(suite, owner, person, consent, [written]);
    const bad = { ...good, consent: good.epochs[0] as string };
    const { streams, refused } = await readerWith({ grants: async () => [bad, good] }).shared();
    expect(streams.map(({ streamId }) => streamId)).toEqual([written.epoch.streamId]);
    expect(refused.map(({ code }) => code)).toEqual(["STATEMENT_INVALID"]);
  });
});
