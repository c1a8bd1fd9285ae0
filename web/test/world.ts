import type { Stream } from './gateway';

interface Author {
  username: string;
  name: string;
  body: string;
  lang: string;
  country: string;
  lat: number;
  lon: number;
}

/** People of many places and scripts, made up for the tests. */
export const AUTHORS: Author[] = [
  { username: 'rita_mar', name: 'Rita Marques', body: 'A maré subiu devagar e o porto ficou em silêncio. Fiquei a ver os barcos até escurecer.', lang: 'pt', country: 'PT', lat: 38.72, lon: -9.14 },
  { username: 'haru_walks', name: '佐藤はる', body: '駅前の銀杏がやっと色づいた。明日は少し遠回りして帰ろう。', lang: 'ja', country: 'JP', lat: 35.68, lon: 139.69 },
  { username: 'l_brandt', name: 'Lena Brandt', body: '@rita_mar genau so war es bei uns am See. Danke für das Bild!', lang: 'de', country: 'DE', lat: 51.34, lon: 12.37 },
  { username: 'adewale.o', name: 'Adewale O.', body: 'Bridge is clear this morning. Do not ask me how, just drive.', lang: 'en', country: 'NG', lat: 6.52, lon: 3.38 },
  { username: 'noor_h', name: 'نور الهدى', body: 'قهوة الصباح على الشرفة، والمدينة ما زالت نائمة.', lang: 'ar', country: 'EG', lat: 30.04, lon: 31.24 },
  { username: 'minji.k', name: '김민지', body: '첫눈이다! 창문 열어 봐 ❄️', lang: 'ko', country: 'KR', lat: 37.57, lon: 126.98 },
  { username: 'tom_fields', name: 'Tom Fields', body: 'Night train, window seat, no signal for an hour. Perfect. https://example.com/trains/night', lang: 'en', country: 'US', lat: 41.88, lon: -87.63 },
  { username: 'cami_ruiz', name: 'Camila Ruiz', body: 'El mercado del domingo siempre es buena idea, sobre todo con hambre.', lang: 'es', country: 'AR', lat: -32.95, lon: -60.66 },
  { username: 'priya.s', name: 'Priya Shah', body: 'Monsoon playlist is ready. One song per cloud.', lang: 'en', country: 'IN', lat: 19.08, lon: 72.88 },
  { username: 'marek_z', name: 'Marek Żuk', body: 'Pierwszy mróz, a ja znowu bez rękawiczek.', lang: 'pl', country: 'PL', lat: 52.23, lon: 21.01 },
  { username: 'olena.v', name: 'Олена В.', body: 'Ранкова кава, тиша і ще годину нікуди не поспішати.', lang: 'uk', country: 'UA', lat: 50.45, lon: 30.52 },
  { username: 'tane_w', name: 'Tāne W.', body: 'First light on the harbour. You are all late.', lang: 'en', country: 'NZ', lat: -36.85, lon: 174.76 },
  { username: 'siti.n', name: 'Siti N.', body: 'Hujan turun pas jemuran hampir kering. Selalu begitu.', lang: 'id', country: 'ID', lat: -6.21, lon: 106.85 },
  { username: 'yusuf_e', name: 'Yusuf Ekin', body: 'Vapurda simit, martılar pazarlıkta.', lang: 'tr', country: 'TR', lat: 41.01, lon: 28.98 },
  { username: 'duda.c', name: 'Duda Costa', body: 'Hoje o céu resolveu se exibir inteiro.', lang: 'pt', country: 'BR', lat: -23.55, lon: -46.63 },
  { username: 'jo_lind', name: 'Jo Lind', body: 'Regn igen. Kaffe igen.', lang: 'sv', country: 'SE', lat: 59.33, lon: 18.07 },
  { username: 'wei_c', name: '陈薇', body: '地铁上遇到一只很安静的小狗，全车厢都在偷偷看它。', lang: 'zh', country: 'CN', lat: 31.23, lon: 121.47 },
  { username: 'fatou_d', name: 'Fatou D.', body: 'La mer était plate comme une table ce matin.', lang: 'fr', country: 'SN', lat: 14.69, lon: -17.44 },
];

/** Where else people post from: latitude and longitude of large cities. */
const CITIES: [number, number][] = [
  [40.71, -74.01], [34.05, -118.24], [29.76, -95.37], [45.5, -73.57], [49.28, -123.12], [19.43, -99.13],
  [4.71, -74.07], [-12.05, -77.04], [-33.45, -70.67], [-22.91, -43.17], [-3.72, -38.54], [10.49, -66.88],
  [51.51, -0.13], [48.86, 2.35], [40.42, -3.7], [41.9, 12.5], [55.75, 37.62], [60.17, 24.94],
  [33.57, -7.59], [5.6, -0.19], [-1.29, 36.82], [-26.2, 28.05], [-33.92, 18.42], [9.03, 38.74],
  [24.71, 46.68], [35.69, 51.39], [24.86, 67.01], [28.61, 77.21], [12.97, 77.59], [23.81, 90.41],
  [13.76, 100.5], [10.82, 106.63], [14.6, 120.98], [22.32, 114.17], [39.9, 116.41], [25.03, 121.57],
  [34.69, 135.5], [43.06, 141.35], [-33.87, 151.21], [-37.81, 144.96], [-31.95, 115.86], [56.84, 60.61],
];

const TYPES = ['post', 'post', 'post', 'reply', 'post', 'repost', 'post', 'reply'];

/** A small seeded generator, so that every run shows the same world. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Sends the nth post of the world: its author and, near them, its position. */
export function sendPost(stream: Stream, n: number, random: () => number, ageMs = 0, simulated = true): void {
  const who = Math.floor(random() ** 1.6 * AUTHORS.length);
  const author = AUTHORS[who]!;
  const { lat, lon, ...post } = author;
  const common = {
    id: String(9_000_000_000_000_000_000n + BigInt(n)),
    userId: String(1_000 + who),
    time: new Date(Date.now() - ageMs).toISOString(),
    type: TYPES[Math.floor(random() * TYPES.length)],
    simulated,
  };
  stream.post({ ...common, ...post });
  // Half of the positions are the author's own city, half are anywhere people live.
  const [blipLat, blipLon] = random() < 0.5 ? [lat, lon] : CITIES[Math.floor(random() * CITIES.length)]!;
  sendBlip(stream, { ...common, lang: post.lang, country: post.country }, blipLat, blipLon, random);
}

function sendBlip(stream: Stream, common: object, lat: number, lon: number, random: () => number): void {
  const isPlace = random() < 0.4;
  stream.blip({
    ...common,
    lat: lat + (random() - 0.5) * 2,
    lon: lon + (random() - 0.5) * 2,
    ...(isPlace ? { precision: 'place', radiusKm: 10 + random() * 500 } : {}),
  });
}
