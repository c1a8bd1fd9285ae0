import { t } from '../i18n/words';
import type { Part } from '../model/parts';
import { QUIET_MS } from '../model/state';
import { count, duration, minutes, seconds, tn } from './format';

/** What a person calls a part: a source by its name, the bridge by what is behind it. */
function labelOf({ name }: Part): string {
  return name === 'bridge' ? 'Redis' : name.replace(/^ingest\./, '');
}

/** What states are called; the words of the gateway's contract on the left. */
function stateOf(state: string): string {
  const states: Record<string, string> = {
    connecting: t('connecting'),
    live: t('live'),
    stalled: t('silent, connecting again'),
    failed: t('failed'),
    done: t('ended'),
    working: t('working'),
    away: t('away'),
  };
  return states[state] ?? state;
}

/** Why a source waits; the words of the gateway's contract on the left. */
function causeOf(cause: string): string {
  const causes: Record<string, string> = {
    network: t('no connection'),
    http: t('refused'),
    rate_limited: t('rate limited'),
  };
  return causes[cause] ?? t('backing off');
}

/** How a part is, in words that stay while the state does. */
function situation({ state, detail: words }: Part): string {
  if (state === 'working') return words || stateOf(state);
  return state === 'backoff' ? causeOf(words) : stateOf(state);
}

/** How a part is, by its name. */
export function named(part: Part): string {
  return t('{part}: {state}', { part: labelOf(part), state: situation(part) });
}

/** The line for a part at a moment of the gateway's clock. */
export function line(part: Part, now: number): string {
  if (part.name === 'bridge' && part.state === 'away') return t('Redis away');
  return joined(named(part), next(part, now), last(part, now));
}

/** The same without its name. */
export function unnamed(part: Part, now: number): string {
  return joined(situation(part), next(part, now), last(part, now));
}

function joined(...phrases: string[]): string {
  return phrases.filter(Boolean).reduce((a, b) => t('{a}, {b}', { a, b }));
}

/** What a source has lost and been through since its process began; "" if that is nothing. */
export function losses({ reconnects, missed, gaps }: Part): string {
  return [
    reconnects > 0 ? tn(reconnects, '{n} reconnect', '{n} reconnects') : '',
    missed > 0 ? tn(missed, '{n} held back upstream', '{n} held back upstream') : '',
    gaps > 0 ? tn(gaps, '{n} gap', '{n} gaps') : '',
  ]
    .filter(Boolean)
    .join(' · ');
}

/** All there is to know of a source, for whoever points at it; "" for what is none. */
export function detail(part: Part, now: number): string {
  if (!part.name.startsWith('ingest.')) return '';
  const item = part.itemAt ? t('Last item {age} ago.', { age: duration(Math.max(0, now - part.itemAt)) }) : t('No item yet.');
  const [reconnects, missed, gaps] = [count(part.reconnects), count(part.missed), count(part.gaps)];
  return `${item} ${t('Since it was started: reconnects {reconnects}, held back upstream {missed}, gaps {gaps}.', { reconnects, missed, gaps })}`;
}

function next({ retryAt }: Part, now: number): string {
  if (!retryAt) return '';
  const left = Math.ceil((retryAt - now) / 1_000);
  if (left <= 0) return t('trying again');
  return t('next try in {time}', { time: left < 120 ? seconds(count(left)) : minutes(Math.ceil(left / 60)) });
}

/** A live source that has been silent for long says since when. */
function last({ state, itemAt }: Part, now: number): string {
  return state === 'live' && itemAt && now - itemAt > QUIET_MS ? t('last item {age} ago', { age: duration(now - itemAt) }) : '';
}
