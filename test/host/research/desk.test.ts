import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
import { type Clock, MedcloudletError, toHex } from "../../../host/base/index.ts";
import { createLog, type Log } from "../../../host/http/index.ts";
import type { Cohort } from "../../../host/research/index.ts";
import {
  createReleaseDesk,
  parseStudy,
  readStudies,
  type Source,
  type Study,
} from "../../../host/research/service/index.ts";
import { generateSigningSeed, importSigningKey } from "../../../host/sealing/index.ts";
import { createEmbeddedStore, type Store } from "../../../host/store/index.ts";
import { COLUMNS, releaseFolder, studyOf } from "../../support/research.ts";
import { createTestClock, eventually } from "../../support/system.ts";
import { COMMON, recordOf } from "../e2e/night-release.ts";

const STUDY = studyOf("sleep");
const idOf = (i: number) => toHex(new Uint8Array(16).fill(i + 1));
const RESEARCHER = idOf(200);

/** As many people as asked for, each with one consent. */
function cohortOf(people: readonly number[]): Cohort {
  return {
    members: people.map((i) => ({
      personId: idOf(i),
      record: recordOf("", 1950 + i, i % 2 === 0 ? "female" : "male", COMMON[i % COMMON.length] as string),
    })),
    refused: [],
    spoiled: [],
    consents: new Map(people.map((i) => [idOf(i), [idOf(100 + i)]])),
  };
}
const EIGHT = [0, 1, 2, 3, 4, 5, 6, 7];

/** Closes nothing: it outlives a service that was killed. */
const outliving = (store: Store): Store => ({ ...store, close: async () => {} });

describe("the desk of a research service", () => {
  let clock: Clock;
  let store: Store;
  let folder: string;
  let told: string[];
  beforeEach(async () => {
    clock = createTestClock();
    store = createEmbeddedStore({ directory: await releaseFolder() });
    folder = await releaseFolder();
    told = [];
  });
  const silent = createLog({ service: "test", level: "silent" });

  const open = async (
    source: Partial<Source> = {},
    more: { salt?: Uint8Array; store?: Store; log?: Log; study?: Study } = {},
  ) =>
    createReleaseDesk({
      ...{ clock, log: more.log ?? silent, folder },
      studies: new Map([[STUDY.id, more.study ?? STUDY]]),
      store: more.store ?? outliving(store),
      salt: more.salt ?? new Uint8Array(32).fill(9),
      source: {
        gather: async () => cohortOf(EIGHT),
        tell: async (consent) => void told.push(consent),
        ...source,
      },
      account: { accountId: idOf(99), key: await importSigningKey(generateSigningSeed()) },
    });
  const ask = async (desk: Awaited<ReturnType<typeof open>>) => {
    const { _id } = await desk.request(STUDY, STUDY.floor, RESEARCHER);
    await desk.settled();
    return desk.requests.find(_id);
  };
  const never = () => new Promise<never>(() => {});

  it("begins again what was cut off before anything was given out", async () => {
    for (const cut of [{ tell: never }, { gather: never }]) {
      const killed = await open(cut);
      const { _id } = await killed.request(STUDY, STUDY.floor, RESEARCHER);
      const state = "gather" in cut ? "gathering" : "publishing";
      await eventually(async () => {
        const found = await killed.requests.find(_id);
        return found?.state === state && (state === "gathering" || found.published !== null);
      });
      // What a half-written release leaves.
      await mkdir(join(folder, ".draft-x"), { recursive: true });
      await writeFile(join(folder, ".draft-x", "release.csv"), "half");

      const next = await open();
      await next.start();
      await next.settled();
      expect(await next.requests.find(_id)).toMatchObject({ state: "ready", attempts: 2 });
      expect(await readdir(folder)).not.toContain(".draft-x");
    }
    // Both are of the same people: the second is the first again.
    const desk = await open();
    expect(await desk.requests.released()).toHaveLength(1);
    expect(told).toHaveLength(EIGHT.length);
  });

  it("finishes what the ledger had already when the service was killed", async () => {
    let cut = false;
    const dying: Store = {
      ...outliving(store),
      async collection(spec) {
        const found = await store.collection(spec);
        return spec.name !== "research_releases"
          ? found
          : {
              ...found,
              insertOne: async (document) => {
                await found.insertOne(document as never);
                cut = true;
                await never();
              },
            };
      },
    };
    const killed = await open({}, { store: dying });
    const { _id } = await killed.request(STUDY, STUDY.floor, RESEARCHER);
    await eventually(async () => cut);
    expect(await killed.requests.find(_id)).toMatchObject({ state: "publishing" });
    expect(await killed.requests.released()).toEqual([]);

    const next = await open({ gather: never });
    await next.start();
    expect(await next.requests.find(_id)).toMatchObject({ state: "ready", release: _id, attempts: 1 });
    const file = await next.files.open(_id, "csv");
    expect((await file.readFile("utf8")).trim().split("\n")).toHaveLength(EIGHT.length + 1);
    await file.close();
  });

  it("says plainly that it gave up where something ends the service each time", async () => {
    const killed = await open({ gather: never });
    const { _id } = await killed.request(STUDY, STUDY.floor, RESEARCHER);
    for (let attempt = 1; attempt <= 3; attempt++) {
      const next = attempt === 1 ? killed : await open({ gather: never });
      if (attempt > 1) {
        await next.start();
      }
      await eventually(async () => (await next.requests.find(_id))?.attempts === attempt);
    }
    const last = await open();
    await last.start();
    expect(await last.requests.find(_id)).toMatchObject({ state: "failed", code: "RESEARCH_INTERRUPTED" });
    expect(await ask(last)).toMatchObject({ state: "ready" });
  });

  it("goes on after an orderly end, which is no failure", async () => {
    let release = () => {};
    const gathering = new Promise<void>((resolve) => {
      release = resolve;
    });
    const desk = await open({
      gather: async () => {
        await gathering;
        return cohortOf(EIGHT);
      },
    });
    const { _id } = await desk.request(STUDY, STUDY.floor, RESEARCHER);
    await eventually(async () => (await desk.requests.find(_id))?.state === "gathering");
    const stopping = desk.stop();
    release();
    await stopping;
    expect(await desk.requests.find(_id)).toMatchObject({ state: "queued", attempts: 0 });
    expect(told).toEqual([]);
  });

  it("makes it of those who are left where somebody withdraws before they were told", async () => {
    let people = EIGHT;
    const desk = await open({
      gather: async () => cohortOf(people),
      tell: async (consent) => {
        if (consent === idOf(103)) {
          people = EIGHT.filter((i) => i !== 3);
          throw new MedcloudletError("CONSENT_MISSING", "It is over.", { status: 403 });
        }
        told.push(consent);
      },
    });
    expect(await ask(desk)).toMatchObject({ state: "ready" });
    expect((await desk.requests.released())[0]?.published.statement).toBeDefined();
    expect(new Set(told)).toEqual(new Set(EIGHT.filter((i) => i !== 3).map((i) => idOf(100 + i))));

    // Somebody does so each time: it ends.
    const restless = await open({
      gather: async () => cohortOf([10, 11, 12, 13, 14, 15]),
      tell: async () => {
        throw new MedcloudletError("CONSENT_MISSING", "It is over.", { status: 403 });
      },
    });
    expect(await ask(restless)).toMatchObject({ state: "failed", code: "RESEARCH_CONSENTS_CHANGING" });
    expect(await readdir(folder)).toHaveLength(1);
  });

  it("leaves out whose record does not fit the study, and tells its operator only", async () => {
    const lines: string[] = [];
    const log = createLog({
      service: "test",
      level: "debug",
      destination: { write: (line) => void lines.push(line) },
    });
    const columns = COLUMNS.map((column) =>
      column.name === "diagnosis" ? { ...column, hierarchy: { name: "all", children: [...COMMON] } } : column,
    );
    const study = studyOf("sleep", { schema: { columns } });
    const odd = { personId: idOf(50), record: recordOf("", 1955, "female", "invented") };
    const gather = async (): Promise<Cohort> => {
      const cohort = cohortOf(EIGHT);
      return {
        ...cohort,
        members: [odd, ...cohort.members],
        consents: new Map([...cohort.consents, [odd.personId, [idOf(150)]]]),
      };
    };
    const desk = await open({ gather }, { log, study });
    const { _id } = await desk.request(study, study.floor, RESEARCHER);
    await desk.settled();
    expect(await desk.requests.find(_id)).toMatchObject({ state: "ready", release: _id });
    const file = await desk.files.open(_id, "csv");
    expect((await file.readFile("utf8")).trim().split("\n")).toHaveLength(EIGHT.length + 1);
    await file.close();
    expect(told).not.toContain(idOf(150));
    const warned = lines.map((line) => JSON.parse(line)).filter(({ event }) => /left_out/.test(event));
    expect(warned).toMatchObject([
      { count: 1, code: "RESEARCH_CSV_VALUE", reason: "study sleep: diagnosis" },
    ]);
    expect(lines.join()).not.toMatch(new RegExp(`${odd.personId}|invented`));
    for (const name of await readdir(join(folder, _id))) {
      expect(await readFile(join(folder, _id, name), "utf8"), name).not.toMatch(/invented|left_out/);
    }
  });

  it("gives nothing out that patients could not be told of", async () => {
    const desk = await open({
      tell: async () => {
        throw new MedcloudletError("SERVICE_UNREACHABLE", "Away.", { status: 503 });
      },
    });
    expect(await ask(desk)).toMatchObject({ state: "failed", code: "RESEARCH_SOURCE_UNAVAILABLE" });
    expect(await desk.requests.released()).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  });

  it("gives the same people's release again where a new one would not agree with it", async () => {
    const first = await ask(await open());
    const [earlier] = await (await open()).requests.released();
    expect(earlier?._id).toBe(first?._id);
    // Their records changed so much that other classes would come of it, and with those pairs of people.
    const crossed = cohortOf(EIGHT).members.map(({ personId }, i) => ({
      personId,
      record: recordOf(
        "",
        [0, 3, 5, 6].includes(i) ? 1950 + i : 1980 + i,
        Math.floor(i / 2) % 2 === 0 ? "female" : "male",
        COMMON[i % COMMON.length] as string,
      ),
    }));
    const changed = await open({ gather: async () => ({ ...cohortOf(EIGHT), members: crossed }) });
    expect(await ask(changed)).toMatchObject({ state: "ready", release: first?._id });
    expect(await changed.requests.released()).toHaveLength(1);

    // Of other people among them there is nothing to give.
    const fewer = await open({ gather: async () => cohortOf(EIGHT.slice(1)) });
    expect(await ask(fewer)).toMatchObject({ state: "refused", code: "RESEARCH_NOT_NOW" });
  });

  it("refuses to go on with another salt, which would know nobody again", async () => {
    await ask(await open());
    await expect(open({}, { salt: new Uint8Array(32).fill(8) })).rejects.toThrow(
      expect.objectContaining({ code: "RESEARCH_LEDGER_DAMAGED" }),
    );
    await expect(open()).resolves.toBeDefined();
  });
});

describe("the studies of a research service", () => {
  const value = {
    ...{ id: "sleep", title: "Sleep", purpose: "To see.", schema: { columns: COLUMNS } },
    floor: { k: 3, l: 2, t: 1 },
  };

  it("are refused with what is wrong in them", () => {
    for (const [change, told] of [
      [{ id: "../sleep" }, /id/],
      [{ id: "Sleep" }, /id/],
      [{ floor: { k: 1, l: 1, t: 1 } }, /floor\.k/],
      [{ floor: { k: 3, l: 2 } }, /floor\.t/],
      [{ floor: { k: 3, l: 0, t: 1 } }, /floor\.l/],
      [{ floors: {} }, /floors/],
      [{ purpose: "" }, /purpose/],
      [{ suppress: 0.1, holdBack: true }, /holdBack/],
      [{ schema: {} }, /schema\.columns/],
      [{ schema: { columns: [...COLUMNS, { name: "names", role: "plain" }] } }, /no column "names"/],
      [{ schema: { columns: COLUMNS.slice(1) } }, /"person": true/],
      [{ schema: { columns: COLUMNS.slice(0, 3) } }, /sensitive/],
    ] as const) {
      expect(() => parseStudy({ ...value, ...change }, "a file"), JSON.stringify(change)).toThrow(
        expect.objectContaining({ code: "RESEARCH_STUDIES_INVALID", message: expect.stringMatching(told) }),
      );
    }
  });

  it("come from a file, a list in a file, or a folder, each under one name only", async () => {
    const at = await releaseFolder();
    const write = (name: string, content: unknown) => writeFile(join(at, name), JSON.stringify(content));
    await write("a.json", value);
    await write("b.json", { studies: [{ ...value, id: "other" }] });
    await writeFile(join(at, "notes.txt"), "no study");
    expect([...(await readStudies(at)).keys()]).toEqual(["sleep", "other"]);
    expect([...(await readStudies(join(at, "a.json"))).keys()]).toEqual(["sleep"]);
    await write("c.json", value);
    const example = new URL("../../../docs/research/studies.json", import.meta.url);
    expect((await readStudies(fileURLToPath(example))).size).toBe(1);
    await expect(readStudies(at)).rejects.toThrow(/two studies called "sleep"/);
    for (const missing of [join(at, "none.json"), join(at, "notes.txt")]) {
      await expect(readStudies(missing)).rejects.toThrow(
        expect.objectContaining({ code: "RESEARCH_STUDIES_INVALID" }),
      );
    }
    await expect(readStudies(await releaseFolder())).rejects.toThrow(/there is none/);
  });
});
