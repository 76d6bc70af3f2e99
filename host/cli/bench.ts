import type { Command } from "commander";
import { randomBytes, systemClock } from "../base/index.ts";
import { loadNtru } from "../ntru/index.ts";
import {
  createSealingSuite,
  decodeReadings,
  encodeReadings,
  generateSigningSeed,
  importSigningKey,
  openBatch,
  parseBatch,
  sealBatch,
  verifyBatch,
} from "../sealing/index.ts";
import { createPhysiology } from "../wearable/index.ts";
import { newCommand, outputOf, wholeNumber } from "./command.ts";
import { table } from "./output.ts";

interface Measured {
  readonly operation: string;
  readonly medianMicroseconds: number;
}

/** Medians of operations that take turns, so that whatever else the machine does falls on all alike. */
async function measure(operations: Record<string, () => unknown>, rounds: number): Promise<Measured[]> {
  const times = new Map(Object.keys(operations).map((name) => [name, [] as number[]]));
  const warmUp = Math.min(20, rounds);
  for (let round = -warmUp; round < rounds; round++) {
    for (const [name, operation] of Object.entries(operations)) {
      const startedAt = performance.now();
      await operation();
      if (round >= 0) {
        times.get(name)?.push((performance.now() - startedAt) * 1000);
      }
    }
  }
  return [...times].map(([operation, samples]) => {
    samples.sort((a, b) => a - b);
    return { operation, medianMicroseconds: samples[Math.floor(samples.length / 2)] ?? 0 };
  });
}

/** `medcloudlet bench`: what each step of a reading's way costs on this machine. */
export function benchCommand(): Command {
  return newCommand("bench", "measure what each step of a reading's way costs on this machine")
    .option("--rounds <number>", "rounds to take the median of", wholeNumber(1, 100_000), 200)
    .action(async (options: { rounds: number; json?: true }) => {
      const output = outputOf(options);
      const ntru = await loadNtru("ntruhps2048677");
      const suite = createSealingSuite(ntru);
      const pair = ntru.generateKeyPair();
      const { ciphertext } = ntru.encapsulate(pair.publicKey);
      const x25519 = (await crypto.subtle.generateKey("X25519", true, ["deriveBits"])) as CryptoKeyPair;
      const epoch = await suite.generateKeyPair();
      const recipient = await suite.recipient(epoch.privateKey);
      const signingKey = await importSigningKey(generateSigningSeed());
      const columns = createPhysiology({ seed: 1, startTime: systemClock.now() }).nextBatch(60);
      const encoded = encodeReadings(columns);
      const id = "00".repeat(16);
      const header = {
        region: "medical",
        priority: "regular",
        epochId: id,
        streamId: id,
        deviceId: id,
      } as const;
      const seal = () =>
        sealBatch({
          suite,
          epochPublicKey: epoch.publicKey,
          signingKey,
          header: { ...header, sequence: 0 },
          columns,
        });
      const batch = parseBatch(await seal());
      const results = await measure(
        {
          "NTRU key pair": () => ntru.generateKeyPair(),
          "NTRU encapsulate": () => ntru.encapsulate(pair.publicKey),
          "NTRU decapsulate": () => ntru.decapsulate(pair.secretKey, ciphertext),
          "X25519 (WebCrypto), to compare": () =>
            crypto.subtle.deriveBits({ name: "X25519", public: x25519.publicKey }, x25519.privateKey, 256),
          "encode a minute of readings": () => encodeReadings(columns),
          "decode a minute of readings": () => decodeReadings(encoded),
          "seal a batch, signed": seal,
          "verify a batch": () => verifyBatch(batch, signingKey.publicKey),
          "open a batch": () => openBatch(batch, recipient),
          "random bytes, 3 KB": () => randomBytes(3072),
        },
        options.rounds,
      );
      const slowest = Math.max(...results.map(({ medianMicroseconds }) => medianMicroseconds));
      const { cyan } = output.colours;
      output.result(
        { node: process.version, rounds: options.rounds, results },
        table(
          [
            ["operation", "median µs", ""],
            ...results.map(({ operation, medianMicroseconds }) => [
              operation,
              medianMicroseconds.toFixed(1).padStart(9),
              "█".repeat(Math.max(1, Math.round((40 * medianMicroseconds) / slowest))),
            ]),
          ],
          output.colours,
        ).replace(/█+/g, cyan),
      );
    });
}
