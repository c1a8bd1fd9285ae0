import type { LaunchOptions } from 'playwright-core';

export declare const CHROMIUM: string;
export declare function launchOptions(): LaunchOptions;
