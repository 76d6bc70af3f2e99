import { createHash, createHmac } from "node:crypto";
import { type Clock, isMedcloudletError, MedcloudletError } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import {
  type Beside,
  beside,
  type ComingRows,
  type Composition,
  compose,
  type LedgerRows,
} from "./compose.ts";
import type { Guarantee } from "./guarantee.ts";
import type { Anonymized } from "./release.ts";
import type { ReleaseSchema } from "./schema.ts";
import type { DigestRow, Table } from "./table.ts";
import { MISSING } from "./taxonomy.ts";

/** A release that was given out. Its rows lie in pages of their own and count once this document is there. */
export interface ReleaseRecord {
  /** The number of the release, as text: two at once cannot both take it. */
  readonly _id: string;
  readonly at: number;
  /** SHA-256 over the digests of all rows, sorted: the same people give the same population. */
  readonly population: string;
  readonly rows: number;
  readonly classes: number;
  readonly guarantee: Guarantee;
  readonly quasiIdentifiers: readonly string[];
  readonly sensitive: readonly string[];
  /** What its pages are called. */
  readonly pages: { readonly prefix: string; readonly count: number };
}

interface PageRecord {
  readonly _id: string;
  readonly bytes: Uint8Array;
}

/** What was given out of whom, kept so that releases do not undo one another. */
export interface Ledger {
  /** What the ledger keeps of a row: an HMAC, worth nothing without the salt. */
  digestRow(schema: ReleaseSchema): DigestRow;
  /**
   * Looks at a release beside all earlier ones that hold some of the same rows.
   * @throws MedcloudletError `RESEARCH_DIGESTS_MISSING` where the table was read without `digestRow`
   */
  check(release: Anonymized): Promise<Composition>;
  /**
   * Checks and enters a release; only then may it be given out.
   * @throws MedcloudletError `RESEARCH_DIFFERENCING` (409) where somebody who has the earlier releases too could single out
   *   fewer than k rows, or learn more of them than l allows
   */
  enter(release: Anonymized): Promise<ReleaseRecord>;
  /**
   * Who has to wait, and what must stay together, so that a release of this table agrees with earlier ones.
   * @throws MedcloudletError `RESEARCH_DIGESTS_MISSING`
   */
  beside(table: Table, guarantee: Guarantee): Promise<Beside>;
  list(): Promise<ReleaseRecord[]>;
}

const DIGEST_BYTES = 16;
const ROWS_IN_A_PAGE = 100_000;

/**
 * @param salt 32 secret bytes, kept apart from the store: with them one can find out whether somebody is in it
 */
export async function createLedger({
  store,
  clock,
  salt,
}: {
  readonly store: Store;
  readonly clock: Clock;
  readonly salt: Uint8Array;
}): Promise<Ledger> {
  const releases = await store.collection<ReleaseRecord>({ name: "research_releases", indexes: [] });
  const pages = await store.collection<PageRecord>({ name: "research_release_rows", indexes: [] });
  const mac = (text: string) => createHmac("sha256", salt).update(text).digest();

  const list = async () => (await releases.find({})).sort((a, b) => Number(a._id) - Number(b._id));

  async function rowsOf(record: ReleaseRecord): Promise<LedgerRows> {
    const parts: Uint8Array[] = [];
    for (let page = 0; page < record.pages.count; page++) {
      const found = await pages.findOne({ _id: { $eq: `${record.pages.prefix}:${page}` } });
      if (found === null) {
        throw new MedcloudletError(
          "RESEARCH_LEDGER_DAMAGED",
          `The rows of release ${record._id} are not in the ledger: restore it from a backup before anything is released.`,
        );
      }
      parts.push(found.bytes);
    }
    return unpack(Buffer.concat(parts), record);
  }

  /** What a table is to the ledger. */
  function comingRows(table: Table, { k, l }: Guarantee): ComingRows {
    // Texts and not codes: codes begin anew with every file.
    const values = table.sensitive.map(({ name, codes, text }) => {
      const macs = text.texts.map((value) => mac(`value\n${name}\n${value}`).readUInt32LE() || 1);
      return Uint32Array.from(codes, (code, row) =>
        code === MISSING ? 0 : (macs[text.places[row] as number] as number),
      );
    });
    return { digests: digestsOf(table), values, k, l };
  }

  /** What a release is to the ledger. */
  function rowsFor({ table, classes, guarantee }: Anonymized): LedgerRows {
    const classOf = new Uint32Array(table.rows);
    for (const [index, from] of classes.starts.entries()) {
      for (let i = from; i < (classes.ends[index] as number); i++) {
        classOf[classes.order[i] as number] = index + 1;
      }
    }
    return { ...comingRows(table, guarantee), classOf };
  }

  async function allRowsOf(before: readonly ReleaseRecord[]) {
    const earlier = [];
    for (const record of before) {
      earlier.push({ id: record._id, ...(await rowsOf(record)) });
    }
    return earlier;
  }

  const lookAt = async (rows: LedgerRows, before: readonly ReleaseRecord[]) =>
    compose(rows, await allRowsOf(before));

  return {
    digestRow(schema) {
      const person = schema.columns.flatMap((column, i) =>
        column.role === "identifier" && column.person === true ? [i] : [],
      );
      return (record) => {
        const told = person.length > 0 ? person.map((i) => record[i]) : record;
        return mac(`row\n${JSON.stringify(told)}`)
          .subarray(0, DIGEST_BYTES)
          .toString("hex");
      };
    },
    list,
    beside: async (table, guarantee) => beside(comingRows(table, guarantee), await allRowsOf(await list())),
    check: async (release) => lookAt(rowsFor(release), await list()),
    async enter(release) {
      const rows = rowsFor(release);
      for (;;) {
        const before = await list();
        const composition = await lookAt(rows, before);
        if (composition.rowsAtRisk > 0) {
          throw differencing(composition);
        }
        const number = String(Number(before.at(-1)?._id ?? 0) + 1);
        const packed = pack(rows);
        const prefix = createHash("sha256")
          .update(`${number}\n${clock.now()}\n`)
          .update(packed)
          .digest("hex");
        const size = ROWS_IN_A_PAGE * bytesOfRow(rows.values.length);
        const count = Math.ceil(packed.length / size);
        for (let page = 0; page < count; page++) {
          const bytes = Uint8Array.from(packed.subarray(page * size, (page + 1) * size));
          await pages.updateOne({ _id: { $eq: `${prefix}:${page}` } }, { $set: { bytes } }, { upsert: true });
        }
        const record: ReleaseRecord = {
          _id: number,
          at: clock.now(),
          population: createHash("sha256")
            .update([...rows.digests].sort().join("\n"))
            .digest("hex"),
          rows: release.released.length,
          classes: release.classes.starts.length,
          guarantee: release.guarantee,
          quasiIdentifiers: release.table.quasiIdentifiers.map(({ name }) => name),
          sensitive: release.table.sensitive.map(({ name }) => name),
          pages: { prefix, count },
        };
        try {
          await releases.insertOne(record);
          return record;
        } catch (error) {
          // Somebody else entered one in between: look again, beside theirs.
          if (!isMedcloudletError(error, "STORE_DUPLICATE")) {
            throw error;
          }
        }
      }
    },
  };
}

function digestsOf({ digests }: Table): string[] {
  if (digests === null) {
    throw new MedcloudletError(
      "RESEARCH_DIGESTS_MISSING",
      "The table was read without digests for the ledger: read it with the ledger's digestRow.",
    );
  }
  return numbered(digests);
}

/** Rows that are alike to the digest are told apart by counting them. */
function numbered(digests: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return digests.map((digest) => {
    const count = seen.get(digest) ?? 0;
    seen.set(digest, count + 1);
    return count === 0
      ? digest
      : createHash("sha256").update(`${digest}:${count}`).digest("hex").slice(0, 32);
  });
}

const bytesOfRow = (values: number) => DIGEST_BYTES + 4 + 4 * values;

function pack({ digests, classOf, values }: LedgerRows): Buffer {
  const width = bytesOfRow(values.length);
  const packed = Buffer.alloc(digests.length * width);
  for (const [row, digest] of digests.entries()) {
    packed.write(digest, row * width, "hex");
    packed.writeUInt32LE(classOf[row] as number, row * width + DIGEST_BYTES);
    for (const [i, column] of values.entries()) {
      packed.writeUInt32LE(column[row] as number, row * width + DIGEST_BYTES + 4 + 4 * i);
    }
  }
  return packed;
}

function unpack(packed: Buffer, { sensitive, guarantee }: ReleaseRecord): LedgerRows {
  const width = bytesOfRow(sensitive.length);
  const rows = packed.length / width;
  const each = (offset: number) =>
    Uint32Array.from({ length: rows }, (_, row) => packed.readUInt32LE(row * width + offset));
  return {
    digests: Array.from({ length: rows }, (_, row) =>
      packed.toString("hex", row * width, row * width + DIGEST_BYTES),
    ),
    classOf: each(DIGEST_BYTES),
    values: sensitive.map((_, i) => each(DIGEST_BYTES + 4 + 4 * i)),
    k: guarantee.k,
    l: guarantee.l,
  };
}

function differencing({ overlapping, smallest, rowsAtRisk, groupsAtRisk, k }: Composition): MedcloudletError {
  const known = overlapping.length === 1 ? `release ${overlapping[0]}` : `releases ${overlapping.join(", ")}`;
  return new MedcloudletError(
    "RESEARCH_DIFFERENCING",
    `Whoever has ${known} too could single out ${rowsAtRisk} people in ${groupsAtRisk} groups, the smallest of ${smallest}, where ${k} were promised. ` +
      "Give out the earlier release again, wait until more people have come or gone, or hold others back (--hold-back).",
    { status: 409, details: { overlapping, smallest, rowsAtRisk, groupsAtRisk, k } },
  );
}
