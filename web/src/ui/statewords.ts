import { t } from '../i18n/words';
import type { View } from '../model/session';
import type { PageState } from '../model/state';
import { atMost999, clock, count, duration, seconds, tn } from './format';
import { unnamed } from './partwords';

/** The state in a few words, for the pill. */
export function pillWords(view: View, limited: boolean, speed: number): string {
  const words: Record<PageState, () => string> = {
    connecting: () => t('Connecting'),
    live: () => t('Live'),
    lagging: () => behind(view),
    paused: () => tn(view.pausedCount, 'Paused · {n} held', 'Paused · {n} held'),
    replay: () => t('Replay {time}, {speed}×', { time: clock(view.now), speed: count(speed) }),
    reconnecting: () => reconnecting(view),
    offline: () => t('Offline'),
    signin: () => t('Sign in needed'),
    refused: () => t('Filter not understood'),
    empty: () => (limited ? t('No posts match') : t('No posts yet')),
    quiet: () => (limited ? t('No posts match') : t('Source quiet')),
    down: () => t('Source down'),
  };
  return words[view.state]();
}

/** The state for the ears, without figures that would change all the time. */
export function spoken(state: PageState): string {
  const words: Record<PageState, string> = {
    connecting: t('Connecting'),
    live: t('Live'),
    lagging: t('Posts arrive late'),
    paused: t('Paused'),
    replay: t('Replaying the past'),
    reconnecting: t('Connection lost, reconnecting'),
    offline: t('Offline'),
    signin: t('Sign in needed'),
    refused: t('The filter is not understood'),
    empty: t('Connected, no posts yet'),
    quiet: t('Connected, the source is quiet'),
    down: t('Connected, the source is down'),
  };
  return words[state];
}

function behind({ stats }: View): string {
  const late = duration(stats.latency?.p95 ?? 0);
  return stats.backlog ? t('{time} behind, backlog {n}', { time: late, n: count(stats.backlog) }) : t('{time} behind', { time: late });
}

function reconnecting({ status }: View): string {
  if (status.phase !== 'waiting') return t('Reconnecting');
  const left = Math.ceil((status.until - Date.now()) / 1_000);
  return left > 0 ? t('Reconnecting in {time}', { time: seconds(atMost999(left)) }) : t('Reconnecting');
}

/** Why nothing new is to be seen, in a sentence; "" while all is well. */
export function reasonOf(view: View, limited: boolean): string {
  const { status } = view;
  const nothing = limited ? t('No posts match this filter at the moment.') : '';
  const why = status.phase === 'refused' ? status.detail : '';
  const reasons: Record<PageState, string> = {
    connecting: '',
    live: nothing || t('The next post will appear here.'),
    lagging: nothing || t('The next post will appear here.'),
    paused: t('Paused. Posts wait until you resume.'),
    replay: nothing || t('Looking for posts of that time.'),
    reconnecting: t('The connection is lost. It comes back by itself.'),
    offline: t('This device is offline. It goes on when it is back.'),
    signin: why ? t('Sign in to read this: {why}.', { why }) : t('Sign in to read this.'),
    refused: why ? t('The filter was not understood: {why}.', { why }) : t('The filter was not understood.'),
    empty: nothing || t('Connected. The first post will appear here.'),
    quiet: nothing || t('The source has sent nothing for {time}; the pipeline is healthy.', { time: silence(view) }),
    down: down(view),
  };
  return reasons[view.state];
}

function silence({ eventAt }: View): string {
  return duration(Date.now() - eventAt);
}

function down({ stats, now }: View): string {
  const [source] = stats.parts.filter(({ name }) => name.startsWith('ingest.'));
  if (!source) return t('The source is down, so nothing new comes in. The rest of the line is up.');
  return t('The source is down ({why}), so nothing new comes in. The rest of the line is up.', { why: unnamed(source, now) });
}

/** What a person can do about the state; undefined if there is nothing. */
export function actionOf(
  { state }: View,
  limited: boolean,
  ways: { retry: () => void; clear: () => void },
): { text: string; run: () => void } | undefined {
  if (state === 'signin') return { text: t('Try again'), run: ways.retry };
  if (limited && ['live', 'empty', 'quiet', 'refused'].includes(state)) return { text: t('Clear filters'), run: ways.clear };
  return undefined;
}
