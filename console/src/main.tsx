import { render } from 'preact';
import { App } from './app.tsx';
import { applyTheme } from './ui/theme.ts';
import { Speaking } from './text/say.tsx';
import './style.css';

applyTheme();
const root = document.getElementById('console');
if (root !== null) {
  render(
    <Speaking>
      <App />
    </Speaking>,
    root,
  );
}
