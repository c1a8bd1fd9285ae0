export const UNIT: number;
export const ROTATE_DEG: number;
export function world(): {
  sea: string;
  grid: string;
  borders: string;
  countries: [code: string, path: string][];
  dots: [code: string, lon: number, lat: number][];
};
