/**
 * Watches whether somebody reads the feed: a mouse rests on it, the keyboard is in
 * it, or it is scrolled away from its top. Tells each change; returns
 * a function that stops watching.
 */
export function followReader(
  section: HTMLElement,
  list: HTMLElement,
  tell: (reading: boolean) => void,
): () => void {
  const reasons = { hovered: false, focused: false, scrolled: false };
  let told = false;
  const note = (change: Partial<typeof reasons>) => {
    Object.assign(reasons, change);
    const reading = Object.values(reasons).includes(true);
    if (reading !== told) tell((told = reading));
  };
  const stop = new AbortController();
  const options = { signal: stop.signal, passive: true };
  // A finger does not hover: it scrolls, and that is noticed by itself.
  const isMouse = (event: PointerEvent) => event.pointerType === 'mouse';
  // The whole pane counts: the button that shows what is held lies over the list.
  section.addEventListener('pointerenter', (event) => isMouse(event) && note({ hovered: true }), options);
  section.addEventListener('pointerleave', () => note({ hovered: false }), options);
  list.addEventListener('focusin', () => note({ focused: list.matches(':focus-visible, :has(:focus-visible)') }), options);
  list.addEventListener('focusout', () => note({ focused: false }), options);
  const scrolled = () => note({ scrolled: isScrolled(section, list) });
  list.addEventListener('scroll', scrolled, options);
  window.addEventListener('scroll', scrolled, options);
  return () => stop.abort();
}

/** On a narrow page the document scrolls, on a wide one the list does. */
function isScrolled(section: HTMLElement, list: HTMLElement): boolean {
  return list.scrollTop > 4 || section.getBoundingClientRect().top < 0;
}

const STEPS: Record<string, number> = { j: 1, PageDown: 1, k: -1, PageUp: -1 };

/** Moves from post to post with j and k, or Page Down and Page Up, as feeds do. */
export function walk(list: HTMLElement, event: KeyboardEvent): void {
  const step = STEPS[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
  const cards = [...list.querySelectorAll<HTMLElement>('article')];
  const here = cards.findIndex((card) => card.contains(document.activeElement));
  const next = cards[Math.max(0, here + step)];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
