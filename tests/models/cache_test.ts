import { assertEquals, assertThrows } from "@std/assert";
import { cacheDirectoryOf, CacheError } from "../../lib/models/cache.ts";

const all: Record<string, string> = {
  SPECBOUND_CACHE: "/chosen",
  XDG_CACHE_HOME: "/xdg",
  HOME: "/home/ada",
  LOCALAPPDATA: "C:\\Users\\ada\\AppData\\Local",
};
const env = (...names: string[]) => (name: string) => names.includes(name) ? all[name] : undefined;

Deno.test("cacheDirectoryOf() is SPECBOUND_CACHE on every system", () => {
  for (const os of ["linux", "darwin", "windows", "freebsd"] as const) {
    assertEquals(cacheDirectoryOf(os, (name) => all[name]), "/chosen");
  }
});

Deno.test("cacheDirectoryOf() is where the system keeps caches", () => {
  const rest = env("XDG_CACHE_HOME", "HOME", "LOCALAPPDATA");
  assertEquals(cacheDirectoryOf("linux", rest), "/xdg/specbound");
  assertEquals(cacheDirectoryOf("linux", env("HOME")), "/home/ada/.cache/specbound");
  assertEquals(cacheDirectoryOf("darwin", rest), "/home/ada/Library/Caches/specbound");
  assertEquals(cacheDirectoryOf("windows", rest), `${all.LOCALAPPDATA}/specbound`);
});

Deno.test("cacheDirectoryOf() takes an empty variable for none", () => {
  const home = (name: string) => name === "HOME" ? "/h" : "";
  assertEquals(cacheDirectoryOf("linux", home), "/h/.cache/specbound");
});

Deno.test("cacheDirectoryOf() asks for no variable after the first that is set", () => {
  const asked: string[] = [];
  cacheDirectoryOf("linux", (name) => (asked.push(name), "/somewhere"));
  assertEquals(asked, ["SPECBOUND_CACHE"]);
});

Deno.test("cacheDirectoryOf() says what to set where nothing is", () => {
  for (const os of ["linux", "darwin", "windows"] as const) {
    assertThrows(() => cacheDirectoryOf(os, () => undefined), CacheError, "set SPECBOUND_CACHE");
  }
  assertThrows(() => cacheDirectoryOf("windows", env("HOME")), CacheError, "LOCALAPPDATA");
});
