import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { dateText } from "../format.ts";
import { useDoing, useTold } from "../hooks.ts";
import { usePage } from "../page-context.ts";
import { Failure } from "../parts/failure.tsx";
import { TEXTS } from "../texts/index.ts";
import { useFresh } from "../use-fresh.ts";
import type { ShownNotice } from "../worker/account/questions.ts";

const text = TEXTS.notices;
const ACCOUNT_KIND = "account.";

function noticeText({ kind, who }: ShownNotice): string {
  const name = who ?? text.somebody;
  if (kind.startsWith(ACCOUNT_KIND)) {
    return text.account[kind.slice(ACCOUNT_KIND.length)] ?? text.other(kind, name);
  }
  return text.kinds[kind]?.(name) ?? text.other(kind, name);
}

function NoticeLine(props: {
  readonly notice: ShownNotice;
  readonly busy: boolean;
  readonly onSeen: () => void;
}) {
  const { notice, busy, onSeen } = props;
  const { at, reason, until, seenAt, kind } = notice;
  return (
    <li class={`${seenAt === null ? "unseen" : ""} ${kind === "emergency.opened" ? "grave" : ""}`}>
      <p>
        {noticeText(notice)}
        {until === null ? null : ` ${text.until(dateText(until))}`}
      </p>
      {reason === null ? null : <p>{text.because(reason)}</p>}
      <p class="dim">{dateText(at)}</p>
      {seenAt !== null ? null : (
        <button type="button" disabled={busy} onClick={onSeen}>
          {text.seen}
        </button>
      )}
    </li>
  );
}

/** What the account is told: a bell with a count, and behind it the notices. */
export function NoticesBell() {
  const { port } = usePage();
  const [notices, setNotices] = useState<readonly ShownNotice[]>([]);
  const [trouble, setTrouble] = useState<string | null>(null);
  const [open, setOpen] = useState(false);
  const seeing = useDoing();
  const bell = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLElement>(null);
  useTold("notices", (told) => {
    setNotices(told.notices);
    setTrouble(told.trouble);
  });
  const look = useCallback(() => {
    port.ask("notices", null).catch(() => null);
  }, [port]);
  useEffect(look, [look]);
  useFresh(look);
  useEffect(() => {
    if (open) {
      panel.current?.focus();
    }
  }, [open]);

  const unseen = notices.filter(({ seenAt }) => seenAt === null);
  const count = trouble === null ? `${unseen.length}` : "?";
  const close = () => {
    setOpen(false);
    bell.current?.focus();
  };
  const see = (noticeIds: readonly string[]) =>
    seeing.run(async () => {
      await port.ask("seeNotices", { noticeIds });
      // The button that was pressed is gone.
      panel.current?.focus();
    });

  return (
    <>
      <button
        type="button"
        class={unseen.length > 0 || trouble !== null ? "bell news" : "bell"}
        ref={bell}
        aria-label={text.bell(count)}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d="M12 3a6 6 0 0 0-6 6v4l-2 4h16l-2-4V9a6 6 0 0 0-6-6Zm-2 16a2 2 0 0 0 4 0" />
        </svg>
        <span class="count">{count}</span>
      </button>
      <span class="visually-hidden" role="status">
        {unseen.length === 0 ? "" : text.bell(count)}
      </span>
      {open ? (
        <section
          class="notices"
          aria-label={text.title}
          tabIndex={-1}
          ref={panel}
          onKeyDown={(event) => {
            if (event.key === "Escape") {
              event.stopPropagation();
              close();
            }
          }}
        >
          <header>
            <h2>{text.title}</h2>
            <button type="button" onClick={close}>
              {text.close}
            </button>
          </header>
          <Failure text={trouble === null ? seeing.failure : text.trouble(trouble)} />
          {notices.length === 0 ? <p class="dim">{text.none}</p> : null}
          {unseen.length < 2 ? null : (
            <button
              type="button"
              disabled={seeing.busy}
              onClick={() => see(unseen.map(({ noticeId }) => noticeId))}
            >
              {text.seenAll}
            </button>
          )}
          <ul>
            {notices.map((notice) => (
              <NoticeLine
                key={notice.noticeId}
                notice={notice}
                busy={seeing.busy}
                onSeen={() => see([notice.noticeId])}
              />
            ))}
          </ul>
        </section>
      ) : null}
    </>
  );
}
