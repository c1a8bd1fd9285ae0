import { createEffect, createSignal, type JSX } from 'solid-js';
import { listed } from '../i18n/words';
import type { View } from '../model/session';
import { country, tn } from './format';

/** How often the figures may be read aloud, in milliseconds. */
const EVERY_MS = 15_000;

/** Reads the figures aloud now and then, for who has asked for it. */
export function Announcer(props: { view: View }): JSX.Element {
  const [words, setWords] = createSignal('');
  let saidAt = Number.NEGATIVE_INFINITY;
  createEffect(() => {
    const said = about(props.view);
    if (performance.now() - saidAt < EVERY_MS) return;
    saidAt = performance.now();
    setWords(said);
  });
  return (
    <p class="unseen" role="status">
      {words()}
    </p>
  );
}

function about({ figures, stats }: View): string {
  const places = (stats.windows[1]?.countries ?? []).slice(0, 2).map(({ name }) => country(name));
  const n = Math.round(figures.rate ?? stats.rate);
  if (places.length === 0) return tn(n, 'About {n} event a second.', 'About {n} events a second.');
  return tn(n, 'About {n} event a second; most from {places}.', 'About {n} events a second; most from {places}.', { places: listed(places) });
}
