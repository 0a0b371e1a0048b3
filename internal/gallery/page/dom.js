// What every module draws with.

export const $ = (id) => document.getElementById(id);

// make makes an element. Properties are set as such, so that no text is ever read as markup.
export function make(tag, props = {}, ...children) {
  const { style, data, aria, ...rest } = props;
  const e = Object.assign(document.createElement(tag), rest);
  for (const name in style) e.style.setProperty(name, style[name]);
  for (const name in aria) e.setAttribute(`aria-${name}`, aria[name]);
  Object.assign(e.dataset, data);
  e.append(...children.filter((c) => c !== null && c !== undefined));
  return e;
}

// say tells those who listen to the page instead of looking at it: in the dialog that is open, as all else is inert.
export function say(text) {
  const said = $('said'), place = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body;
  if (said.parentNode !== place) place.append(said);
  said.textContent = text;
}

// shortened is a key that loses its middle where there is no room for all of it: its end says which picture it is.
export function shortened(key) {
  const letters = [...key], tail = letters.slice(-Math.min(14, letters.length >> 1)).join('');
  const seen = (className, text) => make('span', { className, aria: { hidden: true } }, text); // in two parts; it is read out as one
  return make('span', { className: 'key', title: key }, make('span', { className: 'hidden' }, key), seen('start', key.slice(0, key.length - tail.length)), seen('end', tail));
}

// copyButton copies what text returns, and says on itself whether it did.
export function copyButton(label, name, text) {
  const button = make('button', { type: 'button', data: { act: `copy ${name}` }, aria: { label: `${label}: ${name}` } }, label);
  let back;
  button.onclick = async () => {
    const did = await copy(text());
    say(did ? `Copied: ${name}` : `Not copied: ${name}. The browser does not let this page.`);
    button.textContent = did ? 'Copied ✓' : 'Not copied';
    button.classList.toggle('did', did);
    clearTimeout(back);
    back = setTimeout(() => { button.textContent = label; button.classList.remove('did'); }, 1600);
  };
  return button;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text); // there is none on a page that came over http from another machine
    return true;
  } catch {
    const area = make('textarea', { value: text }), focused = document.activeElement;
    (document.querySelector('dialog[open]') ?? document.body).append(area);
    area.select();
    const did = document.execCommand('copy');
    area.remove();
    focused?.focus();
    return did;
  }
}
