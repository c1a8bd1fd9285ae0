import { Show, type JSX } from 'solid-js';
import type { View } from '../model/session';
import { atMost999, count, duration } from './format';
import { StateIcon } from './icons';

/** Tells the one state that matters, in words, colour and shape, and offers the way out. */
export function Pill(props: { view: View; retry: () => void }): JSX.Element {
  return (
    <div class="pill-group">
      <span class="pill" data-state={props.view.state}>
        <StateIcon state={props.view.state} />
        <span>{words(props.view)}</span>
      </span>
      <Show when={props.view.status.phase === 'waiting'}>
        <button type="button" class="link" onClick={() => props.retry()}>
          Retry now
        </button>
      </Show>
      {/* The state alone is announced: a countdown read aloud would never end. */}
      <span class="unseen" role="status">
        {SPOKEN[props.view.state]}
      </span>
    </div>
  );
}

const SPOKEN: Record<View['state'], string> = {
  connecting: 'Connecting',
  live: 'Live',
  lagging: 'Posts arrive late',
  paused: 'Paused',
  reconnecting: 'Connection lost, reconnecting',
  offline: 'Offline',
  empty: 'Connected, no posts yet',
  quiet: 'Connected, the source is quiet',
};

function words(view: View): string {
  switch (view.state) {
    case 'connecting':
      return 'Connecting';
    case 'live':
      return 'Live';
    case 'lagging':
      return `${duration(view.figures.latency?.p50 ?? 0)} behind`;
    case 'paused':
      return `Paused · ${count(view.pausedCount)} held`;
    case 'reconnecting':
      return reconnecting(view);
    case 'offline':
      return 'Offline';
    case 'empty':
      return 'No posts yet';
    case 'quiet':
      return 'Source quiet';
  }
}

function reconnecting({ status }: View): string {
  if (status.phase !== 'waiting') return 'Reconnecting';
  const left = Math.ceil((status.until - Date.now()) / 1_000);
  return left > 0 ? `Reconnecting in ${atMost999(left)} s` : 'Reconnecting';
}
