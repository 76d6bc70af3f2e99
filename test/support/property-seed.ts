import fc from "fast-check";

/**
 * Properties run from one seed, so that what passed yesterday passes today; `npm run test:random` draws a new one and
 * prints it with whatever fails. `FAST_CHECK_SEED` repeats a run.
 */
const asked = process.env.FAST_CHECK_SEED;
fc.configureGlobal({ seed: asked === undefined ? 20_260_101 : Number(asked) });
