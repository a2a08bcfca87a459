/** undici ships llhttp as WebAssembly without a declaration; neither has the ES library one of `WebAssembly`. */
declare module 'undici/lib/llhttp/llhttp-wasm.js' {
  const wasm: Uint8Array;
  export default wasm;
}

declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>);
    readonly exports: Readonly<Record<string, unknown>>;
  }
}
