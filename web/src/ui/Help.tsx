import { createEffect, For, type JSX } from 'solid-js';
import { t } from '../i18n/words';

const keys = (): [keys: string[], does: string][] => [
  [[t('Space')], t('Pause and resume everything')],
  [['/'], t('Filter by words, @user, country:jp, lang:ja, type:reply')],
  [[t('Esc')], t('Clear all filters')],
  [['r'], t('Replay: see the last minutes or hours again')],
  [['j', 'k'], t('Next and previous post')],
  [['1', '2', '3', '4'], t('Map as blips, glow, countries, table')],
  [['m'], t('The next of these')],
  [['←', '→', '↑', '↓'], t('Move the map, with the focus on it')],
  [['+', '−', '0'], t('Zoom the map in, out, and back')],
  [['?'], t('This help')],
];

/** What the keys do. */
export function Help(props: { open: boolean; close: () => void }): JSX.Element {
  let dialog!: HTMLDialogElement;
  createEffect(() => {
    if (props.open && !dialog.open) dialog.showModal();
  });
  return (
    <dialog class="help" aria-labelledby="help-title" ref={dialog} onClose={() => props.close()}>
      <h2 id="help-title">{t('Keyboard')}</h2>
      <dl>
        <For each={keys()}>
          {([caps, does]) => (
            <div>
              <dt>
                <For each={caps}>{(key) => <kbd>{key}</kbd>}</For>
              </dt>
              <dd>{does}</dd>
            </div>
          )}
        </For>
      </dl>
      <p class="aside">{t('Click a country, on the map or in a list, to see only what comes from there.')}</p>
      <form method="dialog">
        <button type="submit" class="tool">
          {t('Close')}
        </button>
      </form>
    </dialog>
  );
}
