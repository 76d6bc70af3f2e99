import type { Command } from "commander";
import { createDetector, createTrainer, type InspectedRequest } from "../ids/index.ts";
import { newCommand, outputOf, wholeNumber } from "./command.ts";
import { table } from "./output.ts";

const LINES = [
  "Patient seen on the ward; resting comfortably, alert and oriented. No chest pain since yesterday.",
  "BP 132/84, HR 76 and regular, RR 16, SpO2 97% on room air, T 36.9. Weight 81.5 kg (down 0.4).",
  "Lungs clear; no oedema. Continue metoprolol 25 mg twice daily, aspirin 75 mg; repeat K+ tomorrow.",
  "Mr. O'Neill's daughter called: he \"feels much better\" and asks when he may go home.",
];

/** A note of 2 KB as an app sends it: some fields, some observations, some prose. */
function noteOf(i: number): InspectedRequest {
  const observations = Array.from({ length: 8 }, (_, at) => ({
    code: "8867-4",
    unit: "/min",
    value: 60 + ((i * 7 + at * 3) % 40),
    at: `2026-01-05T08:${String((i + at) % 60).padStart(2, "0")}:00Z`,
  }));
  const text = Array.from({ length: 15 }, (_, at) => LINES[(i + at) % LINES.length]).join(" ");
  const body = { author: `dr-heron-${i % 5}`, region: "medical", observations, text };
  return {
    m: "POST",
    u: "/v1/notes",
    b: JSON.stringify(body),
    headers: { "content-type": "application/json", "user-agent": "medcloudlet/0.1" },
  };
}

const UPLOAD: InspectedRequest = {
  m: "POST",
  u: "/v1/batches",
  headers: {
    "content-type": "application/octet-stream",
    "content-length": "2400",
    authorization: "DPoP eyJhbGciOiJFZERTQSJ9.e30.AAAA",
    dpop: "eyJhbGciOiJFZERTQSJ9.e30.AAAA",
    "user-agent": "medcloudlet/0.1",
  },
};

/** Requests of one measurement, for the clock of CPU time is coarse. */
const BATCH = 200;

/** `medcloudlet ids bench`: CPU time, so that other work on the machine counts little. */
export function benchIdsCommand(): Command {
  return newCommand("bench", "what judging a request costs on this machine")
    .option("--rounds <number>", "rounds of 200 requests", wholeNumber(1, 10_000), 40)
    .action((options: { rounds: number; json?: true }) => {
      const output = outputOf(options);
      const notes = Array.from({ length: BATCH }, (_, i) => noteOf(i));
      const trainer = createTrainer();
      for (const request of [...notes, ...Array.from({ length: 50 }, () => UPLOAD)]) {
        trainer.add(request);
      }
      const detector = createDetector({ model: trainer.finish() });
      const rules = createDetector();
      const works: [string, (i: number) => unknown][] = [
        [
          `JSON body of ${(notes[0]?.b ?? "").length} bytes, rules and model`,
          (i) => detector.judge(notes[i % BATCH] as InspectedRequest),
        ],
        ["the same, rules alone", (i) => rules.judge(notes[i % BATCH] as InspectedRequest)],
        ["upload (octet-stream, headers only)", () => detector.judge(UPLOAD)],
      ];
      const times = works.map(() => [] as number[]);
      for (let round = -5; round < options.rounds; round++) {
        for (const [at, [, work]] of works.entries()) {
          const before = process.cpuUsage();
          for (let i = 0; i < BATCH; i++) {
            work(i);
          }
          const { user, system } = process.cpuUsage(before);
          if (round >= 0) {
            (times[at] as number[]).push((user + system) / BATCH);
          }
        }
      }
      const results = works.map(([what], at) => {
        const sorted = (times[at] as number[]).sort((a, b) => a - b);
        const share = (part: number): number => sorted[Math.floor(part * (sorted.length - 1))] ?? 0;
        return { what, leastMicroseconds: share(0), medianMicroseconds: share(0.5) };
      });
      output.result(
        { node: process.version, rounds: options.rounds, results },
        table(
          [
            ["request", "least CPU µs", "median CPU µs"],
            ...results.map((one) => [
              one.what,
              one.leastMicroseconds.toFixed(1),
              one.medianMicroseconds.toFixed(1),
            ]),
          ],
          output.colours,
        ),
      );
    });
}
