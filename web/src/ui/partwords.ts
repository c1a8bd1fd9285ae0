import type { Part } from '../model/parts';
import { QUIET_MS } from '../model/state';
import { count, counted, duration } from './format';

/** What a person calls a part: a source by its name, the bridge by what is behind it. */
export function labelOf({ name }: Part): string {
  return name === 'bridge' ? 'Redis' : name.replace(/^ingest\./, '');
}

const STATES: Record<string, string> = {
  away: 'away',
  stalled: 'silent, connecting again',
  done: 'ended',
};

/** Why a source waits; the words of the gateway's contract on the left. */
const CAUSES: Record<string, string> = {
  network: 'no connection',
  http: 'refused',
  rate_limited: 'rate limited',
};

/** How a part is, in words that stay while the state does. */
export function situation(part: Part): string {
  if (part.state === 'working') return part.detail || 'working';
  if (part.state === 'backoff') return CAUSES[part.detail] ?? 'backing off';
  return STATES[part.state] ?? part.state;
}

/** The line for a part at a moment of the gateway's clock. */
export function line(part: Part, now: number): string {
  if (part.name === 'bridge' && part.state === 'away') return 'Redis away';
  return [`${labelOf(part)}: ${situation(part)}`, next(part, now), last(part, now)].filter(Boolean).join(', ');
}

/** What a source has lost and been through since its process began; "" if that is nothing. */
export function losses({ reconnects, missed, gaps }: Part): string {
  return [
    reconnects > 0 ? counted(reconnects, 'reconnect', 'reconnects') : '',
    missed > 0 ? `${count(missed)} held back upstream` : '',
    gaps > 0 ? counted(gaps, 'gap', 'gaps') : '',
  ]
    .filter(Boolean)
    .join(' · ');
}

/** All there is to know of a source, for whoever points at it; "" for what is none. */
export function detail(part: Part, now: number): string {
  if (!part.name.startsWith('ingest.')) return '';
  const item = part.itemAt ? `Last item ${duration(Math.max(0, now - part.itemAt))} ago` : 'No item yet';
  const tolls = [`reconnects ${count(part.reconnects)}`, `held back upstream ${count(part.missed)}`, `gaps ${count(part.gaps)}`];
  return `${item}. Since it was started: ${tolls.join(', ')}.`;
}

function next({ retryAt }: Part, now: number): string {
  if (!retryAt) return '';
  const left = Math.ceil((retryAt - now) / 1_000);
  if (left <= 0) return 'trying again';
  return left < 120 ? `next try in ${left} s` : `next try in ${Math.ceil(left / 60)} min`;
}

/** A live source that has been silent for long says since when. */
function last({ state, itemAt }: Part, now: number): string {
  return state === 'live' && itemAt && now - itemAt > QUIET_MS ? `last item ${duration(now - itemAt)} ago` : '';
}
