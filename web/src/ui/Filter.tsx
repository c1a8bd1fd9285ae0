import { For, Show, type JSX } from 'solid-js';
import { t } from '../i18n/words';
import type { Stats } from '../model/stats';
import { isEmpty, LISTS, typed } from '../stream/query';
import type { Choices } from './choices';
import { limitText } from './limits';

/** The field that limits the page, and what it is limited to, each to be taken away again. */
export function FilterBar(props: { choices: Choices; stats: Stats }): JSX.Element {
  let input!: HTMLInputElement;
  const apply = () => {
    props.choices.setFilter(typed(input.value, props.choices.filter()));
    // What became a chip leaves the field; the same words do not come back by themselves.
    input.value = props.choices.filter().q;
  };
  return (
    <search class="filter">
      <input
        ref={input}
        type="search"
        enterkeyhint="search"
        autocomplete="off"
        spellcheck={false}
        maxlength={200}
        list="filter-ideas"
        aria-label={t('Filter')}
        aria-keyshortcuts="/"
        placeholder={t('Filter: words, @user, country:jp')}
        value={props.choices.filter().q}
        onChange={apply}
        onKeyDown={(event) => event.key === 'Escape' && input.blur()}
      />
      <datalist id="filter-ideas">
        <For each={ideas(props.stats)}>{(idea) => <option value={idea} />}</For>
      </datalist>
      <Show when={!isEmpty(props.choices.filter())}>
        <Chips choices={props.choices} />
      </Show>
    </search>
  );
}

/** What is there to be filtered by, as it would be typed. */
function ideas({ sources, windows }: Stats): string[] {
  const recent = windows[5];
  const names = (name: string, rows: { name: string }[] = []) => rows.slice(0, 5).map((row) => `${name}:${row.name.toLowerCase()}`);
  return [
    ...names('country', recent?.countries),
    ...names('lang', recent?.langs),
    ...['post', 'reply', 'repost'].map((type) => `type:${type}`),
    ...(sources.length > 1 ? sources.map((source) => `source:${source}`) : []),
    ...(recent?.tags ?? []).slice(0, 5).map(({ name }) => `#${name}`),
  ];
}

function Chips(props: { choices: Choices }): JSX.Element {
  const chips = () => LISTS.flatMap((name) => props.choices.filter()[name].map((value) => ({ name, value })));
  const dropWords = () => props.choices.setFilter({ ...props.choices.filter(), q: '' });
  return (
    <p class="chips">
      <span class="aside">{t('Only')}</span>
      <For each={chips()}>
        {({ name, value }) => (
          <Limit text={limitText(name, value)} drop={() => props.choices.toggle(name, value)} />
        )}
      </For>
      <Show when={props.choices.filter().q}>{(q) => <Limit text={`“${q()}”`} drop={dropWords} />}</Show>
      <button type="button" class="link" onClick={() => props.choices.clear()}>
        {t('Clear all')}
      </button>
    </p>
  );
}

function Limit(props: { text: string; drop: () => void }): JSX.Element {
  return (
    <button type="button" class="limit" aria-label={t('Remove filter {what}', { what: props.text })} onClick={() => props.drop()}>
      <bdi>{props.text}</bdi>
      <span aria-hidden="true">×</span>
    </button>
  );
}
