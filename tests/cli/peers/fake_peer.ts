// A peer that is no engine: what it is told on its command line says how it fails.

const [behaviour] = Deno.args;
const say = (answer: unknown) => console.log(JSON.stringify(answer));
if (behaviour === "silent") Deno.exit();
if (behaviour === "absent") say({ error: "it is not installed: install it" });
else {
  say({ version: "1.2" });
  const text = new Response(Deno.stdin.readable).body!.pipeThrough(new TextDecoderStream());
  for await (const line of text) {
    if (behaviour === "dying") Deno.exit();
    if (behaviour === "failing") say({ error: "it has no memory left" });
    else say({ milliseconds: JSON.parse(line).tokens * 10 });
  }
}
