import { preview, show, whenReady } from './picture.mjs';

const img = document.querySelector('img'), said = document.querySelector('output');

// upload puts a file into S3, and calls back when the service has told what became of it.
async function upload(file, done) {
  const headers = { 'Content-Type': 'application/json' };
  const answer = await fetch('/uploads', { method: 'POST', headers, body: JSON.stringify({ type: file.type, bytes: file.size }) });
  const { url, events, base, detail } = await answer.json();
  if (!answer.ok) throw new Error(detail);
  const put = await fetch(url, { method: 'PUT', headers: { 'Content-Type': file.type }, body: file });
  if (!put.ok) throw new Error(`the upload ended with ${put.status}`);
  whenReady(events, (picture) => done(picture, base));
}

document.querySelector('input').onchange = async ({ target }) => {
  const [file] = target.files;
  preview(img, file);
  said.textContent = 'uploading';
  try {
    await upload(file, (picture, base) => {
      said.textContent = picture.reason ?? picture.status;
      if (picture.status === 'resized') show(img, picture, base, URL.createObjectURL(file));
    });
    said.textContent = 'resizing';
  } catch (error) {
    said.textContent = error.message;
  }
};
