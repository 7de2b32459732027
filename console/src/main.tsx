import { options, render } from 'preact';
import { App } from './app.tsx';
import { applyTheme } from './ui/theme.ts';
import { Speaking } from './text/say.tsx';
import './style.css';

// Effects run as soon as the page has changed. Preact's own come behind the picture, and miss what somebody has typed or clicked by then.
options.requestAnimationFrame = (runEffects) => {
  queueMicrotask(runEffects);
};

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
