// How long to wait before trying again what has failed.

const FIRST = 500;
const LONGEST = 10_000;

/** Milliseconds before the next attempt: doubling, at most 10 s, spread so that not all tabs come at once. */
export function pause(attempts, random = Math.random) {
  const longest = Math.min(LONGEST, FIRST * 2 ** (attempts - 1));
  return longest * (0.5 + random() / 2);
}
