import { assertEquals, assertThrows } from "@std/assert";
import { ChatError, renderChat } from "../../lib/models/chat.ts";
import fixture from "./fixtures/chat.json" with { type: "json" };

const templates: Record<string, string> = fixture.templates;
const metadata = (template: string) => ({
  "tokenizer.chat_template": template,
  "tokenizer.ggml.tokens": ["<s>", "</s>"],
  "tokenizer.ggml.bos_token_id": 0,
  "tokenizer.ggml.eos_token_id": 1,
});

for (const name of Object.keys(templates)) {
  Deno.test(`renderChat() renders the ${name} template as transformers does`, () => {
    for (const { template, messages, addGenerationPrompt, text } of fixture.rows) {
      if (template !== name) continue;
      const render = () =>
        renderChat(metadata(templates[name]!), messages, { addGenerationPrompt });
      if (text === null) assertThrows(render, ChatError, "Cannot render a chat as its template");
      else assertEquals(render(), text);
    }
  });
}

Deno.test("renderChat() says why a template refuses", () => {
  const messages = [{ role: "assistant", content: "I start" }];
  const error = assertThrows(() => renderChat(templates.alternating!, messages), ChatError);
  assertEquals(error.message.includes("roles must alternate"), true);
});

Deno.test("renderChat() of a broken template is a typed error", () => {
  for (const template of ["{% for %}", "{{ messages | no_such_filter }}", "{% if"]) {
    assertThrows(() => renderChat(template, []), ChatError);
  }
});

Deno.test("renderChat() of metadata without a template says that one can be passed", () => {
  assertThrows(() => renderChat({}, []), ChatError, "pass a template");
});
