import type { ComponentChild, ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { wordsOf } from "./hooks.ts";
import { Failure } from "./parts/failure.tsx";

/** A view whose code is fetched when somebody goes there; `waiting` stands there until then. */
export function lazily<P extends object>(
  load: () => Promise<ComponentType<P>>,
  waiting: ComponentChild = <main aria-busy="true" />,
): ComponentType<P> {
  let loaded: ComponentType<P> | null = null;
  return function Lazy(props: P) {
    const [View, setView] = useState<ComponentType<P> | null>(() => loaded);
    const [failure, setFailure] = useState<string | null>(null);
    useEffect(() => {
      if (View === null) {
        load().then(
          (view) => {
            loaded = view;
            setView(() => view);
          },
          (error) => setFailure(wordsOf(error)),
        );
      }
    }, [View]);
    if (failure !== null) {
      return (
        <main>
          <Failure text={failure} />
        </main>
      );
    }
    return View === null ? waiting : <View {...props} />;
  };
}
