/**
 * Writing an ONNX graph: the structure as a protobuf message that points into a file of weights.
 *
 * @module
 */

import { join } from "node:path";
import protobuf from "protobufjs";
import { type OnnxType, type WeightFile, WEIGHTS } from "./weight_file.ts";

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

const TYPES: Readonly<Record<OnnxType, number>> = { float32: 1, uint8: 2, int32: 6, int64: 7 };

/** Attributes of a node: integers, lists of integers, and floats, which must be said to be floats. */
export type Attributes = Readonly<Record<string, number | readonly number[] | { float: number }>>;

/** What a graph is made of so far. */
interface Collected {
  readonly nodes: object[];
  readonly initializers: Map<string, object>;
  readonly inputs: object[];
  readonly outputs: object[];
  names: number;
}

/** Collects a graph. Several graphs may point into one file of weights, and one into several. */
export class OnnxFile {
  /** The file that holds the weights of what is added here. */
  readonly weights: WeightFile;
  readonly #graph: Collected;

  /**
   * Begins a graph.
   *
   * @param weights Where its weights are, or will be written.
   * @param begun Left out; see {@linkcode OnnxFile.over}.
   */
  constructor(
    weights: WeightFile,
    begun: Collected = { nodes: [], initializers: new Map(), inputs: [], outputs: [], names: 0 },
  ) {
    this.weights = weights;
    this.#graph = begun;
  }

  /** The same graph: what is added there has its weights in another file of the folder. */
  over(weights: WeightFile): OnnxFile {
    return new OnnxFile(weights, this.#graph);
  }

  /** Declares an input; named dimensions vary. */
  input(name: string, type: OnnxType, dims: readonly (number | string)[]): string {
    this.#graph.inputs.push(valueInfo(name, type, dims));
    return name;
  }

  /** Declares an output; named dimensions vary. */
  output(name: string, type: OnnxType, dims: readonly (number | string)[]): void {
    this.#graph.outputs.push(valueInfo(name, type, dims));
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
    this.#graph.nodes.push({
      opType,
      domain,
      name: `${opType} ${this.#graph.nodes.length}`,
      input: inputs,
      output: outputs,
      attribute: Object.entries(options.attributes ?? {}).map(attribute),
    });
    return outputs[0]!;
  }

  /** A name that nothing else in the graph has. */
  name(stem: string): string {
    return `${stem}:${this.#graph.names++}`;
  }

  /** Adds a list of integers, kept in the graph itself; equal lists are one. */
  integers(values: readonly number[]): string {
    const name = `integers ${values.join(" ")}`;
    const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    this.#graph.initializers.set(name, {
      name,
      dims: [values.length],
      dataType: TYPES.int64,
      rawData,
    });
    return name;
  }

  /** Adds a float32 number, kept in the graph itself. */
  scalar(value: number): string {
    const name = `number ${value}`;
    const rawData = new Uint8Array(Float32Array.of(value).buffer);
    this.#graph.initializers.set(name, { name, dims: [], dataType: TYPES.float32, rawData });
    return name;
  }

  /** Refers to a tensor of the file of weights. */
  weight(name: string): string {
    const { type, dims, offset, bytes } = this.weights.place(name)!;
    const location = this.weights.name;
    const unique = location === WEIGHTS ? name : `${location} ${name}`;
    const place = { location, offset, length: bytes };
    const externalData = Object.entries(place).map(([key, value]) => ({ key, value: `${value}` }));
    const tensor = { name: unique, dims, dataType: TYPES[type], dataLocation: 1, externalData };
    this.#graph.initializers.set(unique, tensor);
    return unique;
  }

  /** Refers to a small tensor of the file of weights, written now unless another graph did. */
  vector(name: string, dims: readonly number[], values: () => Float32Array): string {
    if (!this.weights.place(name)) this.weights.reserve(name, "float32", dims)(values());
    return this.weight(name);
  }

  /**
   * Writes the graph's structure beside the weights.
   *
   * @param name The file's name.
   */
  finish(name: string): void {
    const { nodes, initializers, inputs, outputs } = this.#graph;
    const model = {
      irVersion: IR_VERSION,
      producerName: "specbound",
      opsetImport: [{ domain: "", version: OPSET }, { domain: "com.microsoft", version: 1 }],
      graph: {
        name: "specbound",
        node: nodes,
        initializer: [...initializers.values()],
        input: inputs,
        output: outputs,
      },
    };
    const type = protobuf.parse(SCHEMA).root.lookupType("ModelProto");
    const path = join(this.weights.folder, name);
    Deno.writeFileSync(path, type.encode(type.create(model)).finish());
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
