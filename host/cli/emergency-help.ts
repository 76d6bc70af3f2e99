import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { fromBase64Url, isMedcloudletError, MedcloudletError } from "../base/index.ts";
import { createKdcClient } from "../client/index.ts";
import { importSigningKey } from "../sealing/index.ts";
import { type MemberOptions, openKeys, ownCommunity, readMember, withMember } from "./community-home.ts";
import { abortOnInterrupt } from "./interrupt.ts";
import { addressesOf, newCommand, outputOf, type PersonOptions, wholeNumber } from "./options.ts";
import { size } from "./output.ts";

interface HelpOptions extends MemberOptions {
  readonly kdc?: string;
  readonly cloud?: string;
  readonly every: number;
  readonly minutes?: number;
  readonly rounds?: number;
}

const MINUTE_MS = 60_000;

/** `medcloudlet emergency help`: stands by for others. */
export function helpCommand(): Command {
  return withMember(
    newCommand("help", "stand by as a helper: carry sealed emergencies of people near by to the cloud"),
  )
    .option("--kdc <url>", "where the KDC is (default: as kept in the home)")
    .option("--cloud <url>", "where the cloud is (default: as kept in the home)")
    .option("--every <seconds>", "how often the cloudlet is asked", wholeNumber(1, 60), 5)
    .option("--minutes <number>", "for how long (default: until Ctrl-C)", wholeNumber(1))
    .option("--rounds <number>", "how often the cloudlet is asked at most", wholeNumber(1))
    .action(async (options: HelpOptions) => {
      // These bring the services' own parts along, which no other command of emergencies needs.
      const { createHelper } = await import("../emergency/live/index.ts");
      const { createTicketVerifier } = await import("../identity/index.ts");
      const output = outputOf(options);
      const { toolkit, contents } = await openKeys(options);
      const { clock, http } = toolkit;
      const { community, title } = await ownCommunity(contents, options);
      const state = await readMember(contents, options.home, community);
      const admission = state?.admission ?? null;
      if (state === null || admission === null || admission.attested == null) {
        throw new MedcloudletError(
          "CLI_HELPER",
          "Your admission holds no confirmed set to help with: ask your doctor for a new one and join with it.",
        );
      }
      const addresses = await addressesOf(options as Pick<PersonOptions, "home">);
      const kdc = createKdcClient({ http, url: addresses.kdc });
      const keys = () => kdc.ticketKeys();
      const helper = createHelper({
        self: {
          community,
          pseudonym: admission.pseudonym,
          key: await importSigningKey(fromBase64Url(state.signingSeed)),
          set: admission.attested.statement,
          seed: fromBase64Url(admission.attested.seed),
        },
        http,
        clock,
        cloudletUrl: addresses.cloudlet,
        cloudUrl: addresses.cloud,
        tickets: createTicketVerifier({ current: keys, refresh: keys }, clock),
      });
      const signal = abortOnInterrupt();
      const startedAt = clock.now();
      const until =
        options.minutes === undefined ? Number.POSITIVE_INFINITY : startedAt + options.minutes * MINUTE_MS;
      const sum = { answered: 0, relayed: 0, bytes: 0, rounds: 0, missed: 0 };
      output.note(`  standing by for ${output.colours.bold(title)}; Ctrl-C ends it`);
      const most = options.rounds ?? Number.POSITIVE_INFINITY;
      while (!signal.aborted && clock.now() < until && sum.rounds + sum.missed < most) {
        try {
          const { answered, relayed, bytes, troubles } = await helper.round();
          sum.answered += answered;
          sum.relayed += relayed;
          sum.bytes += bytes;
          sum.rounds++;
          if (answered > 0) {
            output.note(`  answered ${answered} call${answered === 1 ? "" : "s"} for help`);
          }
          if (relayed > 0) {
            output.note(
              output.colours.green(`  carried ${relayed} sealed, ${size(bytes)}: the cloud has them`),
            );
          }
          for (const code of troubles) {
            output.trouble(output.colours.yellow(`  something could not be done [${code}]`));
          }
        } catch (error) {
          // The cloudlet may be away for a while; a refusal stays one.
          if (!isMedcloudletError(error) || (error.status < 500 && error.status !== 429)) {
            throw error;
          }
          sum.missed++;
          output.trouble(`  waiting (${error.code})`);
        }
        await sleep(options.every * 1000, undefined, { signal }).catch(() => {});
      }
      const upMs = clock.now() - startedAt;
      output.result(
        { ...sum, upMs },
        `Stood by for ${Math.round(upMs / MINUTE_MS)} minutes: ${sum.answered} calls answered, ${sum.relayed} batches carried (${size(sum.bytes)}).`,
      );
    });
}
