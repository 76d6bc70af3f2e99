import { type Command, Option } from "commander";
import { isMedcloudletError, MedcloudletError, systemClock } from "../base/index.ts";
import { createIdsClient, type HeldTicket, type IdsClient } from "../client/index.ts";
import type { PersonAtWork, Toolkit } from "./home.ts";
import { selfTestText, trafficText } from "./ids-measured-text.ts";
import {
  type At,
  alertsTable,
  decisionsTable,
  detectorTable,
  explanationText,
  left,
  membersTable,
  newsText,
  time,
} from "./ids-text.ts";
import { abortOnInterrupt } from "./interrupt.ts";
import { asPerson, newCommand, outputOf, type PersonOptions, wholeNumber, withPerson } from "./options.ts";
import { type Output, table } from "./output.ts";
import { printable } from "./record-text.ts";

/** Tickets live five minutes; a new one a little sooner. */
const RENEW_BEFORE_MS = 30_000;
const RECONNECT_AFTER_MS = 1000;

interface OfficerOptions extends PersonOptions {
  readonly at?: string;
}

/** A service and the officer's way to it. */
interface Post {
  readonly name: string;
  readonly ids: IdsClient;
}

/** The services that an officer asks: one that is named or has a URL, or all that the home knows. */
function postsOf(person: PersonAtWork, { http, clock }: Toolkit, at: string | undefined): Post[] {
  let held: HeldTicket | undefined;
  const ticket = async () => {
    if (held === undefined || held.expiresAt - clock.now() < RENEW_BEFORE_MS) {
      held = await person.session.staffTicket(person.keys.signing);
    }
    return held;
  };
  const known: Readonly<Record<string, string>> = person.addresses;
  const places = at === undefined ? Object.entries(known) : [[at, known[at] ?? at] as const];
  return places.map(([name, url]) => {
    if (!URL.canParse(url)) {
      throw new MedcloudletError("CLI_OPTION", `--at takes kdc, cloud, cloudlet or a URL, not "${at}".`, {
        status: 400,
      });
    }
    return { name, ids: createIdsClient({ http, url, ticket }) };
  });
}

/** Adds what every command of an officer has. */
function officerCommand(name: string, description: string): Command {
  return withPerson(newCommand(name, description)).option(
    "--at <service>",
    "kdc, cloud, cloudlet or a URL (default: the three of the home)",
  );
}

function asOfficer<T>(
  options: OfficerOptions,
  work: (posts: readonly Post[], output: Output) => Promise<T>,
): Promise<T> {
  return asPerson(options, (person, toolkit) =>
    work(postsOf(person, toolkit, options.at), outputOf(options)),
  );
}

/** Asks every service; one that is away is said so and left out, unless it is the only one. */
async function fromAll<T>(
  posts: readonly Post[],
  output: Output,
  ask: (ids: IdsClient) => Promise<readonly T[]>,
): Promise<At<T>[]> {
  const found: At<T>[] = [];
  let failure: unknown;
  let answered = 0;
  for (const { name, ids } of posts) {
    try {
      found.push(...(await ask(ids)).map((what) => ({ at: name, what })));
      answered++;
    } catch (error) {
      if (!isMedcloudletError(error) || error.status < 500) {
        throw error;
      }
      failure = error;
      output.trouble(`  ${name}: ${error.message}`);
    }
  }
  if (answered === 0 && failure !== undefined) {
    throw failure;
  }
  return found;
}

/** The service that made a decision. @throws MedcloudletError `IDS_DECISION_UNKNOWN` */
async function postOf(posts: readonly Post[], decision: string, output: Output): Promise<Post> {
  let unknown: unknown;
  for (const post of posts) {
    try {
      await post.ids.explain(decision);
      return post;
    } catch (error) {
      if (!isMedcloudletError(error) || (error.status < 500 && error.code !== "IDS_DECISION_UNKNOWN")) {
        throw error;
      }
      if (error.code !== "IDS_DECISION_UNKNOWN") {
        output.trouble(`  ${post.name}: ${error.message}`);
      }
      unknown ??= error;
    }
  }
  throw unknown;
}

const newestFirst = <T extends { readonly at: number }>(a: At<T>, b: At<T>) => b.what.at - a.what.at;

function tell<T>(output: Output, found: readonly At<T>[], text: () => string, none: string): void {
  if (output.json) {
    for (const { at, what } of found) {
      output.result({ service: at, ...what }, "");
    }
    return;
  }
  output.result(null, found.length === 0 ? `  ${none}` : text());
}

const lastOption = () =>
  new Option("--last <number>", "only so many of the newest of each service")
    .argParser(wholeNumber(1, 200))
    .default(50);
const kindOption = () =>
  new Option("--kind <kind>", "only about these").choices(["source", "account", "device"]);

interface ListOptions extends OfficerOptions {
  readonly last: number;
  readonly kind?: string;
  readonly subject?: string;
  readonly rule?: string;
  readonly measure?: string;
  readonly all?: true;
}

function alerts(): Command {
  return officerCommand("alerts", "what the services found, newest first")
    .addOption(lastOption())
    .addOption(kindOption())
    .option("--subject <pseudonym>", "only about this one")
    .option("--rule <rule>", "only what this rule or scenario found")
    .action((options: ListOptions) =>
      asOfficer(options, async (posts, output) => {
        const { last: limit, kind, subject, rule } = options;
        const query = { limit, kind, subject, rule };
        const found = await fromAll(posts, output, async (ids) => (await ids.alerts(query)).alerts);
        found.sort(newestFirst);
        tell(output, found, () => alertsTable(found, output.colours), "No alerts.");
      }),
    );
}

function decisions(): Command {
  return officerCommand("decisions", "what is held against whom, newest first")
    .addOption(lastOption())
    .addOption(kindOption())
    .option("--subject <pseudonym>", "only about this one")
    .addOption(new Option("--measure <measure>").choices(["throttle", "challenge", "ban"]))
    .option("--all", "also what is over")
    .action((options: ListOptions) =>
      asOfficer(options, async (posts, output) => {
        const { last: limit, kind, subject, measure, all } = options;
        const query = { limit, kind, subject, measure, state: all ? "all" : "in-force" };
        const found = await fromAll(posts, output, async (ids) => (await ids.decisions(query)).decisions);
        found.sort(newestFirst);
        const now = systemClock.now();
        tell(output, found, () => decisionsTable(found, now, output.colours), "Nothing holds now.");
      }),
    );
}

function explain(): Command {
  return officerCommand("explain", "why a decision was made: rules, evidence, voices and their weights")
    .argument("<decision>", "its number")
    .action((id: string, options: OfficerOptions) =>
      asOfficer(options, async (posts, output) => {
        const { name, ids } = await postOf(posts, id, output);
        const explained = await ids.explain(id);
        output.result(
          { service: name, ...explained },
          explanationText({ at: name, what: explained }, systemClock.now(), output.colours),
        );
      }),
    );
}

function members(): Command {
  return officerCommand("members", "the mesh's members as each service measured them").action(
    (options: OfficerOptions) =>
      asOfficer(options, async (posts, output) => {
        const found = await fromAll(posts, output, (ids) => ids.members());
        const now = systemClock.now();
        tell(output, found, () => membersTable(found, now, output.colours), "There is no mesh here.");
      }),
  );
}

function detector(): Command {
  return officerCommand(
    "detector",
    "what judges requests at each service, where it is set and how it does",
  ).action((options: OfficerOptions) =>
    asOfficer(options, async (posts, output) => {
      const found = await fromAll(posts, output, async (ids) => [await ids.detector()]);
      tell(
        output,
        found,
        () => `${detectorTable(found, output.colours)}\n${selfTestText(found, output.colours)}`,
        "No service answered.",
      );
    }),
  );
}

function traffic(): Command {
  return officerCommand("traffic", "how many requests each service had, and what became of them")
    .option("--day", "the last day by quarters of an hour, instead of the last hour by minutes")
    .action((options: OfficerOptions & { day?: true }) =>
      asOfficer(options, async (posts, output) => {
        const found = await fromAll(posts, output, async (ids) => [await ids.traffic()]);
        const span = options.day ? "day" : "hour";
        tell(output, found, () => trafficText(found, span, output.colours), "No service answered.");
      }),
    );
}

function ruling(what: "lift" | "confirm", description: string, done: string): Command {
  return officerCommand(what, description)
    .argument("<decision>", "its number")
    .requiredOption("--reason <text>", "why; it is written down with your account")
    .action((id: string, options: OfficerOptions & { reason: string }) =>
      asOfficer(options, async (posts, output) => {
        const { name, ids } = await postOf(posts, id, output);
        const { decision, stillHeld } = await ids.rule(id, what, options.reason);
        const { kind, local } = decision.subject;
        const more =
          stillHeld.length === 0 ? "" : `\n  Still held against the same ${kind}: ${stillHeld.join(", ")}`;
        output.result(
          { service: name, decision, stillHeld },
          `  ${done} at ${name}: ${kind} ${local}.${more}`,
        );
      }),
    );
}

interface ExemptOptions extends OfficerOptions {
  readonly address?: string;
  readonly decision?: string;
  readonly hours: number;
  readonly reason?: string;
  readonly end?: string;
}

function exempt(): Command {
  return officerCommand("exempt", "hold nothing against somebody for a while; without options: who is exempt")
    .option("--address <address>", "a network address, as its owner sees it from outside")
    .option("--decision <number>", "whom this decision is about")
    .option("--hours <hours>", "for how long", wholeNumber(1, 8760), 8)
    .option("--reason <text>", "why; it is written down with your account")
    .option("--end <exemption>", "end one instead")
    .action((options: ExemptOptions) =>
      asOfficer(options, async (posts, output) => {
        const { address, decision, hours, reason, end } = options;
        if (end !== undefined) {
          await fromAll(posts, output, async (ids) => {
            const here = (await ids.exemptions()).filter(({ id }) => id === end);
            await Promise.all(here.map(({ id }) => ids.endExemption(id)));
            return here;
          }).then((ended) => tell(output, ended, () => "  Ended.", "No exemption has this id."));
          return;
        }
        if (address === undefined && decision === undefined) {
          const found = await fromAll(posts, output, (ids) => ids.exemptions());
          const now = systemClock.now();
          const rows = found.map(({ at, what }) => [
            what.id,
            at,
            `${what.kind} ${printable(what.local)}`,
            left(what.until, now),
            what.by.slice(0, 8),
            printable(what.reason),
          ]);
          const head = ["exemption", "at", "whom", "left", "by", "why"];
          tell(output, found, () => table([head, ...rows], output.colours), "Nobody is exempt.");
          return;
        }
        if (reason === undefined || (address !== undefined && decision !== undefined)) {
          throw new MedcloudletError(
            "CLI_OPTION",
            "Give either --address or --decision, and --reason with it.",
            { status: 400 },
          );
        }
        // An address is exempt wherever it is asked for; a decision is one service's.
        const where = decision === undefined ? posts : [await postOf(posts, decision, output)];
        const about = decision === undefined ? { address: address as string } : { decision };
        const made = await fromAll(where, output, async (ids) => [await ids.exempt(about, hours, reason)]);
        tell(
          output,
          made,
          () =>
            made
              .map(({ at, what }) => `  Exempt at ${at} until ${time(what.until)} UTC: ${what.id}`)
              .join("\n"),
          "",
        );
      }),
    );
}

function appeals(): Command {
  return officerCommand("appeals", "what those objected who are held back, newest first")
    .addOption(lastOption())
    .action((options: ListOptions) =>
      asOfficer(options, async (posts, output) => {
        const query = { limit: options.last };
        const found = await fromAll(posts, output, async (ids) => (await ids.appeals(query)).appeals);
        found.sort(newestFirst);
        const rows = found.map(({ at, what }) => [time(what.at), at, what.decision, printable(what.text)]);
        const head = ["time (UTC)", "at", "decision", "objection"];
        tell(output, found, () => table([head, ...rows], output.colours), "Nobody objected.");
      }),
    );
}

function watch(): Command {
  return officerCommand("watch", "alerts, decisions and objections as they come, until interrupted").action(
    (options: OfficerOptions) =>
      asOfficer(options, async (posts, output) => {
        const signal = abortOnInterrupt();
        output.note(`  watching ${posts.map(({ name }) => name).join(", ")}; end with Ctrl-C`);
        const follow = async ({ name, ids }: Post): Promise<void> => {
          while (!signal.aborted) {
            try {
              for await (const news of ids.follow(signal)) {
                const now = systemClock.now();
                output.result(
                  { service: name, time: now, ...news },
                  `  ${output.colours.dim(time(now))} ${name.padEnd(8)} ${newsText(news, output.colours)}`,
                );
              }
            } catch (error) {
              if (signal.aborted) {
                return;
              }
              if (!isMedcloudletError(error) || (error.status < 500 && error.status !== 429)) {
                throw error;
              }
              output.trouble(`  ${name}: ${error.message}`);
            }
            await new Promise((resolve) => setTimeout(resolve, RECONNECT_AFTER_MS));
          }
        };
        await Promise.all(posts.map(follow));
      }),
  );
}

/** What a security officer does with the running services' detection. */
export function officerCommands(): Command[] {
  return [
    alerts(),
    decisions(),
    explain(),
    members(),
    detector(),
    traffic(),
    ruling("lift", "end a decision as wrong", "Lifted"),
    ruling("confirm", "say that a decision was right", "Confirmed"),
    exempt(),
    appeals(),
    watch(),
  ];
}
