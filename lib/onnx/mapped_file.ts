/**
 * Files seen as memory: the system reads what is looked at, and takes it back when memory is short.
 *
 * @module
 */

import { cString } from "./api.ts";
import { OnnxRuntimeError } from "./error.ts";

/** The C library by operating system. */
const LIBRARIES: Readonly<Record<string, string>> = {
  linux: "libc.so.6",
  darwin: "/usr/lib/libSystem.B.dylib",
};
/** Numbers of POSIX's interface that Linux and macOS agree on. */
const [O_RDONLY, PROT_READ, MAP_PRIVATE, MADV_DONTNEED] = [0, 1, 2, 4];
const MAP_FAILED = 2n ** 64n - 1n;

const SYMBOLS = {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  mmap: { parameters: ["pointer", "usize", "i32", "i32", "i32", "i64"], result: "pointer" },
  munmap: { parameters: ["pointer", "usize"], result: "i32" },
  madvise: { parameters: ["pointer", "usize", "i32"], result: "i32" },
  malloc_trim: { parameters: ["usize"], result: "i32", optional: true }, // glibc's alone
} as const;

/** Whether files can be mapped on this system: on Linux and macOS. */
export const canMapFiles: boolean = Deno.build.os in LIBRARIES;

/**
 * A file mapped into memory, to be read only.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * if (canMapFiles) {
 *   const path = await Deno.makeTempFile();
 *   await Deno.writeTextFile(path, "some weights");
 *   using file = new MappedFile(path);
 *   assertEquals(new Deno.UnsafePointerView(file.at(5)).getUint8(), "w".charCodeAt(0));
 * }
 * ```
 */
export class MappedFile implements Disposable {
  readonly #library: Deno.DynamicLibrary<typeof SYMBOLS>;
  readonly #address: Deno.PointerObject;
  readonly #bytes: bigint;

  /**
   * Maps a file. It must not change while it is mapped.
   *
   * @param path The file, which must not be empty.
   * @throws {OnnxRuntimeError} If it cannot be mapped.
   */
  constructor(path: string) {
    this.#bytes = BigInt(Deno.statSync(path).size);
    this.#library = Deno.dlopen(LIBRARIES[Deno.build.os] ?? "", SYMBOLS);
    const { open, close, mmap } = this.#library.symbols;
    const file = open(cString(path), O_RDONLY);
    const address = mmap(null, this.#bytes, PROT_READ, MAP_PRIVATE, file, 0n);
    close(file); // a mapping outlives it
    if (address === null || Deno.UnsafePointer.value(address) === MAP_FAILED) {
      this.#library.close();
      throw new OnnxRuntimeError(
        `Cannot map ${path} into memory as the system refuses: check that it can be read`,
      );
    }
    this.#address = address;
  }

  /** The address of a byte. */
  at(offset: number): Deno.PointerObject {
    return Deno.UnsafePointer.offset(this.#address, offset)!;
  }

  /**
   * Gives the memory back until the file is looked at again, and what was freed after working on it:
   * the C library would keep it.
   */
  rest(): void {
    this.#library.symbols.madvise(this.#address, this.#bytes, MADV_DONTNEED);
    this.#library.symbols.malloc_trim?.(0n);
  }

  /** Ends the mapping. */
  [Symbol.dispose](): void {
    this.#library.symbols.munmap(this.#address, this.#bytes);
    this.#library.close();
  }
}
