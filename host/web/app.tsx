import { useCallback, useEffect, useState } from "preact/hooks";
import { LoginView } from "./account/login.tsx";
import { UnlockView } from "./account/unlock.tsx";
import { Frame } from "./frame.tsx";
import type { HandedOver } from "./handed-over.ts";
import { useTheme } from "./hooks.ts";
import { PAGE } from "./page-context.ts";
import { forgetVault, keepVault } from "./vault-store.ts";
import type { WorkerPort } from "./worker/port.ts";
import type { LockedVault, Person, Places } from "./worker/session-questions.ts";

/** Who somebody is to the page. */
type Standing =
  | { readonly is: "out"; readonly handed: HandedOver; readonly note?: string }
  | { readonly is: "locked"; readonly vault: LockedVault }
  | { readonly is: "in"; readonly person: Person };

/** The page: a login, a lock, or the frame of somebody who is at work. */
export function App(props: {
  readonly places: Places;
  readonly handed: HandedOver;
  readonly kept: LockedVault | null;
  readonly startWorker: () => WorkerPort;
}) {
  const { places, startWorker } = props;
  const [port, setPort] = useState(startWorker);
  const [vault, setVault] = useState(props.kept);
  // Whether this browser may keep the vault: it did before, or the person said so.
  const [keeps, setKeeps] = useState(props.kept !== null);
  const [standing, setStanding] = useState<Standing>(
    props.kept === null ? { is: "out", handed: props.handed } : { is: "locked", vault: props.kept },
  );
  const theme = useTheme();

  useEffect(
    () =>
      port.listen((told) => {
        if (told.told === "vault") {
          setVault(told.vault);
        }
      }),
    [port],
  );
  useEffect(() => {
    if (keeps && vault !== null) {
      keepVault(vault, (kept) => port.ask("joinVault", { kept })).catch(() => {
        // A private window keeps nothing: the next visit begins with a login. A locked one has kept what there was.
      });
    }
  }, [keeps, vault, port]);

  const newWorker = useCallback(() => {
    // Keys and readings go with the worker's memory.
    port.close();
    setPort(startWorker);
  }, [port, startWorker]);
  const lock = useCallback(() => {
    if (vault !== null) {
      newWorker();
      setStanding({ is: "locked", vault });
    }
  }, [vault, newWorker]);
  const leave = useCallback(
    async (note?: string) => {
      await port.ask("logOut", null).catch(() => null);
      await forgetVault();
      newWorker();
      setVault(null);
      setKeeps(false);
      history.replaceState(null, "", "/");
      setStanding({ is: "out", handed: {}, ...(note === undefined ? {} : { note }) });
    },
    [port, newWorker],
  );
  const enter = useCallback((opened: { person: Person; vault: LockedVault }) => {
    setVault(opened.vault);
    setStanding({ is: "in", person: opened.person });
  }, []);

  switch (standing.is) {
    case "out":
      return (
        <LoginView
          port={port}
          places={places}
          handed={standing.handed}
          note={standing.note}
          onOpened={(opened, mayKeep) => {
            setKeeps(mayKeep);
            enter(opened);
          }}
        />
      );
    case "locked":
      return (
        <UnlockView port={port} places={places} vault={standing.vault} onOpened={enter} onLeave={leave} />
      );
    case "in":
      return (
        <PAGE.Provider value={{ port, person: standing.person, places, theme }}>
          <Frame onLock={lock} onLeave={leave} />
        </PAGE.Provider>
      );
  }
}
