import { describe, expect, it } from 'vitest';
import { aBlip, aPost } from '../../test/fixtures';
import { blipsCsv, postsCsv, postsNdjson } from './export';

const post = aPost({ id: '9007199254740993', time: Date.UTC(2026, 0, 2), body: 'one, "two"\nthree', lang: 'pt' });

describe('exports', () => {
  it('write posts as CSV, quoted where they must be, ids as they are', () => {
    const [head, row] = [postsCsv([post]).indexOf('\r\n'), postsCsv([post])];
    expect(row.slice(0, head)).toBe('id,source,time,username,name,body,type,lang,country,city,url');
    expect(row.slice(head + 2)).toBe('9007199254740993,s,2026-01-02T00:00:00.000Z,ann,Ann,"one, ""two""\nthree",post,pt,,,\r\n');
  });

  it.each(['=1+1', '+SUM(A1)', '-cmd', '@x', '\tx'])('keep a spreadsheet from running %j', (body) => {
    expect(postsCsv([aPost({ body })])).toContain(`'${body}`);
  });

  it('write posts as NDJSON, one a line', () => {
    const lines = postsNdjson([post, aPost({ time: Number.NaN })]).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ id: '9007199254740993', body: post.body }, { time: '' }]);
  });

  it('write positions, those south and west with their sign', () => {
    expect(blipsCsv([aBlip({ lat: -33.9, lon: 0, count: 3 })])).toBe(
      'lat,lon,count,type,precision,radiusKm,magnitude\r\n-33.9,0,3,post,point,0,0\r\n',
    );
  });
});
