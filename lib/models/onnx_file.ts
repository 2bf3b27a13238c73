/**
 * Writing an ONNX graph: the structure as a protobuf message, the weights beside it as they come, so
 * that no more than one is in memory.
 *
 * @module
 */

import { join } from "node:path";
import protobuf from "protobufjs";

/** The part of onnx.proto (ONNX 1.19, IR version 11) that inference graphs need. */
const SCHEMA = `
syntax = "proto2";
message ModelProto {
  optional int64 ir_version = 1; optional string producer_name = 2;
  repeated OperatorSetIdProto opset_import = 8; optional GraphProto graph = 7;
}
message OperatorSetIdProto { optional string domain = 1; optional int64 version = 2; }
message GraphProto {
  repeated NodeProto node = 1; optional string name = 2; repeated TensorProto initializer = 5;
  repeated ValueInfoProto input = 11; repeated ValueInfoProto output = 12;
}
message NodeProto {
  repeated string input = 1; repeated string output = 2; optional string name = 3;
  optional string op_type = 4; repeated AttributeProto attribute = 5; optional string domain = 7;
}
message AttributeProto {
  optional string name = 1; optional float f = 2; optional int64 i = 3;
  repeated int64 ints = 8; optional int32 type = 20;
}
message TensorProto {
  repeated int64 dims = 1; optional int32 data_type = 2; optional string name = 8;
  optional bytes raw_data = 9; repeated StringStringEntryProto external_data = 13;
  optional int32 data_location = 14;
}
message StringStringEntryProto { optional string key = 1; optional string value = 2; }
message ValueInfoProto { optional string name = 1; optional TypeProto type = 2; }
message TypeProto { optional Tensor tensor_type = 1;
  message Tensor { optional int32 elem_type = 1; optional Shape shape = 2; }
  message Shape { repeated Dimension dim = 1; }
  message Dimension { optional int64 dim_value = 1; optional string dim_param = 2; }
}`;

const IR_VERSION = 11;
/** Opset 24 brought TensorScatter and the Attention that takes a whole cache. */
const OPSET = 24;
/** External weights begin at multiples of this, so that they can be mapped into memory. */
const ALIGNMENT = 4096;

const TYPES = { float32: 1, uint8: 2, int32: 6, int64: 7 } as const;

/** Element types that graphs here use. */
export type OnnxType = keyof typeof TYPES;

/** Attributes of a node: integers, lists of integers, and floats, which must be said to be floats. */
export type Attributes = Readonly<Record<string, number | readonly number[] | { float: number }>>;

/** Collects a graph and writes it to a folder as `model.onnx` and `weights.bin`. */
export class OnnxFile implements Disposable {
  readonly #folder: string;
  readonly #weights: Deno.FsFile;
  readonly #nodes: object[] = [];
  readonly #initializers: object[] = [];
  readonly #inputs: object[] = [];
  readonly #outputs: object[] = [];
  readonly #places = new Map<string, object>();
  readonly #constants = new Map<string, string>();
  #offset = 0;
  #names = 0;

  /**
   * Begins a graph.
   *
   * @param folder An existing folder to write to.
   */
  constructor(folder: string) {
    this.#folder = folder;
    this.#weights = Deno.openSync(join(folder, "weights.bin"), {
      write: true,
      create: true,
      truncate: true,
    });
  }

  /** Declares an input; named dimensions vary. */
  input(name: string, type: OnnxType, dims: readonly (number | string)[]): string {
    this.#inputs.push(valueInfo(name, type, dims));
    return name;
  }

  /** Declares an output; named dimensions vary. */
  output(name: string, type: OnnxType, dims: readonly (number | string)[]): void {
    this.#outputs.push(valueInfo(name, type, dims));
  }

  /**
   * Adds a node.
   *
   * @param operator The operator; "com.microsoft::X" is one of ONNX Runtime's own.
   * @param inputs Names of its inputs; "" for one left out.
   * @param options Attributes; names of its outputs ("" for one not wanted), by default one new name.
   * @returns The name of its first output.
   */
  node(
    operator: string,
    inputs: readonly string[],
    options: { readonly attributes?: Attributes; readonly outputs?: readonly string[] } = {},
  ): string {
    const [opType, domain = ""] = operator.split("::").reverse();
    const outputs = options.outputs ?? [this.name(opType!)];
    this.#nodes.push({
      opType,
      domain,
      name: `${opType} ${this.#nodes.length}`,
      input: inputs,
      output: outputs,
      attribute: Object.entries(options.attributes ?? {}).map(attribute),
    });
    return outputs[0]!;
  }

  /** A name that nothing else in the graph has. */
  name(stem: string): string {
    return `${stem}:${this.#names++}`;
  }

  /** Adds a list of integers, kept in the graph itself; equal lists are one. */
  integers(values: readonly number[]): string {
    const key = values.join(" ");
    const known = this.#constants.get(key);
    if (known) return known;
    const name = this.name("integers");
    const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    this.#initializers.push({ name, dims: [values.length], dataType: TYPES.int64, rawData });
    this.#constants.set(key, name);
    return name;
  }

  /** Writes a weight. */
  weight(
    name: string,
    type: OnnxType,
    dims: readonly number[],
    data: Float32Array | Uint8Array,
  ): string {
    const padding = (ALIGNMENT - this.#offset % ALIGNMENT) % ALIGNMENT;
    this.#offset = this.#weights.seekSync(padding, Deno.SeekMode.Current);
    const place = { location: "weights.bin", offset: this.#offset, length: data.byteLength };
    const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
    for (let done = 0; done < bytes.length;) {
      done += this.#weights.writeSync(bytes.subarray(done));
    }
    this.#offset += bytes.length;
    return this.#external(name, type, dims, place);
  }

  /** Declares that a weight is the memory of one written before, in another shape. */
  alias(name: string, type: OnnxType, dims: readonly number[], original: string): string {
    return this.#external(name, type, dims, this.#places.get(original)!);
  }

  /** Writes the graph's structure; the weights are complete. */
  finish(): void {
    const model = {
      irVersion: IR_VERSION,
      producerName: "specbound",
      opsetImport: [{ domain: "", version: OPSET }, { domain: "com.microsoft", version: 1 }],
      graph: {
        name: "specbound",
        node: this.#nodes,
        initializer: this.#initializers,
        input: this.#inputs,
        output: this.#outputs,
      },
    };
    const type = protobuf.parse(SCHEMA).root.lookupType("ModelProto");
    this.#weights.syncDataSync();
    Deno.writeFileSync(join(this.#folder, "model.onnx"), type.encode(type.create(model)).finish());
  }

  /** Closes the file of weights. */
  [Symbol.dispose](): void {
    this.#weights.close();
  }

  #external(name: string, type: OnnxType, dims: readonly number[], place: object): string {
    this.#places.set(name, place);
    const externalData = Object.entries(place).map(([key, value]) => ({ key, value: `${value}` }));
    this.#initializers.push({ name, dims, dataType: TYPES[type], dataLocation: 1, externalData });
    return name;
  }
}

function valueInfo(name: string, type: OnnxType, dims: readonly (number | string)[]): object {
  const dim = dims.map((size) =>
    typeof size === "number" ? { dimValue: size } : { dimParam: size }
  );
  return { name, type: { tensorType: { elemType: TYPES[type], shape: { dim } } } };
}

/** Attribute type numbers: FLOAT 1, INT 2, INTS 7. */
function attribute([name, value]: [string, Attributes[string]]): object {
  if (typeof value === "number") return { name, type: 2, i: value };
  if ("float" in value) return { name, type: 1, f: value.float };
  return { name, type: 7, ints: value };
}
