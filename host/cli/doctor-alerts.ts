import { join } from "node:path";
import type { Command } from "commander";
import {
  type AlertBook,
  type AlertEvent,
  type AlertWish,
  createAlertBook,
  createWatch,
  type Finding,
  type KeptAlert,
  type Watch,
} from "../analytics/index.ts";
import { type Clock, fromBase64Url, systemClock, toHex, utf8 } from "../base/index.ts";
import {
  deriveSecret,
  type KeystoreContents,
  lockWith,
  type OpenedStream,
  unlockWith,
} from "../client/index.ts";
import type { Priority, ReadingColumn } from "../sealing/index.ts";
import type { AlertPager } from "./alert-hook.ts";
import { DEFAULT_HOME, openHome, requireHome } from "./home.ts";
import {
  newCommand,
  newGroup,
  outputOf,
  type PersonOptions,
  readPassphrase,
  wholeNumber,
} from "./options.ts";
import { type Colours, type Output, table } from "./output.ts";

const LABEL = "medcloudlet alerts v1";
const SHORT_ID = 8;
const SILENCE_EVERY_MS = 30_000;
/** Older readings teach what is usual, but are no news: following begins with all that was ever sent. */
const FRESH_MS = 60 * 60_000;
/** For so long after the readings themselves were an emergency the wearable's own word adds nothing to it. */
const EXPLAINED_MS = 30 * 60_000;

/** The alerts kept in a home, locked with a key from the person's signing seed, which the keystore locks by scrypt. */
export async function openAlerts(
  home: string,
  { signingSeed }: Pick<KeystoreContents, "signingSeed">,
  clock: Clock = systemClock,
): Promise<{ readonly book: AlertBook; close(): Promise<void> }> {
  const seed = fromBase64Url(signingSeed);
  const { createEmbeddedStore } = await import("../store/index.ts");
  const store = createEmbeddedStore({ directory: join(home, "alerts") });
  const book = await createAlertBook({
    store,
    clock,
    lock: {
      lock: (text) => lockWith(seed, LABEL, utf8(text)),
      async unlock(locked) {
        const bytes = await unlockWith(seed, LABEL, locked);
        return bytes === null ? null : new TextDecoder().decode(bytes);
      },
      nameOf: (text) => toHex(deriveSecret(seed, `${LABEL} name ${text}`).subarray(0, 16)),
    },
  });
  return { book, close: () => store.close() };
}

/** Raises and changes alerts by what is read, and tells of each change. */
export interface AlertDesk {
  /** Takes the readings of a batch in, and how urgent the wearable said it is: a fall travels as that alone. */
  observe(stream: OpenedStream, columns: readonly ReadingColumn[], priority: Priority): Promise<void>;
  /** Looks at the clock: silence, escalations, what others did of an alert. Happens by itself every half minute. */
  look(): Promise<void>;
  close(): Promise<void>;
}

interface Watched {
  readonly watch: Watch;
  readonly stream: OpenedStream;
  /** Time of the last reading that was an emergency by its score. */
  graveAt: number;
}

/** The wearable's own word, where the score does not say it already. */
function wordOf(watched: Watched, newest: number, priority: Priority) {
  const isNews = priority === "emergency" && newest - watched.graveAt > EXPLAINED_MS;
  return isNews
    ? ({
        kind: "wearable",
        level: "emergency",
        reason: "the wearable calls: a fall, or what it measured",
      } as const)
    : ({ kind: "wearable", level: null, reason: "the wearable does not call" } as const);
}

/** Watches what is followed; looks at the clock every half minute, for silence and escalations come with no reading. */
export async function openAlertDesk(
  home: string,
  contents: KeystoreContents,
  output: Output,
  {
    freshMs = FRESH_MS,
    clock = systemClock,
    pager,
  }: { readonly freshMs?: number; readonly clock?: Clock; readonly pager?: AlertPager } = {},
): Promise<AlertDesk> {
  const { book, close } = await openAlerts(home, contents, clock);
  /** How many events of each alert were told. */
  const told = new Map<string, number>();
  const watches = new Map<string, Watched>();
  let turn: Promise<void> = Promise.resolve();

  /** Tells what is new of an alert, and whoever is to be paged. */
  const say = (kept: KeptAlert): void => {
    const added = kept.events.slice(told.get(kept.id) ?? 0);
    told.set(kept.id, kept.events.length);
    if (added.length > 0) {
      tell(kept, added, output);
    }
    pager?.note(kept);
  };
  // What happened before is no news; but what is loud since then is to be heard.
  for (const kept of await book.list()) {
    told.set(kept.id, kept.events.length);
    pager?.note(kept);
  }

  const take = async (
    stream: OpenedStream,
    findings: readonly (Omit<Finding, "kind"> & { readonly kind: string })[],
  ): Promise<void> => {
    for (const { kind, level, reason } of findings) {
      const subject = { streamId: stream.streamId, kind, patient: stream.ownerName };
      const changed = await book.observe(subject, { level, reason });
      if (changed !== null) {
        say(changed.kept);
      }
    }
  };
  /** One after the other, so that no finding overtakes the one before. */
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    turn = turn.then(work, work);
    return turn;
  };
  const look = (): Promise<void> =>
    inTurn(async () => {
      for (const { watch, stream } of watches.values()) {
        // Of a recording that is replayed nothing is late.
        if (freshMs === FRESH_MS) {
          await take(stream, [watch.silence(clock.now())]);
        }
      }
      for (const kept of await book.list()) {
        say(kept);
      }
    });
  const timer = setInterval(() => {
    look().catch((error: unknown) => output.trouble(`  alerts: ${String(error)}`));
  }, SILENCE_EVERY_MS);

  return {
    observe: (stream, columns, priority) =>
      inTurn(async () => {
        const known = watches.get(stream.streamId) ?? {
          watch: createWatch(),
          stream,
          graveAt: Number.NEGATIVE_INFINITY,
        };
        watches.set(stream.streamId, known);
        const findings = known.watch.observe(columns);
        const newest = Math.max(...columns.map(({ times }) => times.at(-1) ?? Number.NEGATIVE_INFINITY));
        if (findings.some(({ kind, level }) => kind === "news2" && level === "emergency")) {
          known.graveAt = newest;
        }
        if (newest > clock.now() - freshMs) {
          await take(stream, [...findings, wordOf(known, newest, priority)]);
        }
      }),
    look,
    async close() {
      clearInterval(timer);
      await turn.catch(() => {});
      await pager?.close();
      await close();
    },
  };
}

function tell(kept: KeptAlert, added: readonly AlertEvent[], output: Output): void {
  const { id, subject, alert } = kept;
  const loud = alert.status === "raised" || alert.status === "escalated";
  const { bold, dim, red } = output.colours;
  const words = `  ⚑ ${subject.patient}  ${added.map(({ type }) => type).join(", ")}  ${alert.level}  ${alert.reason}  [${id.slice(0, SHORT_ID)}]`;
  output.result(
    {
      event: "alert",
      alert: id,
      ...subject,
      status: alert.status,
      level: alert.level,
      reason: alert.reason,
      events: added,
    },
    loud ? bold(red(words)) : dim(words),
  );
  if (loud) {
    output.bell();
  }
}

interface AlertOptions extends Pick<PersonOptions, "home" | "passphraseFile" | "json"> {
  readonly all?: true;
  readonly minutes?: number;
  readonly reason?: string;
}

/** What every command of alerts needs: keys, but neither KDC nor network. */
function withHome(command: Command): Command {
  return command
    .option("--home <folder>", "folder with the person's keys", DEFAULT_HOME)
    .option(
      "--passphrase-file <file>",
      "passphrase of the keys (or MEDCLOUDLET_PASSPHRASE_FILE, or asked for)",
    );
}

async function withAlerts(
  options: AlertOptions,
  work: (book: AlertBook, handle: string) => Promise<void>,
): Promise<void> {
  await requireHome(options.home);
  const passphrase = await readPassphrase(options);
  const contents = await openHome(options.home, passphrase);
  const { book, close } = await openAlerts(options.home, contents);
  try {
    await work(book, contents.handle);
  } finally {
    await close();
  }
}

function row({ id, subject, alert }: KeptAlert): string[] {
  const until = alert.snoozedUntil === null ? "" : ` until ${new Date(alert.snoozedUntil).toISOString()}`;
  return [
    id.slice(0, SHORT_ID),
    alert.level,
    `${alert.status}${until}${alert.tier > 0 ? ` (escalated ${alert.tier})` : ""}`,
    subject.patient,
    subject.kind,
    new Date(alert.raisedAt).toISOString(),
    alert.easedAt === null || alert.status === "resolved" ? alert.reason : `${alert.reason}; well now`,
  ];
}

function coloured(text: string, rows: readonly KeptAlert[], { bold, dim, red, yellow }: Colours): string {
  const paint = {
    emergency: (line: string) => bold(red(line)),
    urgent: yellow,
    attention: (line: string) => line,
  };
  return text
    .split("\n")
    .map((line, i) => {
      const alert = rows[i - 1]?.alert;
      return alert === undefined ? line : alert.status === "resolved" ? dim(line) : paint[alert.level](line);
    })
    .join("\n");
}

function list(): Command {
  return withHome(newCommand("list", "show the alerts that are open, the gravest first"))
    .option("--all", "also those that are resolved")
    .action((options: AlertOptions) =>
      withAlerts(options, async (book) => {
        const output = outputOf(options);
        const shown = (await book.list()).filter(({ alert }) => options.all || alert.status !== "resolved");
        const head = ["id", "level", "status", "patient", "about", "raised", "reason"];
        output.result(
          { alerts: shown.map(({ id, subject, alert, events }) => ({ id, ...subject, ...alert, events })) },
          shown.length === 0
            ? "  No open alerts. Alerts are raised while `doctor read --follow --alerts` runs."
            : coloured(table([head, ...shown.map(row)], output.colours), shown, output.colours),
        );
      }),
    );
}

function wish(command: Command, wishOf: (options: AlertOptions, by: string) => AlertWish): Command {
  return withHome(command)
    .argument("<id>", "the alert, or the beginning of its id")
    .action((id: string, options: AlertOptions) =>
      withAlerts(options, async (book, handle) => {
        const output = outputOf(options);
        const kept = await book.apply(id, wishOf(options, handle));
        const { alert, subject } = kept;
        output.result(
          { id: kept.id, ...subject, ...alert },
          `  ${subject.patient}, ${subject.kind}: ${row(kept)[2]}`,
        );
      }),
    );
}

/** `medcloudlet doctor alerts`: what the readings raised on this machine, and what to do with it. */
export function alertsCommand(): Command {
  return newGroup("alerts", "alerts on this machine, sealed with the person's keys")
    .addCommand(list(), { isDefault: true })
    .addCommand(
      wish(newCommand("acknowledge", "take an alert in hand"), (_, by) => ({ type: "acknowledge", by })),
    )
    .addCommand(
      wish(
        newCommand("snooze", "keep an alert silent for a while, unless it becomes graver").requiredOption(
          "--minutes <number>",
          "for how long (attention 480, urgent 60, emergency 15 at most)",
          wholeNumber(1, 480),
        ),
        ({ minutes = 0 }, by) => ({ type: "snooze", by, forMs: minutes * 60_000 }),
      ),
    )
    .addCommand(
      wish(
        newCommand("resolve", "end an alert for good").requiredOption("--reason <text>", "what it was"),
        ({ reason = "" }, by) => ({ type: "resolve", by, reason }),
      ),
    );
}
