import { useEffect, useState } from "preact/hooks";

/** Where somebody is in the page: the parts of the address behind `#/`, so that back, forward and reload work. */
export type Route = readonly string[];

function readRoute(): Route {
  if (!location.hash.startsWith("#/")) {
    return [];
  }
  try {
    return location.hash.slice(2).split("/").filter(Boolean).map(decodeURIComponent);
  } catch {
    // A mistyped escape: nowhere.
    return [];
  }
}

/** The address of a route. */
export function addressOf(...route: Route): string {
  return `#/${route.map(encodeURIComponent).join("/")}`;
}

/** Goes to a route, as a click on a link to it does. */
export function goTo(...route: Route): void {
  location.hash = addressOf(...route);
}

/** The present route, as it changes. */
export function useRoute(): Route {
  const [route, setRoute] = useState(readRoute);
  useEffect(() => {
    const change = () => setRoute(readRoute());
    addEventListener("hashchange", change);
    return () => removeEventListener("hashchange", change);
  }, []);
  return route;
}
