import type { CountJson, PartStatusJson, StatsJson, WindowJson } from '../gen/blipstream/feed/v1/gateway_pb';
import type { Part } from '../model/parts';
import { WINDOWS, type Count, type Minutes, type Ranks, type Stats } from '../model/stats';
import { list, text, time, whole, type Raw } from './decode';

/** Most parts shown: a line of text each. */
const MAX_PARTS = 20;
const MAX_TEXT = 120;

/** Reads the gateway's statistics; nothing of what is not as it should be. */
export function decodeStats(raw: Raw): Stats {
  const stats: StatsJson = raw;
  const { latency } = stats;
  return {
    rate: Number(stats.rate) || 0,
    simulated: stats.simulated === true,
    windows: Object.fromEntries(list(stats.windows, decodeWindow)),
    latency: latency ? { p50: Number(latency.p50Ms) || 0, p95: Number(latency.p95Ms) || 0 } : undefined,
    backlog: stats.backlog === undefined ? undefined : whole(stats.backlog),
    sources: list(stats.sources, (source) => text(source.name)),
    parts: list(stats.parts, decodePart).slice(0, MAX_PARTS),
  };
}

function decodeWindow(raw: Raw): [Minutes, Ranks] | undefined {
  const { minutes, countries, langs, tags }: WindowJson = raw;
  if (!WINDOWS.includes(minutes as Minutes)) return undefined;
  return [minutes as Minutes, { countries: ranked(countries), langs: ranked(langs), tags: list(tags, decodeCount) }];
}

/** The entries of a map by how often they occurred; ties in order of name. */
function ranked(counts: unknown): Count[] {
  return Object.entries(counts ?? {})
    .map(([name, count]) => ({ name, count: whole(count) }))
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
}

function decodeCount(raw: Raw): Count {
  const { name, count }: CountJson = raw;
  return { name: text(name).slice(0, MAX_TEXT), count: whole(count) };
}

function decodePart(raw: Raw): Part | undefined {
  const part: PartStatusJson = raw;
  const name = text(part.name).slice(0, MAX_TEXT);
  const state = text(part.state).slice(0, MAX_TEXT);
  if (!name || !state) return undefined;
  return {
    name,
    state,
    detail: text(part.detail).slice(0, MAX_TEXT),
    retryAt: time(part.retryTime) || 0,
    itemAt: time(part.itemTime) || 0,
    reconnects: whole(part.reconnects),
    missed: whole(part.missed),
    gaps: whole(part.gaps),
  };
}
