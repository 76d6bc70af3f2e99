import { describe, expect, it } from "vitest";
import { createTriage, priorityOf } from "../../../host/analytics/index.ts";
import type { Quantity, ReadingColumn } from "../../../host/sealing/index.ts";

const MINUTE = 60_000;
const column = (quantity: Quantity, time: number, value: number | null): ReadingColumn => ({
  quantity,
  times: [time],
  values: [value],
});
/** Pulse and respiration of somebody ill, without the cuff: 2 + 2 points. */
const ill = (time: number) => [column("heartRate", time, 115), column("respiratoryRate", time, 22)];

describe("triage over batches", () => {
  it("keeps a low blood pressure in mind until the cuff measures again", () => {
    const triage = createTriage();
    expect(priorityOf(ill(0))).toBe("regular");
    expect(triage.assess([...ill(0), column("systolicPressure", 0, 85)]).priority).toBe("emergency");
    expect(triage.assess(ill(MINUTE)).priority).toBe("emergency");
    expect(
      triage.assess([...ill(2 * MINUTE), column("systolicPressure", 2 * MINUTE, 125)]).latest.lowerBound,
    ).toBe(4);
    expect(triage.assess(ill(3 * MINUTE)).priority).toBe("regular");
  });

  it("forgets a value that is too old to say anything", () => {
    const triage = createTriage({ holdMs: 10 * MINUTE });
    triage.assess([column("systolicPressure", 0, 85)]);
    expect(triage.assess(ill(10 * MINUTE)).priority).toBe("emergency");
    const other = createTriage({ holdMs: 10 * MINUTE });
    other.assess([column("systolicPressure", 0, 85)]);
    expect(other.assess(ill(10 * MINUTE + 1)).priority).toBe("regular");
  });

  it("does not take a gap for a value, nor a value of another patient's triage", () => {
    const triage = createTriage();
    triage.assess([column("systolicPressure", 0, 85)]);
    expect(triage.assess([...ill(MINUTE), column("systolicPressure", MINUTE, null)]).priority).toBe(
      "emergency",
    );
    expect(createTriage().assess(ill(MINUTE)).priority).toBe("regular");
  });

  it("has nothing to say about an empty batch but what it remembers", () => {
    const triage = createTriage();
    expect(triage.assess([]).priority).toBe("regular");
  });
});
