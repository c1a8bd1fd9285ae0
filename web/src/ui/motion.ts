const calm = media('(prefers-reduced-motion: reduce)');
const KEY = 'blipstream.motion';

/** Reports whether the person asked the system, or this page, for less motion; may change while it is open. */
export function isCalm(): boolean {
  return (calm?.matches ?? false) || document.documentElement.dataset.motion === 'less';
}

/** Moves less from now on, or as the system says. */
export function chooseMotion(less: boolean): void {
  if (less) document.documentElement.dataset.motion = 'less';
  else delete document.documentElement.dataset.motion;
  keep(KEY, less ? 'less' : undefined);
}

/** The choice of an earlier visit. */
export function applyStoredMotion(): void {
  if (stored(KEY) === 'less') document.documentElement.dataset.motion = 'less';
}

/** What was kept on an earlier visit; storage may be switched off. */
export function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Keeps a value for later visits, as far as the browser lets it. */
export function keep(key: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

/** A media query; undefined where there is no screen, as in tests. */
export function media(query: string): MediaQueryList | undefined {
  return typeof matchMedia === 'function' ? matchMedia(query) : undefined;
}
