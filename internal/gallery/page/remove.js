// Deleting an original, as any S3 client does it.
import { $, say } from './dom.js';
import { ask, reason, server } from './store.js';

const dialog = $('remove');
let item;

export function askToRemove(what) {
  if (what.file) return; // it is not there yet
  item = what;
  const { bucket, settings } = server.about;
  $('remove-what').textContent = `s3://${bucket}/${item.key}`;
  $('remove-rest').textContent = !item.made.length ? '' : settings.RESIZE_DELETE === 'on' ? 'Its renditions go with it.' : 'Its renditions stay, because RESIZE_DELETE is off.';
  $('remove-error').textContent = '';
  dialog.showModal();
}

$('remove-form').onsubmit = async (event) => {
  event.preventDefault();
  try {
    const { url } = await (await ask('POST', 'deletions', { key: item.key })).json();
    const answer = await fetch(url, { method: 'DELETE' });
    if (!answer.ok) throw new Error(await reason(answer));
    dialog.close(); // the card goes when the server tells so
    say(`Deleted: ${item.key}`);
  } catch (error) { $('remove-error').textContent = `It was not deleted: ${error.message}`; }
};
$('remove-cancel').onclick = () => dialog.close();
