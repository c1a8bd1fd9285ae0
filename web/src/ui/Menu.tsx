import { createSignal, For, Show, type JSX } from 'solid-js';
import { chooseLanguage, chosenLanguage, LANGUAGES, linkTo, nameOf } from '../i18n/languages';
import { t } from '../i18n/words';
import type { WorldMap } from '../map/worldmap';
import type { FeedView, View } from '../model/session';
import { Announcer } from './Announcer';
import { blipsCsv, download, mapPicture, postsCsv, postsNdjson } from './export';
import { moment } from './format';
import { chooseMotion, isCalm } from './motion';
import type { Page } from './page';
import { SignOut } from './SignIn';

interface Props {
  page: Page;
  view: View;
  feed: FeedView;
  map: WorldMap | undefined;
  openHelp: () => void;
}

/** What is seldom needed: exports, a wall's view, less motion, the language, help. */
export function Menu(props: Props): JSX.Element {
  let details!: HTMLDetailsElement;
  const [announces, setAnnounces] = createSignal(false);
  const close = (event: FocusEvent) => {
    if (!details.contains(event.relatedTarget as Node | null)) details.open = false;
  };
  const escape = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || !details.open) return;
    event.stopPropagation();
    details.open = false;
    details.querySelector('summary')?.focus();
  };
  return (
    <>
      <details class="menu" ref={details} onFocusOut={close} onKeyDown={escape}>
        <summary class="tool" aria-label={t('More')} title={t('More')}>
          ⋯
        </summary>
        {/* Takes the focus from a click on words: without it that would leave the menu, and close it. */}
        <div class="sheet" tabindex="-1">
          <Exports {...props} />
          <label>
            <input type="checkbox" checked={isCalm()} onChange={(event) => chooseMotion(event.currentTarget.checked)} />
            {t('Less motion')}
          </label>
          <label>
            <input type="checkbox" onChange={(event) => setAnnounces(event.currentTarget.checked)} />
            {t('Read figures aloud')}
          </label>
          <Language />
          <a href={linkTo('/?kiosk=1')}>{t('For a screen on a wall')}</a>
          <button type="button" onClick={() => props.openHelp()}>
            {t('Keys')} <kbd>?</kbd>
          </button>
          <SignOut />
        </div>
      </details>
      <Show when={announces()}>
        <Announcer view={props.view} />
      </Show>
    </>
  );
}

/** The page's language, each by the name it gives itself. */
function Language(): JSX.Element {
  return (
    <label>
      {t('Language')}
      <select onChange={(event) => chooseLanguage(event.currentTarget.value)}>
        <option value="">{t('the browser’s')}</option>
        <For each={LANGUAGES}>
          {(code) => (
            <option value={code} lang={code} selected={code === chosenLanguage()}>
              {nameOf(code)}
            </option>
          )}
        </For>
      </select>
    </label>
  );
}

function Exports(props: Props): JSX.Element {
  const save = (name: string, type: string, text: string) => download(name, new Blob([text], { type }));
  const picture = async (map: WorldMap) => {
    const made = await mapPicture(map, t('Blipstream · {time} · Map: Natural Earth', { time: moment(Date.now()) }));
    if (made) download('png', made);
  };
  return (
    <>
      <Show when={props.map}>
        {(map) => (
          <>
            <button type="button" onClick={() => void picture(map())}>
              {t('Save the map as PNG')}
            </button>
            <button type="button" onClick={() => save('positions.csv', 'text/csv', blipsCsv(map().positions()))}>
              {t('Save positions as CSV')}
            </button>
          </>
        )}
      </Show>
      <Show when={props.page.feed}>
        <button type="button" onClick={() => save('csv', 'text/csv', postsCsv(props.feed.rows))}>
          {t('Save posts as CSV')}
        </button>
        <button type="button" onClick={() => save('ndjson', 'application/x-ndjson', postsNdjson(props.feed.rows))}>
          {t('Save posts as NDJSON')}
        </button>
      </Show>
    </>
  );
}
