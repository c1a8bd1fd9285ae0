import { render } from 'solid-js/web';
import './styles/index.css';
import { learnLanguage } from './i18n/languages';
import { App } from './ui/App';
import { applyStoredMotion } from './ui/motion';
import { pageOf } from './ui/page';
import { applyTheme, storedTheme } from './ui/theme';

applyTheme(storedTheme());
applyStoredMotion();
const root = document.getElementById('root');
void learnLanguage().then(() => root && render(() => <App page={pageOf(location)} />, root));
