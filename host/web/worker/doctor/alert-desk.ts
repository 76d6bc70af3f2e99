import { createWatch, type Finding, type Watch } from "../../../analytics/index.ts";
import type { OpenedStream } from "../../../client/index.ts";
import type { Priority, ReadingColumn } from "../../../sealing/index.ts";
import type { Answers } from "../messages.ts";
import { createPeers } from "../peers.ts";
import type { Listener, Streams } from "../streams.ts";
import type { Work } from "../work.ts";
import { createAlertJournal } from "./alert-journal.ts";
import type { AlertQuestions } from "./questions.ts";

const NOTE = "alerts";
const HOUR_MS = 60 * 60_000;
/** Older readings teach what is usual, but are no news. */
const FRESH_MS = HOUR_MS;
/** So near to readings that were an emergency themselves the wearable's own word adds nothing to it. */
const EXPLAINED_MS = 30 * 60_000;
/** So much of the past teaches what is usual for somebody: the window of a baseline. */
const LEARN_MS = 24 * HOUR_MS;
/** Readings further ahead of the clock than this are dated ahead, ms. */
const AHEAD_MS = 60_000;
const SILENCE_EVERY_MS = 30_000;
const TICK_EVERY_MS = 5_000;
/** Readings change alerts often: that they did is noted at most so often. What a person does is noted at once. */
const NOTE_EVERY_MS = 2_000;
/** Batches that are learned from before others get a word in. */
const LEARN_AT_ONCE = 20;

interface Past {
  readonly firstTime: number;
  readonly columns: readonly ReadingColumn[];
}

interface Watched {
  readonly stream: OpenedStream;
  watch: Watch;
  /** What the watch is to learn from once all of it is here; null once it has. */
  past: Past[] | null;
  learning: boolean;
  newest: number;
  /** Time of the last reading that was an emergency by its score. */
  graveAt: number;
}

/** Watches every stream that is opened, and keeps what it finds. */
export interface AlertDesk extends Required<Listener> {
  readonly answers: Answers<AlertQuestions>;
}

function newestOf(columns: readonly ReadingColumn[]): number {
  return Math.max(...columns.map(({ times }) => times.at(-1) ?? Number.NEGATIVE_INFINITY));
}

/** The wearable's own word, where the score does not say it already. */
function wordOf({ graveAt }: Watched, newest: number, priority: Priority) {
  return priority === "emergency" && Math.abs(newest - graveAt) > EXPLAINED_MS
    ? ({
        kind: "wearable",
        level: "emergency",
        reason: "the wearable calls: a fall, or what it measured",
      } as const)
    : ({ kind: "wearable", level: null, reason: "the wearable does not call" } as const);
}

/**
 * A watch needs readings in the order of time, and they are opened the newest first. So one watch begins with the newest
 * hour, and scores what arrives at once; when the day before is here as well, another has learned from all of it in order
 * and takes over. What the past shows is no news: alerts come from readings that arrive, or that came since this machine
 * last looked.
 */
export function createAlertDesk(options: {
  readonly work: Work;
  readonly streams: () => Pick<Streams, "isLive">;
}): AlertDesk {
  const { work, streams } = options;
  const { clock } = work;
  const journal = createAlertJournal({ clock, kept: work.recall(NOTE) });
  work.joinNotes(NOTE, (theirs) => {
    journal.join(theirs);
    return journal.text();
  });
  const watches = new Map<string, Watched>();
  let noting: ReturnType<typeof setTimeout> | null = null;

  const noteNow = async (): Promise<void> => {
    if (noting !== null) {
      clearTimeout(noting);
      noting = null;
    }
    await work.remember(NOTE, journal.text());
  };
  const noteSoon = (): void => {
    noting ??= setTimeout(() => {
      noting = null;
      noteNow().catch(() => {
        // What this machine notes is a convenience; the next change tries again.
      });
    }, NOTE_EVERY_MS);
  };
  const tellPage = (): void => work.tell({ told: "alerts", alerts: journal.list() });
  const peers = createPeers({
    ...{ work, subject: "alerts", whole: journal.text },
    onTold(text) {
      if (journal.join(text)) {
        tellPage();
        // At once: whoever told it may be gone by the time that this tab is asked.
        noteNow().catch(() => noteSoon());
      }
    },
  });
  const tellPeers = async (): Promise<void> => {
    const news = journal.news();
    if (news !== null) {
      await peers.tell(news);
    }
  };
  const tell = (): void => {
    tellPage();
    void tellPeers();
    noteSoon();
  };
  /** What the first readings show waits for what other tabs know: somebody may have answered it there. */
  let early: (() => void)[] | null = [];
  peers.greeted.then(() => {
    const acts = early ?? [];
    early = null;
    for (const act of acts) {
      act();
    }
  });

  const take = (
    { stream: { streamId, ownerName } }: Watched,
    findings: readonly (Omit<Finding, "kind"> & { readonly kind: string })[],
    time: number,
  ): void => {
    const changed = findings.map(({ kind, level, reason }) =>
      journal.observe({ streamId, patient: ownerName, kind }, { level, reason: reason.slice(0, 500) }, time),
    );
    if (changed.includes(true)) {
      tell();
    }
  };

  const watchedOf = (stream: OpenedStream): Watched => {
    const known = watches.get(stream.streamId);
    if (known !== undefined && known.stream === stream) {
      return known;
    }
    const watched: Watched = {
      ...{ stream, watch: createWatch(), past: [], learning: false },
      ...{ newest: Number.NEGATIVE_INFINITY, graveAt: Number.NEGATIVE_INFINITY },
    };
    watches.set(stream.streamId, watched);
    return watched;
  };

  const learn = async (watched: Watched): Promise<void> => {
    const { past } = watched;
    if (past === null || watched.learning) {
      return;
    }
    watched.learning = true;
    past.sort((a, b) => a.firstTime - b.firstTime);
    const learned = createWatch();
    // What arrives meanwhile is put behind, and learned as well.
    for (let i = 0; i < past.length; i++) {
      learned.learn((past[i] as Past).columns);
      if (i % LEARN_AT_ONCE === 0) {
        await new Promise((resolve) => setTimeout(resolve));
      }
    }
    watched.watch = learned;
    watched.past = null;
  };

  const timers = [
    setInterval(() => {
      const now = clock.now();
      for (const watched of watches.values()) {
        // Where nothing comes through from anybody the page says so itself.
        if (streams().isLive(watched.stream.streamId)) {
          take(watched, [watched.watch.silence(now)], now);
        }
      }
    }, SILENCE_EVERY_MS),
    setInterval(() => {
      if (journal.tick()) {
        tell();
      }
    }, TICK_EVERY_MS),
  ];
  work.signal.addEventListener("abort", () => timers.forEach(clearInterval));

  return {
    onBatch(stream, { header, columns }, arrival) {
      const watched = watchedOf(stream);
      const newest = newestOf(columns);
      const now = clock.now();
      watched.newest = Math.max(watched.newest, Math.min(newest, now));
      if (header.lastTime > watched.newest - LEARN_MS) {
        watched.past?.push({ firstTime: header.firstTime, columns });
      } else if (arrival === "older") {
        void learn(watched);
      }
      if (arrival === "older") {
        return;
      }
      const findings = watched.watch.observe(columns);
      if (findings.some(({ kind, level }) => kind === "news2" && level === "emergency")) {
        watched.graveAt = newest;
      }
      const all = [...findings, wordOf(watched, newest, header.priority)];
      const { streamId } = stream;
      const seenAs = newest > now + AHEAD_MS ? `${streamId} ahead` : streamId;
      const act = () => {
        const isNews = newest > clock.now() - FRESH_MS;
        if (isNews && (arrival === "live" || newest > journal.seenUntil(seenAs))) {
          take(watched, all, newest);
          journal.noteSeen(seenAs, newest);
          noteSoon();
        }
      };
      if (early === null) {
        act();
      } else {
        early.push(act);
      }
    },
    onWhole: (stream) => void learn(watchedOf(stream)),
    answers: {
      alerts: () => journal.list(),
      async changeAlert({ id, wish, saw }) {
        try {
          journal.apply(id, { ...wish, by: work.person.handle }, saw);
          await tellPeers();
        } finally {
          // Also what fell due before a wish that was refused.
          tellPage();
          await noteNow();
        }
        return null;
      },
    },
  };
}
