import { describe, expect, it } from "vitest";
import { keyOf } from "../../../host/ids/anomaly/evidence.ts";
import { hashText } from "../../../host/ids/anomaly/hash.ts";
import {
  createDetector,
  createDraw,
  createTrainer,
  decodeTold,
  encodeTold,
  type InspectedRequest,
  mergeTold,
  type Told,
  type Trainer,
} from "../../../host/ids/index.ts";

const GIVEN = ["maria", "jose", "ana", "luis", "carmen", "pedro", "laura", "pablo", "elena", "jorge"];
const AT_LEAST = 5;

/** Bookings of one clinic. Each clinic has a few that look like nobody else's: a room with a slash in it. */
function bookings(clinic: number, count = 240): InspectedRequest[] {
  const draw = createDraw(clinic);
  const digits = (length: number) => Array.from({ length }, () => Math.floor(draw() * 10)).join("");
  return Array.from({ length: count }, (_, i) => {
    const name = `${GIVEN[Math.floor(draw() * 10)]} ${GIVEN[Math.floor(draw() * 10)]}`;
    const room = i % 40 === clinic ? `${digits(2)}/${digits(1)}` : digits(3);
    return {
      m: "POST",
      u: "/book",
      b: new URLSearchParams({ name, phone: digits(9), room }).toString(),
    };
  });
}

function trainerOf(requests: readonly InspectedRequest[]): Trainer {
  const trainer = createTrainer();
  for (const request of requests) {
    trainer.add(request);
  }
  return trainer;
}

const book = (over: Record<string, string>): InspectedRequest => ({
  m: "POST",
  u: "/book",
  b: new URLSearchParams({ name: "ana luis", phone: "612345678", room: "123", ...over }).toString(),
});

const clinics = Array.from({ length: 5 }, (_, clinic) => trainerOf(bookings(clinic)));
const told = clinics.map((clinic) => clinic.tell(AT_LEAST));

/** Trigrams that a telling holds. */
function trigrams({ grams }: Told): string[] {
  const found: string[] = [];
  for (let i = 0; i < grams.length; i += 6) {
    if (grams[i + 1] === 3) {
      found.push(String.fromCharCode(...grams.slice(i + 2, i + 5)));
    }
  }
  return found;
}

describe("what a member tells", () => {
  const secret = "quetzalcoatl";
  const patient = { name: secret, phone: "600000001", room: "101" };
  const trainer = trainerOf([
    ...bookings(7),
    // One person who comes again and again, and a page that only this person's name leads to.
    ...Array.from({ length: 60 }, (_, i) => book({ ...patient, room: String(100 + i) })),
    ...Array.from({ length: 4 }, (_, i) => ({ m: "GET", u: `/of/${secret}?page=${i}` })),
  ]);
  const given = trainer.tell(AT_LEAST);
  const text = JSON.stringify(given);

  it("names no value, no hash of one, and no route that few requests share", () => {
    expect(text).not.toContain(secret);
    expect(given.known.map(({ route }) => route)).toEqual(["/book"]);
    const numbers = new Set(text.match(/\d+/g));
    expect(numbers.has(String(hashText(secret)))).toBe(false);
    expect(numbers.has(String(hashText(patient.phone)))).toBe(false);
    expect(numbers.has(String(keyOf(`/of/${secret}`)))).toBe(false);
  });

  it("holds no letters of a value that only one person has, however often that person came", () => {
    const all = new Set(trigrams(given));
    expect(all.has("mar")).toBe(true);
    for (const gram of ["que", "uet", "etz", "tza", "zal", "alc"]) {
      expect(all.has(gram), gram).toBe(false);
    }
    // With no least number they are there: the test can fail.
    expect(trigrams(trainer.tell(1))).toContain("etz");
  });

  it("folds digits, so that no number is told", () => {
    expect(trigrams(given).every((gram) => !/[1-9]/.test(gram))).toBe(true);
  });

  it("survives its file, and a damaged or foreign file is refused", () => {
    const bytes = encodeTold(given);
    expect(decodeTold(bytes)).toEqual(given);
    for (const damaged of [bytes.slice(0, 50), encodeTold({ ...given, n: -1 }), new Uint8Array(0)]) {
      expect(() => decodeTold(damaged)).toThrowError(expect.objectContaining({ code: "IDS_TOLD_INVALID" }));
    }
  });
});

describe("learning from what others told", () => {
  const first = clinics[0] as Trainer;
  const others = told.slice(1);
  const alone = createDetector({ model: first.finish() });
  const together = createDetector({ model: first.finish(mergeTold(others)) });
  const bitsOf = (detector: typeof alone, request: InspectedRequest) =>
    detector.judge(request).anomaly?.bits ?? 0;

  it("knows what they saw, and still sees what nobody saw", () => {
    const usual = bookings(11, 200);
    const mean = (detector: typeof alone) =>
      usual.reduce((sum, request) => sum + bitsOf(detector, request), 0) / usual.length;
    expect(mean(together)).toBeLessThanOrEqual(mean(alone) + 0.5);
    expect(bitsOf(together, book({ phone: "6123*5678" }))).toBeGreaterThan(8);
    // More traffic behind it makes what nobody saw stranger.
    expect(bitsOf(together, book({ name: "ana;luis" }))).toBeGreaterThan(
      bitsOf(alone, book({ name: "ana;luis" })),
    );
  });

  it("adds up in any order to the same", () => {
    expect(mergeTold([...others].reverse())).toEqual(mergeTold(others));
    expect(mergeTold([...others].reverse(), 1)).toEqual(mergeTold(others, 1));
  });

  it("does not let one liar make an attack usual", () => {
    const attacks = Array.from({ length: 400 }, (_, i) => book({ phone: `6'*;--${i}<script>` }));
    const lie = trainerOf([...bookings(2), ...attacks]).tell(1);
    const exaggerated: Told = {
      ...lie,
      grams: lie.grams.map((number, at) => (at % 6 === 5 ? number * 1000 : number)),
    };
    const lied = [...others.slice(1), exaggerated];
    const attack = book({ phone: "6'*;--7<script>" });
    const believing = createDetector({ model: first.finish(mergeTold(lied)) });
    const careful = createDetector({ model: first.finish(mergeTold(lied, 1)) });
    expect(bitsOf(careful, attack)).toBeGreaterThan(bitsOf(alone, attack) - 1);
    expect(bitsOf(believing, attack)).toBeLessThan(bitsOf(alone, attack) - 1);
  });
});
