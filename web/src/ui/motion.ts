const calm = media('(prefers-reduced-motion: reduce)');

/** Reports whether the person asked the system for less motion; may change while the page is open. */
export function isCalm(): boolean {
  return calm?.matches ?? false;
}

/** A media query; undefined where there is no screen, as in tests. */
export function media(query: string): MediaQueryList | undefined {
  return typeof matchMedia === 'function' ? matchMedia(query) : undefined;
}
