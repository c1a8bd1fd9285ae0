/** What a key does, by KeyboardEvent.key. */
export type Keys = Record<string, () => void>;

/** Elements that need their keys themselves. */
const OWN_KEYS = 'input, textarea, select, button, a[href], summary, [contenteditable]';

/** Listens for the page's own keys; returns a function that stops it. */
export function followKeys(keys: Keys): () => void {
  const stop = new AbortController();
  const pressed = (event: KeyboardEvent) => {
    const run = keys[event.key];
    if (!run || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.closest(OWN_KEYS)) return;
    event.preventDefault();
    run();
  };
  window.addEventListener('keydown', pressed, { signal: stop.signal });
  return () => stop.abort();
}
