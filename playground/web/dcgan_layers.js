// The layers of both networks for some settings, and the size of each layer's output by its
// formula. As `engine/dcgan_networks.py` builds them; a test holds the two together.

const SEED_SIDE = 4; // where the generator starts and the discriminator ends
const ACTIVATIONS = { relu: "ReLU", leaky_relu: "LeakyReLU", tanh: "tanh" };
const OUTPUTS = { tanh: "tanh", sigmoid: "sigmoid", linear: "identity" };

/** The side on which the networks work: 32, 64 or 128. */
export function paddedSide([, height, width]) {
  return [32, 64].find((side) => Math.max(height, width) <= side) ?? 128;
}

/**
 * @typedef {object} Layer
 * @property {string} block layers of one block are drawn together
 * @property {string} kind
 * @property {number|null} kernel
 * @property {number|null} stride
 * @property {number|null} padding
 * @property {number[]} input [numbers] or [channels, height, width]
 * @property {number[]} output
 * @property {string} formula how the output's side follows from the input's
 * @property {number} parameters
 */

/**
 * Both networks as lists of layers.
 * @param {Object<string, *>} config hyperparameters
 * @param {number[]} shape [channels, height, width] of the data
 * @returns {{generator: Layer[], discriminator: Layer[], side: number}}
 */
export function layersOf(config, shape) {
  const side = paddedSide(shape);
  return { generator: generator(config, shape[0], side), discriminator: discriminator(config, shape[0], side), side };
}

function generator(c, colours, side) {
  const stages = Math.log2(side / SEED_SIDE);
  let wide = c.channels * 2 ** (stages - 1);
  const norm = c.generator_batch_norm;
  const net = new Network([c.latent_dim * (c.conditional ? 2 : 1)]);
  net.block("project").linear(wide * SEED_SIDE ** 2, !norm).unflatten(wide);
  if (norm) net.batchNorm();
  net.plain(ACTIVATIONS[c.generator_activation]);
  for (let stage = 1; stage < stages; stage += 1) {
    net.block(`block${stage}`);
    upward(net, c, wide / 2, !norm);
    if (norm) net.batchNorm();
    net.plain(ACTIVATIONS[c.generator_activation]);
    wide /= 2;
  }
  net.block("picture");
  upward(net, c, colours, true);
  net.plain(OUTPUTS[c.generator_output]);
  return net.layers;
}

function discriminator(c, colours, side) {
  const net = new Network([(colours + (c.conditional ? 1 : 0)) * c.packing, side, side]);
  const kind = c.spectral_norm ? "convolution, spectral norm" : "convolution";
  let wide = c.discriminator_channels || c.channels;
  for (let stage = 1, now = side; now > SEED_SIDE; stage += 1, now /= 2, wide *= 2) {
    const norm = c.discriminator_batch_norm && stage > 1; // not on D's first layer
    net.block(`block${stage}`);
    if (c.downsampling === "strided") net.convolution(kind, wide, 4, 2, 1, !norm);
    else net.convolution(kind, wide, 3, 1, 1, !norm).pool();
    if (norm) net.batchNorm();
    net.plain(ACTIVATIONS[c.discriminator_activation]);
  }
  net.block("verdict");
  if (c.minibatch_std) net.spread();
  return net.convolution(kind, 1, SEED_SIDE, 1, 0, true).flatten().layers;
}

function upward(net, c, out, bias) {
  if (c.upsampling === "transposed") net.transposed(out, 4, 2, 1, bias);
  else net.enlarge().convolution("convolution", out, 3, 1, 1, bias);
}

class Network {
  constructor(size) {
    this.size = size;
    this.layers = [];
    this.name = "";
  }

  block(name) {
    this.name = name;
    return this;
  }

  #add(kind, output, formula, parameters = 0, [kernel, stride, padding] = [null, null, null]) {
    this.layers.push({ block: this.name, kind, kernel, stride, padding, input: this.size, output, formula, parameters });
    this.size = output;
    return this;
  }

  linear(out, bias) {
    const [numbers] = this.size;
    return this.#add("linear", [out], `${numbers} -> ${out}`, numbers * out + (bias ? out : 0));
  }

  unflatten(channels) {
    const text = `${this.size[0]} = ${channels} x ${SEED_SIDE} x ${SEED_SIDE}`;
    return this.#add("reshape", [channels, SEED_SIDE, SEED_SIDE], text);
  }

  flatten() {
    return this.#add("reshape", [1], "1");
  }

  batchNorm() {
    return this.#add("batch norm", this.size, "unchanged", 2 * this.size[0]);
  }

  plain(kind) {
    return this.#add(kind, this.size, "unchanged");
  }

  spread() {
    const [channels, height, width] = this.size;
    return this.#add("minibatch standard deviation", [channels + 1, height, width], `${channels} + 1 channels`);
  }

  enlarge() {
    const [channels, n] = this.size;
    return this.#add("nearest upsampling", [channels, 2 * n, 2 * n], `2 x ${n} = ${2 * n}`);
  }

  pool() {
    return this.#sized("max pooling", this.size[0], [2, 2, 0], 0);
  }

  convolution(kind, out, k, s, p, bias) {
    return this.#sized(kind, out, [k, s, p], this.size[0] * out * k * k + (bias ? out : 0));
  }

  #sized(kind, out, [k, s, p], parameters) {
    const n = this.size[1];
    const to = Math.floor((n + 2 * p - k) / s) + 1;
    return this.#add(kind, [out, to, to], `floor((${n} + 2 x ${p} - ${k}) / ${s}) + 1 = ${to}`, parameters, [k, s, p]);
  }

  transposed(out, k, s, p, bias) {
    const n = this.size[1];
    const to = (n - 1) * s - 2 * p + k;
    const parameters = this.size[0] * out * k * k + (bias ? out : 0);
    return this.#add("transposed convolution", [out, to, to], `(${n} - 1) x ${s} - 2 x ${p} + ${k} = ${to}`, parameters, [k, s, p]);
  }
}
