// Which exports were started in this browser, by whom; one list for all tabs.

const KEY = "exports-started-here"; // [user, job] pairs, the newest first
const REMEMBERED = 50;

export function remember(userId, jobId) {
  write([[userId, jobId], ...read()].slice(0, REMEMBERED));
}

/** Take it from the list; whether it was in it. */
export function take(userId, jobId) {
  const all = read();
  const others = all.filter(([user, job]) => user !== userId || job !== jobId);
  const wasIn = others.length < all.length;
  if (wasIn) write(others);
  return wasIn;
}

function read() {
  return JSON.parse(localStorage.getItem(KEY) ?? "[]");
}

function write(pairs) {
  localStorage.setItem(KEY, JSON.stringify(pairs));
}
