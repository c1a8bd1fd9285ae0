const query = typeof matchMedia === 'function' ? matchMedia('(prefers-reduced-motion: reduce)') : undefined;

/** Reports whether the person asked the system for less motion; may change while the page is open. */
export function isCalm(): boolean {
  return query?.matches ?? false;
}
