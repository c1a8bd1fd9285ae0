/** What a key does, by KeyboardEvent.key. */
export type Keys = Record<string, () => void>;

/** Elements in which one types, and those that need Space and Enter themselves. */
const TYPING = 'input:not([type=checkbox]), textarea, select, [contenteditable]';
const PRESSING = 'button, a[href], summary, input';
/** Where j and k walk already. */
const WALKING = '.list';
/** While it is open all keys are its own, wherever the focus is; once it is closed none, though the focus may linger in it. */
const DIALOG = 'dialog[open]';

/** Listens for the page's own keys; returns a function that stops it. */
export function followKeys(keys: Keys): () => void {
  const stop = new AbortController();
  const pressed = (event: KeyboardEvent) => {
    const run = keys[event.key];
    if (!run || event.repeat || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector(DIALOG)) return;
    const within = (elements: string) => event.target instanceof Element && event.target.closest(elements);
    if (within(TYPING) || (event.key === ' ' && within(PRESSING)) || (event.key === 'j' && within(WALKING))) return;
    event.preventDefault();
    run();
  };
  window.addEventListener('keydown', pressed, { signal: stop.signal });
  return () => stop.abort();
}
