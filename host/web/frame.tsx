import { useEffect, useState } from "preact/hooks";
import { FactorMissingView } from "./account/factor-missing.tsx";
import { NoticesBell } from "./account/notices-bell.tsx";
import { useIdle } from "./hooks.ts";
import { readLockAfter } from "./lock-after.ts";
import { usePage } from "./page-context.ts";
import { pagesOf } from "./roles.ts";
import { addressOf, type Route, useRoute } from "./route.ts";
import { TEXTS } from "./texts/index.ts";

/** Behind an address that nobody has, there is nothing. */
const NOWHERE: Route = [];

/** What somebody who is at work has around every view: who they are, where they can go, lock and log out. */
export function Frame(props: { readonly onLock: () => void; readonly onLeave: () => void }) {
  const { person } = usePage();
  const [first, ...rest] = useRoute();
  const [lockAfter, setLockAfter] = useState(readLockAfter);
  useIdle(lockAfter, props.onLock);
  const pages = pagesOf(person.role);
  const page = pages.find(({ id }) => id === first) ?? pages[0];

  useEffect(() => {
    document.title = page === undefined ? TEXTS.product : `${page.label} · ${TEXTS.product}`;
    setLockAfter(readLockAfter());
  }, [page]);

  return (
    <>
      <nav class="bar" aria-label={TEXTS.bar.label}>
        <span class="brand">{TEXTS.product}</span>
        <ul>
          {person.factorMissing
            ? null
            : pages.map(({ id, label, Badge }) => (
                <li key={id}>
                  <a href={addressOf(id)} aria-current={id === page?.id ? "page" : undefined}>
                    {label}
                    {Badge === undefined ? null : <Badge />}
                  </a>
                </li>
              ))}
        </ul>
        <span class="dim me">{TEXTS.bar.loggedInAs(person.name, person.role)}</span>
        {person.factorMissing ? null : <NoticesBell />}
        <button type="button" onClick={props.onLock}>
          {TEXTS.bar.lock}
        </button>
        <button type="button" onClick={() => props.onLeave()}>
          {TEXTS.bar.logOut}
        </button>
      </nav>
      {person.factorMissing ? (
        <FactorMissingView />
      ) : page === undefined ? null : (
        <page.View rest={page.id === first ? rest : NOWHERE} />
      )}
    </>
  );
}
