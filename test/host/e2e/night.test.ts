import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCloudApp } from "../../../host/apps/index.ts";
import { type AuditEntry, parseEntry } from "../../../host/audit/index.ts";
import { toBase64Url } from "../../../host/base/index.ts";
import { openAlertDesk } from "../../../host/cli/doctor-alerts.ts";
import { createOutput } from "../../../host/cli/output.ts";
import {
  createAuditClient,
  createNoticeBoard,
  type OpenedStream,
  verifyReleaseStatement,
} from "../../../host/client/index.ts";
import { createLog, listen, type RunningService } from "../../../host/http/index.ts";
import type { Store } from "../../../host/store/index.ts";
import {
  createPhysiology,
  createReporter,
  type Device,
  EMERGENCY_SECONDS,
} from "../../../host/wearable/index.ts";
import { asTrustees, emergencyOf, REASON, type Staff, staffOf } from "../../support/emergency.ts";
import { recordOwnerOf } from "../../support/records.ts";
import { consenting, releaseFolder, researchClient, startResearch, textOf } from "../../support/research.ts";
import { termsFor } from "../../support/sharing.ts";
import { type Backend, backends } from "../../support/stores.ts";
import { eventually, type Patient, type System, startSystem } from "../../support/system.ts";
import { COMMON, candidates, GUARANTEE, recordOf, SEPSIS, STUDY } from "./night-release.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/**
 * The cloudlet forwards eight batches at a time, among which the order of arrival is anybody's; eight more may have been
 * on their way when the emergency came.
 */
const FIRST_OF_ALL = 16;
const BACKLOG = 40;

/** The services close their stores; this one outlives a cloud, as a database does. */
function outliving(backend: Backend): { backend: Backend; close(): Promise<void> } {
  let kept: Store | undefined;
  return {
    backend: {
      ...backend,
      async open(service) {
        const store = await backend.open(service);
        if (service !== "cloud") {
          return store;
        }
        kept = store;
        return { ...store, close: async () => {} };
      },
    },
    close: async () => kept?.close(),
  };
}

describe.each(backends())("one night, on the $name store", (backend) => {
  const database = outliving(backend);
  let system: System;
  let home: string;
  let cloud: RunningService | undefined;
  beforeAll(async () => {
    system = await startSystem(database.backend);
    home = await mkdtemp(join(tmpdir(), "night-"));
  });
  afterAll(async () => {
    await system?.stop();
    await cloud?.close();
    await database.close();
    await rm(home, { recursive: true, force: true });
  });

  let patient: Patient;
  let watching: Staff;
  let crane: Staff;
  let swift: Staff;
  let wearable: Device;
  /** A second wearable of hers. */
  let ring: Device;
  let sentCount = 0;

  /** What reached the doctor, in the order of the cloud. */
  const arrived: { deviceId: string; sequence: number; priority: string }[] = [];
  const alerts: { level: string; kind: string; sequence: number; at: number }[] = [];
  const abort = new AbortController();
  let following: Promise<void>;

  it("begins with a patient whose score rises, and ends the first hour with the doctor's alert", async () => {
    const { clock } = system;
    patient = await system.patient("quiet-otter", "Ada Quillfeather");
    for (const region of ["identity", "profile", "medical"] as const) {
      await patient.owner.startEpoch(region);
    }
    watching = await staffOf(system, "dr-heron");
    crane = await staffOf(system, "officer-crane", "security-officer");
    swift = await staffOf(system, "dr-swift");
    const { emergency } = emergencyOf(system, patient);
    await emergency.prepare({ trustees: asTrustees([watching, crane]), threshold: 2 });
    await patient.owner.share(termsFor(system, watching));
    ({ device: wearable } = await system.device(patient));
    ({ device: ring } = await system.device(patient));

    const stream = (await watching.reader.shared()).streams[0] as OpenedStream;
    let sequence = -1;
    const desk = await openAlertDesk(
      home,
      {
        accountId: watching.session.account.accountId,
        handle: watching.handle,
        role: "doctor",
        name: "Dr Heron",
        signingSeed: toBase64Url(watching.secrets[0] as Uint8Array),
        receivingKey: toBase64Url(watching.secrets[1] as Uint8Array),
        epochs: [],
        known: {},
      },
      {
        ...createOutput({ json: true }),
        result(data) {
          const { level, kind } = data as { level: string; kind: string };
          alerts.push({ level, kind, sequence, at: performance.now() });
        },
      },
      { freshMs: Number.POSITIVE_INFINITY },
    );
    following = (async () => {
      for await (const { batch } of watching.reader.follow(stream, abort.signal)) {
        if (batch.status === "refused") {
          throw batch.error;
        }
        const { deviceId, priority } = batch.header;
        sequence = batch.header.sequence;
        arrived.push({ deviceId, sequence, priority });
        await desk.observe(stream, batch.columns, batch.header.priority);
      }
      await desk.close();
    })();

    // Two hours ago, so that the simulated course has room before now.
    const physiology = createPhysiology({
      seed: 7,
      startTime: clock.now() - 2 * HOUR_MS,
      episode: { kind: "sepsis", onsetSeconds: 5 * 60, timeFactor: 20 },
    });
    const reporter = createReporter();
    const sent: { sequence: number; priority: string; at: number }[] = [];
    const urgent = () => sent.filter(({ priority }) => priority === "emergency").length;
    for (let slice = 0; slice < 400 && urgent() < 3; slice++) {
      const report = reporter.take(physiology.nextBatch(EMERGENCY_SECONDS));
      if (report !== null) {
        const at = performance.now();
        const sealed = await wearable.record(report.columns, report.priority);
        await wearable.flush();
        sent.push({ sequence: sealed.sequence, priority: sealed.priority, at });
        sentCount++;
      }
    }
    // It was well first, and then was not.
    expect(sent[0]?.priority).toBe("regular");
    expect(sent.map(({ priority }) => priority).slice(-3)).toEqual(["emergency", "emergency", "emergency"]);
    expect(reporter.mode()).toMatchObject({ mode: "emergency", cause: "news2" });

    await eventually(async () => alerts.some(({ level }) => level === "emergency"), 30_000);
    const alert = alerts.find(({ level }) => level === "emergency") as (typeof alerts)[number];
    const cause = sent.find((batch) => batch.sequence === alert.sequence);
    // No earlier than the wearable called: the quiet minutes before raise no emergency.
    expect(cause?.priority).toBe("emergency");
    const seconds = (alert.at - (cause?.at ?? 0)) / 1000;
    process.stdout.write(
      `  night, ${backend.name}: readings sealed to alert raised ${seconds.toFixed(3)} s (kind ${alert.kind})\n`,
    );
  }, 120_000);

  it("lets an emergency overtake a backlog at the cloudlet", async () => {
    const { clock } = system;
    await eventually(async () => arrived.length === sentCount);
    const before = arrived.length;
    const { port } = new URL(system.cloud.url);
    await system.cloud.close();

    // Her ring comes home with regular readings; the cloud is away, so they wait at the cloudlet.
    for (let i = 0; i < BACKLOG; i++) {
      const times = [clock.now() - HOUR_MS + i * 1000];
      await ring.record([{ quantity: "pulseRate", times, values: [118] }], "regular");
    }
    await ring.flush();
    const last = await wearable.record(
      [{ quantity: "heartRate", times: [clock.now()], values: [141] }],
      "emergency",
    );
    await wearable.flush();
    expect(arrived).toHaveLength(before);

    const log = createLog({
      service: "cloud",
      level: "debug",
      destination: { write: (line) => void system.logLines.push(line) },
    });
    const again = await createCloudApp({
      store: { ...system.stores.cloud, close: async () => {} },
      clock,
      log,
      kdcUrl: system.kdc.url,
      rateLimit: { points: 1_000_000, seconds: 1 },
      trustProxies: 0,
    });
    cloud = await listen(again, { host: "127.0.0.1", port: Number(port), log, graceMs: 500 });
    expect(cloud.url).toBe(system.cloud.url);

    await eventually(async () => arrived.length === before + BACKLOG + 1, 60_000);
    const order = arrived.slice(before);
    const place = order.findIndex(
      ({ deviceId, sequence }) => deviceId === wearable.deviceId && sequence === last.sequence,
    );
    // It came last and went with the first that were forwarded.
    expect(place).toBeGreaterThanOrEqual(0);
    expect(place).toBeLessThan(FIRST_OF_ALL);
    abort.abort();
    await following;
  }, 120_000);

  it("opens break-glass to the night team, ends by itself, and leaves all of it in the patient's log", async () => {
    const { clock } = system;
    expect((await swift.reader.shared()).streams).toEqual([]);
    const { emergencyId } = await swift.emergency.request({
      patient: "quiet-otter",
      reason: REASON,
      minutes: 30,
    });
    for (const trustee of [watching, crane]) {
      await trustee.emergency.approve({ emergencyId, expectedFingerprint: swift.fingerprint });
    }
    const stream = (await swift.emergency.open(emergencyId)).streams[0] as OpenedStream;
    let urgent = 0;
    for await (const { batch } of swift.reader.read(stream)) {
      urgent += batch.status === "opened" && batch.header.priority === "emergency" ? 1 : 0;
    }
    // Three of the first hour and the one that overtook.
    expect(urgent).toBe(4);

    clock.advance(31 * MINUTE_MS);
    await expect(swift.emergency.open(emergencyId)).rejects.toMatchObject({ code: "EMERGENCY_ENDED" });
    await expect(
      (async () => {
        for await (const _ of swift.reader.read(stream)) {
          // Nothing is to come.
        }
      })(),
    ).rejects.toMatchObject({ code: "CONSENT_MISSING" });

    const { entries } = await createAuditClient(patient.session).mine({ after: 0, limit: 1000 });
    const known = entries.map(parseEntry).filter((entry): entry is AuditEntry => entry !== null);
    const team = new Map(
      [swift, watching, crane].map(({ session, handle }) => [session.account.accountId, handle]),
    );
    const first = known.findIndex(({ action }) => action === "emergency.request");
    const told = known
      .slice(first)
      .filter(({ action }) => action !== "emergency.expire")
      .map(
        ({ actor, action, outcome, code }) =>
          `${team.get(actor ?? "") ?? "?"} ${action} ${outcome === "success" ? "ok" : code}`,
      );
    // The KDC writes down what is done and tried. The end by itself is the service's own entry, some seconds later.
    expect(told).toEqual([
      "dr-swift emergency.request ok",
      "dr-heron emergency.fetch-share ok",
      "dr-heron emergency.approve ok",
      "officer-crane emergency.fetch-share ok",
      "officer-crane emergency.approve ok",
      "dr-swift emergency.release ok",
      "dr-swift ticket.read ok",
      "dr-swift emergency.release EMERGENCY_ENDED",
      "dr-swift ticket.read CONSENT_MISSING",
    ]);
    // The notice of the end bears the moment that the request named.
    const notices = await createNoticeBoard(patient.session).list();
    const ended = notices.find(({ kind, object }) => kind === "emergency.ended" && object === emergencyId);
    expect(ended).toMatchObject({ who: null });
    expect(ended?.at).toBeLessThanOrEqual(clock.now() - MINUTE_MS);
    expect(notices.map(({ kind, who }) => `${kind} ${who}`).sort()).toEqual([
      "emergency.approved dr-heron",
      "emergency.approved officer-crane",
      "emergency.ended null",
      "emergency.opened dr-swift",
      "emergency.requested dr-swift",
    ]);
  }, 120_000);

  it("lets a researcher download a release in which she is not, and nobody else can be told apart", async () => {
    // The service has an account of its own; whoever asks for releases has another, and no key of any patient.
    const account = { handle: "sleep-lab", person: await system.person("researcher", "sleep-lab") };
    const researcher = await system.person("researcher", "dr-magpie");
    // What is known of her by anybody is like the others'; what only her record says is her own.
    await recordOwnerOf(system, patient).save(recordOf("Ada Quillfeather", 1961, "female", SEPSIS), {});
    const others: { readonly id: string; readonly birthYear: number; readonly sex: "female" | "male" }[] = [];
    for (let i = 0; i < 2 * GUARANTEE.k + 2; i++) {
      const [birthYear, sex] = [1950 + 4 * i, i % 2 === 0 ? "female" : "male"] as const;
      const record = recordOf(`Nobody ${i}`, birthYear, sex, COMMON[i % COMMON.length] as string);
      const other = await consenting(system, `sleeper-${i}`, record, account);
      others.push({ id: other.session.account.accountId, birthYear, sex });
    }
    const desk = await startResearch(system, {
      ...{ person: account.person, store: await backend.open("research"), folder: await releaseFolder() },
      studies: [STUDY],
    });
    const client = researchClient(system, researcher, desk.running.url);
    const request = await client.settled(await client.request(STUDY.id));
    expect(request).toMatchObject({ state: "ready", reason: null });
    const { statement, service } = await client.release(request.release as string);
    const { release } = await verifyReleaseStatement(
      statement,
      await researcher.session.lookUp(service.handle),
    );
    const text = await textOf(client.download(release, "ndjson"));
    await desk.running.close();

    const rows = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(rows).toHaveLength(others.length);
    const herId = patient.session.account.accountId;
    for (const secret of [herId, "Quillfeather", SEPSIS, "Nobody", ...others.map(({ id }) => id)]) {
      expect(text).not.toContain(secret);
    }
    // Her log knows nothing of a researcher: her record was not so much as opened.
    const { entries } = await createAuditClient(patient.session).mine({ after: 0, limit: 1000 });
    const actors = entries.map(parseEntry).map((entry) => entry?.actor);
    expect(actors).not.toContain(account.person.session.account.accountId);

    // Linked by year and sex: what her neighbours know of her leads to k others' rows and never to what she has.
    const hers = candidates(rows, 1961, "female");
    expect(hers.length === 0 || hers.length >= GUARANTEE.k).toBe(true);
    expect(hers.map(({ diagnosis }) => diagnosis)).not.toContain(SEPSIS);
    // Whoever consented stands among k at least, with l diagnoses: no link names one.
    for (const { birthYear, sex } of others) {
      const theirs = candidates(rows, birthYear, sex);
      expect(theirs.length).toBeGreaterThanOrEqual(GUARANTEE.k);
      expect(new Set(theirs.map(({ diagnosis }) => diagnosis)).size).toBeGreaterThanOrEqual(GUARANTEE.l);
    }

    // The same attack on the same rows with only the names taken out finds everybody.
    const naive = others.map(({ birthYear, sex }) => ({ birth_year: birthYear, sex }));
    for (const { birthYear, sex } of others) {
      expect(candidates(naive, birthYear, sex)).toHaveLength(1);
    }
  }, 120_000);
});
