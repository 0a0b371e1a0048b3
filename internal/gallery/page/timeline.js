// When what was done, on a time axis.
import { make } from './dom.js';
import { bytes, ms } from './text.js';

const end = (steps) => Math.max(...steps.map((s) => s.end));

// lanes are the steps in rows: the download, the decoder, and each rendition, the largest first.
function lanes(card) {
  const steps = card.steps ?? [];
  const shared = ['download', 'decode'].map((stage) => ({ stage, bars: steps.filter((s) => s.stage === stage) })).filter((l) => l.bars.length);
  const made = [...card.made].sort((a, b) => b.width - a.width);
  return [...shared, ...made.map((r) => ({ rendition: r, bars: steps.filter((s) => s.size === r.size && s.format === r.format) }))];
}

// strip is the timeline in small, for a row of the list.
export function strip(card) {
  const rows = lanes(card), reference = card.reference ?? [], all = Math.max(end(card.steps), reference.at(-1)?.end ?? 0);
  const high = 100 / (rows.length + (reference.length ? 1.3 : 0));
  const bar = (s, name, i) => make('i', { className: name, style: {
    left: `${100 * s.start / all}%`, width: `${100 * (s.end - s.start) / all}%`, top: `${i * high}%`, height: `calc(${high}% - 2px)` } });
  return make('span', { className: 'strip' }, ...rows.flatMap(({ bars }, i) => bars.map((s) => bar(s, s.stage, i))),
    reference.length ? bar({ start: 0, end: reference.at(-1).end }, 'reference', rows.length + 0.3) : null);
}

// timeline is a table: a lane for each thing that was done.
export function timeline(card) {
  const { steps = [], reference = [] } = card, source = card.result?.source;
  if (!steps.length) return make('p', { className: 'note' }, card.state === 'working' ? '' : 'Resized before this start of the server, which keeps no timelines.');
  const all = end([...steps, ...reference]) * 1.02, ours = end(steps);
  const most = matchMedia('(max-width: 34rem)').matches ? 3 : 6;
  const tick = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000].find((t) => all / t <= most) ?? 30000;
  const percent = (t) => `${100 * t / all}%`;
  const lane = (bars, className, name, say, label) => make('tr', { className }, make('th', { scope: 'row', title: name }, name),
    make('td', {}, make('div', { className: 'lane', style: { '--tick': percent(tick) } },
      ...bars.map((s) => make('i', { className: s.stage, title: `${s.stage} ${s.size ?? ''} ${ms(s.start)} – ${ms(s.end)}`, style: { left: percent(s.start), width: percent(s.end - s.start) } })),
      reference.length ? make('b', { className: 'end', style: { left: percent(ours) } }) : null,
      make('span', { className: 'hidden' }, label ?? bars.map((s) => `${s.stage} from ${ms(s.start)} to ${ms(s.end)}`).join(', ')))),
    make('td', { className: 'say' }, ...say.map((text) => make('span', {}, text))));
  const several = new Set(card.made.map((r) => r.format)).size > 1;
  const rows = lanes(card).map(({ stage, rendition: r, bars }) => r
    ? lane(bars, 'made', several ? `${r.size} ${r.format}` : r.size, [`${r.width} × ${r.height}`, bytes(r.bytes)])
    : lane(bars, '', stage, stage === 'download' ? [source?.format?.toUpperCase() ?? '', bytes(card.bytes)] : [source?.width ? `${source.width} × ${source.height}` : '']));
  if (reference.length) {
    const total = reference.at(-1).end;
    rows.push(lane(reference, 'reference-lane', 'reference', ['modelled', `≈ ${ms(total)}`], `The handler that this replaces, modelled: ${ms(total)}, one size after the other`));
  }
  const ticks = [];
  for (let t = 0; t <= all; t += tick) ticks.push(make('span', { style: { left: percent(t) } }, t + tick > all ? `${t} ms` : `${t}`));
  rows.push(make('tr', { className: 'axis', ariaHidden: 'true' }, make('td', {}), make('td', {}, make('div', { className: 'lane' }, ...ticks)), make('td', {})));
  return make('table', { className: 'time' }, make('caption', { className: 'hidden' }, `Timeline of ${card.key}`),
    make('colgroup', {}, ...['name', 'lanes', 'said'].map((className) => make('col', { className }))), make('tbody', {}, ...rows));
}
