import { Show, type JSX } from 'solid-js';
import { t } from '../i18n/words';
import type { View } from '../model/session';
import { isEmpty } from '../stream/query';
import type { Choices } from './choices';
import { StateIcon } from './icons';
import { pillWords, spoken } from './statewords';

/** Tells the one state that matters, in words, colour and shape, and offers the way out. */
export function Pill(props: { view: View; choices: Choices; retry: () => void }): JSX.Element {
  const words = () => pillWords(props.view, !isEmpty(props.choices.filter()), props.choices.replay()?.speed ?? 1);
  return (
    <div class="pill-group">
      <span class="pill" data-state={props.view.state}>
        <StateIcon state={props.view.state} />
        <span>{words()}</span>
      </span>
      <Show when={props.view.status.phase === 'waiting'}>
        <button type="button" class="link" onClick={() => props.retry()}>
          {t('Retry now')}
        </button>
      </Show>
      <Show when={props.view.replay}>
        <button type="button" class="link" onClick={() => props.choices.setReplay(undefined)}>
          {t('Back to live')}
        </button>
      </Show>
      {/* The state alone is announced: a countdown read aloud would never end. */}
      <span class="unseen" role="status">
        {spoken(props.view.state)}
      </span>
    </div>
  );
}
