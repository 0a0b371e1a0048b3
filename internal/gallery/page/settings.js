// The settings in force, three of which can be changed until the next start.
import { $, make, say } from './dom.js';
import { ask, server } from './store.js';

const form = $('settings-form'), changeable = ['sizes', 'formats', 'quality'];

export function showSettings({ settings, says }) {
  $('settings-all').tBodies[0].replaceChildren(...Object.entries(settings).sort().map(([name, value]) =>
    make('tr', { title: says[name] }, make('th', { scope: 'row', className: 'num' }, name), make('td', { className: 'num' }, value || '–'))));
}

$('open-settings').onclick = () => {
  for (const name of changeable) form[name].value = server.about?.settings[`RESIZE_${name.toUpperCase()}`] ?? '';
  $('settings-error').textContent = '';
  $('settings').showModal();
};

form.onsubmit = async (event) => {
  event.preventDefault();
  try {
    await ask('PUT', 'settings', Object.fromEntries(changeable.map((name) => [name, form[name].value])));
    $('settings').close();
    say('Applied');
  } catch (error) { $('settings-error').textContent = error.message; }
};
