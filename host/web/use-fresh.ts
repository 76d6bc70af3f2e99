import { useEffect } from "preact/hooks";

/** Asks again when somebody comes back to this tab: another one may have done something. */
export function useFresh(again: () => void): void {
  useEffect(() => {
    const look = () => {
      if (document.visibilityState === "visible") {
        again();
      }
    };
    document.addEventListener("visibilitychange", look);
    addEventListener("focus", look);
    return () => {
      document.removeEventListener("visibilitychange", look);
      removeEventListener("focus", look);
    };
  }, [again]);
}
