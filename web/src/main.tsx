import { render } from 'solid-js/web';
import './styles/index.css';
import { App } from './ui/App';
import { pageOf } from './ui/page';
import { applyTheme, storedTheme } from './ui/theme';

applyTheme(storedTheme());
const root = document.getElementById('root');
if (root) render(() => <App page={pageOf(location)} />, root);
