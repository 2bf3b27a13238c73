import {
  assert,
  assertAlmostEquals,
  assertArrayIncludes,
  assertEquals,
  assertExists,
  assertFalse,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  fail,
} from "@std/assert";

/** Fails in plain JavaScript: what is tested here must not judge itself. */
function require(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

function rejects(run: () => unknown): AssertionError | undefined {
  try {
    run();
  } catch (error) {
    require(error instanceof AssertionError, `threw ${error}`);
    return error as AssertionError;
  }
}

const circular = () => {
  const object: { self?: unknown } = {};
  object.self = object;
  return object;
};

Deno.test("assertEquals() judges the cases of @std/assert's own test as it does", () => {
  const equal: [unknown, unknown][] = [
    ["world", "world"],
    [NaN, NaN],
    [0, -0],
    [["hello", 12.21, 0], ["hello", 12.21, -0]],
    [{ msg: "hello", array: [0] }, { msg: "hello", array: [-0] }],
    [{ hello: "world", hi: { there: "all" } }, { hi: { there: "all" }, hello: "world" }],
    [Object.create(null), {}],
    [new Date(2019, 0, 3), new Date(2019, 0, 3)],
    [/deno/, /deno/],
    [new Set([1, 2, 3]), new Set([3, 2, 1])],
    [new Map([["foo", { bar: "baz" }]]), new Map([["foo", { bar: "baz" }]])],
    [new Uint8Array([1, 2]), new Uint8Array([1, 2])],
    [new Float32Array([0, 2]), new Float32Array([-0, 2])],
    [circular(), circular()],
  ];
  const different: [unknown, unknown][] = [
    ["hello", "world"],
    [5, 6],
    [1, "1"],
    [1, 1n],
    [[1, 2, 3, 4], [1, 2, 3]],
    [{ a: undefined, b: undefined }, { a: undefined }],
    [{ a: undefined, b: undefined }, { a: undefined, c: undefined }],
    [/deno/, /node/],
    [new Set([1]), new Set([2])],
    [new Map([["foo", "bar"]]), new Map([["bar", "baz"]])],
    [new Uint8Array([1, 2]), new Uint8Array([2, 1])],
    [new Uint8Array([1, 2]), [1, 2]],
    [null, undefined],
    [new (class A {})(), {}],
  ];
  for (const [a, b] of equal) {
    require(!rejects(() => assertEquals(a, b)), "should be equal");
    require(!!rejects(() => assertNotEquals(a, b)), "should not be different");
  }
  for (const [a, b] of different) {
    require(!!rejects(() => assertEquals(a, b)), "should be different");
    require(!rejects(() => assertNotEquals(a, b)), "should not be equal");
  }
});

Deno.test("each assertion passes and fails where @std/assert's does", () => {
  const passing = [
    () => assert(1),
    () => assertFalse(0),
    () => assertStrictEquals(NaN, NaN),
    () => assertAlmostEquals(1.000000001e-8, 1.000000002e-8),
    () => assertAlmostEquals(0.01, 0.02, 0.1),
    () => assertAlmostEquals(0.1 + 0.2, 0.3, 1e-16),
    () => assertExists(0),
    () => assertInstanceOf(new RangeError(), Error),
    () => assertMatch("Raptor", /Raptor/),
    () => assertStringIncludes("Hello", "ello"),
    () => assertArrayIncludes([[1], 2], [2, [1]]),
    () => assertGreater(2, 1),
    () => assertGreaterOrEqual(1, 1),
    () => assertLess(1, 2),
    () => assertLessOrEqual(1, 1),
  ];
  const failing = [
    () => assert(""),
    () => assertFalse("x"),
    () => assertStrictEquals({}, {}),
    () => assertStrictEquals(0, -0),
    () => assertAlmostEquals(0.01, 0.02),
    () => assertAlmostEquals(1e-8, 1e-9),
    () => assertAlmostEquals(0.1 + 0.2, 0.3, 1e-17),
    () => assertExists(null),
    () => assertInstanceOf({}, Error),
    () => assertMatch("Raptor", /Denosaurus/),
    () => assertStringIncludes("Hello", "hello"),
    () => assertArrayIncludes([1], [2]),
    () => assertGreater(1, 1),
    () => assertGreaterOrEqual(0, 1),
    () => assertLess(1, 1),
    () => assertLessOrEqual(NaN, 1),
    () => fail(),
  ];
  for (const run of passing) require(!rejects(run), `failed: ${run}`);
  for (const run of failing) require(!!rejects(run), `passed: ${run}`);
});

Deno.test("assertThrows() returns the error, and checks its class and message", () => {
  const run = () => {
    throw new RangeError("out of range");
  };
  require(assertThrows(run) instanceof RangeError, "returns the error");
  require(assertThrows(run, Error, "of range").message === "out of range", "typed");
  require(!!rejects(() => assertThrows(run, TypeError)), "class");
  require(!!rejects(() => assertThrows(run, RangeError, "in range")), "message");
  require(!!rejects(() => assertThrows(() => {})), "no throw");
  require(rejects(() => assertThrows(() => {}, "why"))!.message.includes("why"), "message given");
  const text = () => {
    throw "text";
  };
  require(assertThrows(text) === "text", "any value");
  require(!!rejects(() => assertThrows(text, Error)), "not an error");
});

Deno.test("assertRejects() returns the reason, and does not take a throw for a rejection", async () => {
  const failed = (run: () => Promise<unknown>) =>
    run().then(() => false, (e) => e instanceof AssertionError);
  const rejected = () => Promise.reject(new RangeError("out of range"));
  require((await assertRejects(rejected, RangeError, "of range")).name === "RangeError", "returns");
  require(await failed(() => assertRejects(rejected, TypeError)), "class");
  require(await failed(() => assertRejects(rejected, RangeError, "in range")), "message");
  require(await failed(() => assertRejects(() => Promise.resolve())), "resolves");
  const thrown = () => {
    throw new RangeError("at once");
  };
  require(await failed(() => assertRejects(thrown)), "throws at once");
});
