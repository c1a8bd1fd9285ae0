import { For, Show, type JSX } from 'solid-js';
import { t } from '../i18n/words';
import { isTrouble, moodOf, type Part } from '../model/parts';
import { detail, line, losses, named } from './partwords';

/** How the parts before the gateway are, a few words each; what was heard before the connection was lost says so. */
export function Parts(props: { parts: Part[]; now: number; lost: boolean }): JSX.Element {
  return (
    <Show when={props.parts.length > 0}>
      <section class="parts" classList={{ lost: props.lost }} aria-label={t('Sources and connections')}>
        <Show when={props.lost}>
          <span>{t('when last heard')}</span>
        </Show>
        <ul>
          <For each={props.parts}>
            {(part) => (
              <li data-mood={moodOf(part)} title={detail(part, props.now)}>
                <span class="dot" aria-hidden="true" />
                {line(part, props.now)}
                <Show when={losses(part)}>{(words) => <span class="losses">{words()}</span>}</Show>
              </li>
            )}
          </For>
        </ul>
      </section>
    </Show>
  );
}

/** Trouble for the ears, without countdowns. It must be there before there is any. */
export function SpokenTrouble(props: { parts: Part[] }): JSX.Element {
  const words = () => props.parts.filter(isTrouble).map(named);
  return (
    <span class="unseen" role="status">
      {words().join('. ')}
    </span>
  );
}
