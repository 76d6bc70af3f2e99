import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Anonymized,
  anonymize,
  createKeystream,
  createLedger,
  createTableBuilder,
  type Guarantee,
  type Ledger,
  parseSchema,
} from "../../../host/research/index.ts";
import type { Store } from "../../../host/store/index.ts";
import { backends } from "../../support/stores.ts";
import { classesOf, WARD, wardOf } from "./tables.ts";

const PEOPLE = parseSchema({
  ...WARD,
  columns: WARD.columns.map((column) =>
    column.role === "identifier" ? { ...column, person: true } : column,
  ),
});
const guarantee: Guarantee = { k: 5, l: 2, t: 1, diversity: "distinct" };
const ward = wardOf(300, createKeystream("ledger", "ward").below);
const SALT = new Uint8Array(32).fill(7);

/** What somebody learns of one person from two releases: the diseases, with their costs, that both allow. */
function intersection(one: Anonymized, two: Anonymized, rows: readonly (readonly string[])[], name: string) {
  const valuesIn = (release: Anonymized) => {
    const members = classesOf(release).find((list) => list.some((row) => rows[row]?.[0] === name)) ?? [];
    return new Set(members.map((row) => `${rows[row]?.[4]}, ${rows[row]?.[5]}`));
  };
  const second = valuesIn(two);
  return new Set([...valuesIn(one)].filter((value) => second.has(value)));
}

for (const backend of backends()) {
  describe(`the ledger of releases (${backend.name})`, () => {
    let store: Store;
    let ledger: Ledger;
    let now = 1_000;
    beforeAll(async () => {
      store = await backend.open("research");
    });
    afterAll(() => store.close());

    async function fresh(): Promise<Ledger> {
      await store.close();
      store = await backend.open("research");
      ledger = await createLedger({ store, clock: { now: () => now++ }, salt: SALT });
      return ledger;
    }

    function release(rows: readonly (readonly string[])[], asked = guarantee, schema = PEOPLE): Anonymized {
      const builder = createTableBuilder(schema, undefined, ledger.digestRow(schema));
      for (const [i, row] of rows.entries()) {
        builder.add(row, i + 2);
      }
      return anonymize(builder.finish(), { guarantee: asked });
    }

    it("two releases that each keep l give a disease away together: the ledger refuses the second", async () => {
      await fresh();
      // The attack: the same patients by other quasi-identifiers. Each release keeps k = 5 and l = 2.
      const byAge = parseSchema({
        columns: PEOPLE.columns.map((column) =>
          column.name === "postcode" ? { name: "postcode", role: "identifier" } : column,
        ),
      });
      const one = release(ward);
      const two = release(ward, guarantee, byAge);
      const found = ward.filter(([name]) => intersection(one, two, ward, name as string).size === 1);
      expect(found.length).toBeGreaterThan(40);
      for (const [name, , , , disease, cost] of found) {
        expect([...intersection(one, two, ward, name as string)]).toEqual([`${disease}, ${cost}`]);
      }
      // The defence.
      await ledger.enter(one);
      await expect(ledger.enter(two)).rejects.toThrow(
        expect.objectContaining({
          code: "RESEARCH_DIFFERENCING",
          status: 409,
          message: expect.stringMatching(/^Whoever has release 1 too could single out \d+ people/),
        }),
      );
      expect(await ledger.list()).toHaveLength(1);
    });

    it("subtracting a release from the next shows the one who came: the ledger refuses the next", async () => {
      await fresh();
      const newcomer = ["Zoe", "33", "f", "1010", "stomach cancer", "1300"];
      const one = release(ward);
      const two = release([...ward, newcomer]);
      // The attack: who was not there before, and with what? Cost and disease are published as they are.
      const published = (rows: readonly (readonly string[])[]) =>
        rows.map(([, , , , disease, cost]) => `${disease} ${cost}`);
      const before = published(ward);
      const came = published([...ward, newcomer]).filter((value) => {
        const at = before.indexOf(value);
        if (at >= 0) {
          before.splice(at, 1);
        }
        return at < 0;
      });
      expect(came).toEqual(["stomach cancer 1300"]);
      // The defence, also for somebody who leaves.
      await ledger.enter(one);
      expect(await ledger.check(two)).toMatchObject({ overlapping: ["1"], smallest: 1 });
      await expect(ledger.enter(two)).rejects.toThrow(
        expect.objectContaining({ code: "RESEARCH_DIFFERENCING" }),
      );
      await expect(ledger.enter(release(ward.slice(1)))).rejects.toThrow(
        expect.objectContaining({ code: "RESEARCH_DIFFERENCING" }),
      );
    });

    it("takes the same people in the same classes again, and other people", async () => {
      await fresh();
      const first = await ledger.enter(release(ward));
      const again = await ledger.enter(release([...ward].reverse()));
      expect(again.population).toBe(first.population);
      const others = wardOf(100, createKeystream("others", "ward").below).map(([name, ...rest]) => [
        `Other ${name}`,
        ...rest,
      ]);
      const second = await ledger.enter(release(others));
      expect(second.population).not.toBe(first.population);
      expect((await ledger.list()).map(({ _id }) => _id)).toEqual(["1", "2", "3"]);
    });

    it("looks beside all earlier releases, not the last one only", async () => {
      await fresh();
      await ledger.enter(release(ward.slice(0, 100)));
      await ledger.enter(release(ward.slice(100, 200)));
      expect((await ledger.check(release(ward.slice(1, 100)))).overlapping).toEqual(["1"]);
      expect((await ledger.check(release(ward.slice(50, 150)))).overlapping).toEqual(["1", "2"]);
      expect((await ledger.check(release(ward.slice(200)))).overlapping).toEqual([]);
    });

    it("keeps a larger k that was promised before", async () => {
      await fresh();
      await ledger.enter(release(ward, { ...guarantee, k: 20 }));
      const finer = await ledger.check(release(ward));
      expect(finer).toMatchObject({ k: 20 });
      expect(finer.rowsAtRisk).toBeGreaterThan(0);
    });

    it("lets people come and go where it may hold others back, and still nobody stands alone", async () => {
      await fresh();
      await ledger.enter(release(ward));
      const newcomers = wardOf(30, createKeystream("newcomers", "ward").below).map(([name, ...rest]) => [
        `New ${name}`,
        ...rest,
      ]);
      // Three withdrew, thirty came.
      const rows = [...ward.slice(3), ...newcomers];
      await expect(ledger.enter(release(rows))).rejects.toThrow(
        expect.objectContaining({ code: "RESEARCH_DIFFERENCING" }),
      );
      const builder = createTableBuilder(PEOPLE, undefined, ledger.digestRow(PEOPLE));
      for (const [i, row] of rows.entries()) {
        builder.add(row, i + 2);
      }
      const table = builder.finish();
      const release2 = anonymize(table, { guarantee, beside: await ledger.beside(table, guarantee) });
      expect((await ledger.enter(release2))._id).toBe("2");
      expect(release2.suppressed).toBeGreaterThan(0);
      expect(release2.suppressed).toBeLessThan(60);
      expect(release2.classes.starts.length).toBeGreaterThan(5);
      // Two who come are too few to be let in.
      const few = [
        ...rows,
        ["Ann", "30", "f", "1010", "flu", "100"],
        ["Bob", "40", "m", "1010", "flu", "100"],
      ];
      const next = createTableBuilder(PEOPLE, undefined, ledger.digestRow(PEOPLE));
      for (const [i, row] of few.entries()) {
        next.add(row, i + 2);
      }
      const third = next.finish();
      const { held } = await ledger.beside(third, guarantee);
      expect([...held.slice(-2)]).toEqual([1, 1]);
    });

    it("of two at once that do not go together, lets in one", async () => {
      await fresh();
      const results = await Promise.allSettled([
        ledger.enter(release(ward)),
        ledger.enter(release(ward.slice(1))),
      ]);
      expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      expect(results.find((result) => result.status === "rejected")?.reason).toMatchObject({
        code: "RESEARCH_DIFFERENCING",
      });
    });

    it("holds no names, and digests that are worth nothing without the salt", async () => {
      await fresh();
      await ledger.enter(release(ward));
      const dumped: string[] = [];
      for await (const { document } of store.dump()) {
        dumped.push(
          JSON.stringify(document, (_key, value) =>
            value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : value,
          ),
        );
      }
      expect(dumped.join()).not.toMatch(/Patient|gastritis|1010/);
      const other = await createLedger({ store, clock: { now: () => 1 }, salt: new Uint8Array(32).fill(8) });
      const [first] = ward as [string[]];
      expect(other.digestRow(PEOPLE)(first)).not.toBe(ledger.digestRow(PEOPLE)(first));
    });
  });
}

describe("rows of one person", () => {
  it("are refused twice: k counts rows", () => {
    const builder = createTableBuilder(PEOPLE);
    const [first] = ward as [string[]];
    builder.add(first, 2);
    expect(() => builder.add(first, 3)).toThrow(/Line 3, column 1 \("name"\).*person of line 2/);
  });
});
