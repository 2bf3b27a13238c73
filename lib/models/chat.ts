/**
 * Conversations as the text that a model was trained to answer.
 *
 * @module
 */

import { Template } from "@huggingface/jinja";

/** A message of a conversation. */
export interface ChatMessage {
  /** Who speaks: "system", "user" or "assistant", as a rule. */
  readonly role: string;
  /** What is said. */
  readonly content: string;
}

/**
 * A conversation that a template will not take, or a model without a template.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * assertThrows(() => renderChat({}, []), ChatError, "has no tokenizer.chat_template");
 * ```
 */
export class ChatError extends Error {
  /** The error's name, "ChatError". */
  override readonly name = "ChatError";
}

/**
 * Renders a conversation by the model's own template. The text has special tokens written out in
 * it and is to be encoded with `special: true`; a message that spells one out will be read so too.
 *
 * @param source A GGUF file's metadata, or a Jinja template.
 * @param messages The conversation.
 * @param options `addGenerationPrompt` (by default true) starts the assistant's next turn.
 * @returns The text.
 * @throws {ChatError} If there is no template, or it fails on these messages.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const template = "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}" +
 *   "{% if add_generation_prompt %}[assistant]{% endif %}";
 * const messages = [{ role: "user", content: "Hello" }];
 * assertEquals(renderChat(template, messages), "[user] Hello\n[assistant]");
 * assertEquals(renderChat(template, messages, { addGenerationPrompt: false }), "[user] Hello\n");
 * ```
 */
export function renderChat(
  source: string | Readonly<Record<string, unknown>>,
  messages: readonly ChatMessage[],
  options: { readonly addGenerationPrompt?: boolean } = {},
): string {
  const { addGenerationPrompt = true } = options;
  const template = typeof source === "string" ? source : source["tokenizer.chat_template"];
  if (typeof template !== "string") {
    throw new ChatError(
      "Cannot render a chat as the model has no tokenizer.chat_template: pass a template",
    );
  }
  const token = (name: string) => typeof source === "string" ? "" : tokenText(source, name);
  try {
    return new Template(template).render({
      messages,
      add_generation_prompt: addGenerationPrompt,
      bos_token: token("bos"),
      eos_token: token("eos"),
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ChatError(
      `Cannot render a chat as its template fails (${reason}): check the messages' roles and order`,
      { cause },
    );
  }
}

function tokenText(metadata: Readonly<Record<string, unknown>>, name: string): string {
  const tokens = metadata["tokenizer.ggml.tokens"];
  const id = metadata[`tokenizer.ggml.${name}_token_id`];
  return Array.isArray(tokens) && typeof id === "number" ? String(tokens[id] ?? "") : "";
}
