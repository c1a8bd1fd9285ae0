import { defineConfig } from 'vitest/config';
import solid from 'vite-plugin-solid';

// Where `npm run dev` finds a running gateway; the built page needs none of this.
const gateway = process.env.BLIPSTREAM_GATEWAY ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [solid()],
  server: { proxy: { '/live': gateway, '/api': gateway } },
  worker: {
    format: 'es',
    rolldownOptions: { output: { entryFileNames: 'assets/[name]-[hash].js' } },
  },
  build: {
    // The gateway embeds the result, so it is committed: names carry a hash of
    // the content and nothing in it depends on when or where it was built.
    outDir: '../services/gateway/web/dist',
    emptyOutDir: true,
    target: ['es2022', 'chrome123', 'firefox121', 'safari17.5'],
    // A data: URL would need a hole in the Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        entryFileNames: 'assets/[name]-[hash].js',
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
  test: {
    include: ['src/**/*.test.ts', 'test/*.test.ts'],
    environment: 'node',
    restoreMocks: true,
  },
});
