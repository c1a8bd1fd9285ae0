export declare const DIST: string;
export declare const BUDGET_JS: number;
export declare function measure(folder?: string): { name: string; raw: number; gzip: number }[];
