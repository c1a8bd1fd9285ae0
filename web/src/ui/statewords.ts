import type { View } from '../model/session';
import type { PageState } from '../model/state';
import { atMost999, clock, count, duration } from './format';
import { labelOf, line } from './partwords';

/** The state in a few words, for the pill. */
export function pillWords(view: View, limited: boolean, speed: number): string {
  const words: Record<PageState, () => string> = {
    connecting: () => 'Connecting',
    live: () => 'Live',
    lagging: () => behind(view),
    paused: () => `Paused · ${count(view.pausedCount)} held`,
    replay: () => `Replay ${clock(view.now)}, ${speed}×`,
    reconnecting: () => reconnecting(view),
    offline: () => 'Offline',
    signin: () => 'Sign in needed',
    refused: () => 'Filter not understood',
    empty: () => (limited ? 'No posts match' : 'No posts yet'),
    quiet: () => (limited ? 'No posts match' : 'Source quiet'),
    down: () => 'Source down',
  };
  return words[view.state]();
}

/** The state for the ears, without figures that would change all the time. */
export const SPOKEN: Record<PageState, string> = {
  connecting: 'Connecting',
  live: 'Live',
  lagging: 'Posts arrive late',
  paused: 'Paused',
  replay: 'Replaying the past',
  reconnecting: 'Connection lost, reconnecting',
  offline: 'Offline',
  signin: 'Sign in needed',
  refused: 'The filter is not understood',
  empty: 'Connected, no posts yet',
  quiet: 'Connected, the source is quiet',
  down: 'Connected, the source is down',
};

function behind({ stats }: View): string {
  const late = `${duration(stats.latency?.p95 ?? 0)} behind`;
  return stats.backlog ? `${late}, backlog ${count(stats.backlog)}` : late;
}

function reconnecting({ status }: View): string {
  if (status.phase !== 'waiting') return 'Reconnecting';
  const left = Math.ceil((status.until - Date.now()) / 1_000);
  return left > 0 ? `Reconnecting in ${atMost999(left)} s` : 'Reconnecting';
}

/** Why nothing new is to be seen, in a sentence; "" while all is well. */
export function reasonOf(view: View, limited: boolean): string {
  const { status } = view;
  const nothing = limited ? 'No posts match this filter at the moment.' : '';
  const reasons: Record<PageState, string> = {
    connecting: '',
    live: nothing || 'The next post will appear here.',
    lagging: nothing || 'The next post will appear here.',
    paused: 'Paused. Posts wait until you resume.',
    replay: nothing || 'Looking for posts of that time.',
    reconnecting: 'The connection is lost. It comes back by itself.',
    offline: 'This device is offline. It goes on when it is back.',
    signin: `Sign in to read this${status.phase === 'refused' && status.detail ? `: ${status.detail}.` : '.'}`,
    refused: `The filter was not understood${status.phase === 'refused' ? `: ${status.detail}.` : '.'}`,
    empty: nothing || 'Connected. The first post will appear here.',
    quiet: nothing || `The source has sent nothing for ${silence(view)}; the pipeline is healthy.`,
    down: down(view),
  };
  return reasons[view.state];
}

function silence({ eventAt }: View): string {
  return duration(Date.now() - eventAt);
}

function down({ stats, now }: View): string {
  const [source] = stats.parts.filter(({ name }) => name.startsWith('ingest.'));
  const why = source ? line(source, now).slice(labelOf(source).length + 2) : '';
  return `The source is down${why ? ` (${why})` : ''}, so nothing new comes in. The rest of the line is up.`;
}

/** What a person can do about the state; undefined if there is nothing. */
export function actionOf(
  { state }: View,
  limited: boolean,
  ways: { retry: () => void; clear: () => void },
): { text: string; run: () => void } | undefined {
  if (state === 'signin') return { text: 'Try again', run: ways.retry };
  if (limited && ['live', 'empty', 'quiet', 'refused'].includes(state)) return { text: 'Clear filters', run: ways.clear };
  return undefined;
}
