import { createEffect, For, type JSX } from 'solid-js';

const KEYS: [keys: string[], does: string][] = [
  [['Space'], 'Pause and resume everything'],
  [['/'], 'Filter by words, @user, country:jp, lang:ja, type:reply'],
  [['Esc'], 'Clear all filters'],
  [['r'], 'Replay: see the last minutes or hours again'],
  [['j', 'k'], 'Next and previous post'],
  [['1', '2', '3', '4'], 'Map as blips, glow, countries, table'],
  [['m'], 'The next of these'],
  [['←', '→', '↑', '↓'], 'Move the map, with the focus on it'],
  [['+', '−', '0'], 'Zoom the map in, out, and back'],
  [['?'], 'This help'],
];

/** What the keys do. */
export function Help(props: { open: boolean; close: () => void }): JSX.Element {
  let dialog!: HTMLDialogElement;
  createEffect(() => {
    if (props.open && !dialog.open) dialog.showModal();
  });
  return (
    <dialog class="help" aria-labelledby="help-title" ref={dialog} onClose={() => props.close()}>
      <h2 id="help-title">Keyboard</h2>
      <dl>
        <For each={KEYS}>
          {([keys, does]) => (
            <div>
              <dt>
                <For each={keys}>{(key) => <kbd>{key}</kbd>}</For>
              </dt>
              <dd>{does}</dd>
            </div>
          )}
        </For>
      </dl>
      <p class="aside">Click a country, on the map or in a list, to see only what comes from there.</p>
      <form method="dialog">
        <button type="submit" class="tool">
          Close
        </button>
      </form>
    </dialog>
  );
}
