import { keep, stored } from './motion';

/** A colour scheme: one of two, or what the system says. */
export type Theme = 'system' | 'light' | 'dark';

const KEY = 'blipstream.theme';
const ORDER: Theme[] = ['system', 'light', 'dark'];

/** The theme chosen on an earlier visit. */
export function storedTheme(): Theme {
  const theme = stored(KEY) as Theme | null;
  return theme && ORDER.includes(theme) ? theme : 'system';
}

/** Shows a theme: the style sheets follow an attribute of the root element. */
export function applyTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** Shows a theme and remembers it. */
export function chooseTheme(theme: Theme): void {
  applyTheme(theme);
  keep(KEY, theme);
}

/** The theme that a press of the button leads to. */
export function nextTheme(theme: Theme): Theme {
  return ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length] ?? 'system';
}
