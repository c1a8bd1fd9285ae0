import { Show, type JSX } from 'solid-js';
import { MARKS } from '../map/shapes';
import type { PostType } from '../model/events';
import type { PageState } from '../model/state';

/** What each state looks like without its colour. Drawn in a box of 12 by 12. */
const STATE_PATHS: Record<PageState, string> = {
  connecting: 'M6 2a4 4 0 1 0 4 4',
  live: 'M6 3.5a2.5 2.5 0 1 1 0 5a2.5 2.5 0 1 1 0-5z',
  lagging: 'M6 1.8a4.2 4.2 0 1 1 0 8.4a4.2 4.2 0 1 1 0-8.4zM6 3.6V6l1.8 1.2',
  paused: 'M4 2.5v7M8 2.5v7',
  reconnecting: 'M10 3v2.6H7.4M10 5.6A4.2 4.2 0 1 0 9.6 8',
  offline: 'M3 3l6 6M9 3l-6 6',
  empty: 'M6 2.5a3.5 3.5 0 1 1 0 7a3.5 3.5 0 1 1 0-7z',
  quiet: 'M2.5 6h7',
  down: 'M6 2v5M6 9.4v.4',
  replay: 'M6.5 3L3 6l3.5 3zM10 3L6.5 6L10 9z',
  signin: 'M4 5.5V4a2 2 0 0 1 4 0v1.5M3 5.5h6v4H3z',
  refused: 'M4 4.5a2 2 0 1 1 2 2v1M6 9.6v.2',
};

/** The icon of a state, in the colour of the text around it. */
export function StateIcon(props: { state: PageState }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 12 12" aria-hidden="true">
      <path d={STATE_PATHS[props.state]} />
    </svg>
  );
}

/** The mark of a kind of post, as the map draws it. */
export function Mark(props: { type: PostType }): JSX.Element {
  return (
    <svg class={`mark ${props.type}`} viewBox="-4 -4 8 8" aria-hidden="true">
      <path d={MARKS[props.type]} />
    </svg>
  );
}

/** The product's sign: a blip. */
export function Sign(): JSX.Element {
  return (
    <svg class="sign" viewBox="-9 -9 18 18" aria-hidden="true">
      <circle class="halo" r="8.5" />
      <circle r="4.8" />
    </svg>
  );
}

const THEME_PATHS = {
  system: 'M8 2a6 6 0 1 1 0 12a6 6 0 1 1 0-12zM8 2v12',
  light:
    'M8 5a3 3 0 1 1 0 6a3 3 0 1 1 0-6zM8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3.05 3.05l1.13 1.13M11.8 11.8l1.15 1.15M12.95 3.05L11.8 4.18M4.18 11.8l-1.13 1.15',
  dark: 'M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8A5.6 5.6 0 1 0 13.2 9.6z',
};

/** The icon of a theme. */
export function ThemeIcon(props: { theme: keyof typeof THEME_PATHS }): JSX.Element {
  return (
    <svg class="icon theme" viewBox="0 0 16 16" aria-hidden="true">
      <path d={THEME_PATHS[props.theme]} />
      <Show when={props.theme === 'system'}>
        <path class="half" d="M8 2a6 6 0 0 1 0 12z" />
      </Show>
    </svg>
  );
}

/** Back in time. */
export function ReplayIcon(): JSX.Element {
  return (
    <svg class="icon theme" viewBox="0 0 16 16" aria-hidden="true">
      <path d="M3 3v3.4h3.4M3.3 6.4A5.4 5.4 0 1 1 2.6 9M8 5.4V8.4l2 1.4" />
    </svg>
  );
}

/** Pause or play. */
export function PauseIcon(props: { paused: boolean }): JSX.Element {
  return (
    <svg class="icon solid" viewBox="0 0 12 12" aria-hidden="true">
      <path d={props.paused ? 'M3 1.8L10 6L3 10.2z' : 'M2.8 2h2.2v8H2.8zM7 2h2.2v8H7z'} />
    </svg>
  );
}
