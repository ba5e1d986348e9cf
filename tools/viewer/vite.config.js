// `vite build` gives bundle/cornerstone.js, its worker and its codecs as files of their own.

export default {
  base: "./",
  resolve: { alias: { events: "events/" } }, // a dependency of cornerstone asks for Node's
  worker: { format: "es", rollupOptions: { output: { entryFileNames: "[name].js" } } },
  build: {
    outDir: "bundle",
    target: "esnext",
    assetsInlineLimit: 0,
    modulePreload: false,
    rolldownOptions: {
      input: "main.js",
      preserveEntrySignatures: "strict",
      output: { entryFileNames: "cornerstone.js", chunkFileNames: "[name]-[hash].js", assetFileNames: "[name]-[hash][extname]" },
    },
  },
};
