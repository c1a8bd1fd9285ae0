/** A colour scheme: one of two, or what the system says. */
export type Theme = 'system' | 'light' | 'dark';

const KEY = 'blipstream.theme';
const ORDER: Theme[] = ['system', 'light', 'dark'];

/** The theme chosen on an earlier visit; storage may be switched off. */
export function storedTheme(): Theme {
  try {
    const stored = localStorage.getItem(KEY) as Theme | null;
    return stored && ORDER.includes(stored) ? stored : 'system';
  } catch {
    return 'system';
  }
}

/** Shows a theme: the style sheets follow an attribute of the root element. */
export function applyTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** Shows a theme and remembers it. */
export function chooseTheme(theme: Theme): void {
  applyTheme(theme);
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

/** The theme that a press of the button leads to. */
export function nextTheme(theme: Theme): Theme {
  return ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length] ?? 'system';
}
