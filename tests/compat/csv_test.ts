import { assertEquals, assertThrows } from "@std/assert";
import { parse, stringify } from "@std/csv";

Deno.test("parse() reads the cases that @std/csv documents", () => {
  const text = "a,b,c\nd,e,f";
  assertEquals(parse(text), [["a", "b", "c"], ["d", "e", "f"]]);
  assertEquals(parse(text, { skipFirstRow: false }), [["a", "b", "c"], ["d", "e", "f"]]);
  assertEquals(parse(text, { skipFirstRow: true }), [{ a: "d", b: "e", c: "f" }]);
  assertEquals(parse(text, { columns: ["x", "y", "z"] }), [
    { x: "a", y: "b", z: "c" },
    { x: "d", y: "e", z: "f" },
  ]);
  assertEquals(parse(text, { skipFirstRow: true, columns: ["x", "y", "z"] }), [
    { x: "d", y: "e", z: "f" },
  ]);
});

Deno.test("parse() reads quotes, empty cells, line ends and unequal rows as @std/csv does", () => {
  assertEquals(parse('a,"b,""c""",\r\n"d\ne",,f\r\n'), [["a", 'b,"c"', ""], ["d\ne", "", "f"]]);
  assertEquals(parse("\ufeffa\n\n\nb,c\n"), [["a"], ["b", "c"]]);
  assertEquals(parse("#a\nb", { comment: "#" }), [["b"]]);
  assertEquals(parse("a;b", { separator: ";" }), [["a", "b"]]);
  assertEquals(parse("a, b", { trimLeadingSpace: true }), [["a", "b"]]);
  assertEquals(parse(""), []);
});

Deno.test("parse() refuses what @std/csv refuses", () => {
  assertThrows(() => parse('a,b"c\n'), SyntaxError);
  assertThrows(() => parse('a,"b'), SyntaxError);
  assertThrows(() => parse("a,b\n1\n", { skipFirstRow: true }), SyntaxError, "has 1 fields");
  assertThrows(() => parse("", { skipFirstRow: true }), TypeError);
});

Deno.test("stringify() writes the cases that @std/csv documents", () => {
  const data = [{ name: "Deno", repo: { org: "denoland", name: "deno" }, runsOn: ["Rust", "TS"] }];
  assertEquals(
    stringify(data, { columns: ["name", ["repo", "org"], { prop: ["runsOn", 0], header: "on" }] }),
    "name,org,on\r\nDeno,denoland,Rust\r\n",
  );
  assertEquals(stringify([["a", 1], [true, null]]), "a,1\r\ntrue,\r\n");
  assertEquals(stringify([{ a: 1 }], { columns: ["a"], headers: false }), "1\r\n");
  assertEquals(stringify([], { columns: ["a", "b"] }), "a,b\r\n");
  assertEquals(
    stringify([['x,"y"', "z\n"], [{ a: 1 }, "c\td"]], { separator: "\t" }),
    '"x,""y"""\t"z\n"\r\n"{""a"":1}"\t"c\td"\r\n',
  );
  assertThrows(() => stringify([{ a: 1 }]));
});
