/* A multi-layer perceptron, forwards and backwards, and the step of Adam.

   Arrays are feature-major, (features, rows): vectors run along the batch. Weights lie as torch has
   them, layer by layer, (outputs, inputs) and then the bias. */

enum { FEW = 2 };

/* -- products of matrices -------------------------------------------------------------------- */

/* A tile of C = A P + bias: `rows` rows of A, by any strides, times a panel of `nv` vectors of
   columns, whose rows lie `ldp` apart. Each number of C is one chain of sums, whatever the tile. */
INLINE void tile(int rows, int nv, int depth, const float *a, long by_row, long by_column,
                 const float *p, long ldp, float *c, long ldc, const float *bias, int whole,
                 int columns) {
    vec sums[MR][NV];
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < nv; j++) sums[i][j] = all(bias ? bias[i] : 0.0f);
    for (int k = 0; k < depth; k++) {
        vec b[NV];
        for (int j = 0; j < nv; j++) b[j] = load(p + k * ldp + j * VL);
        for (int i = 0; i < rows; i++) {
            vec factor = all(a[i * by_row + k * by_column]);
            for (int j = 0; j < nv; j++) sums[i][j] = fma_(factor, b[j], sums[i][j]);
        }
    }
    for (int i = 0; i < rows; i++) {
        if (whole)
            for (int j = 0; j < nv; j++) store(c + i * ldc + j * VL, sums[i][j]);
        else
            memcpy(c + i * ldc, sums[i], columns * 4);
    }
}

static void panel(int height, int depth, const float *a, long by_row, long by_column,
                  const float *p, long ldp, float *c, long ldc, const float *bias, int columns) {
    int i = 0;
#define ROWS(count, nv, whole)                                                                    \
    for (; i + count <= height; i += count)                                                       \
        tile(count, nv, depth, a + i * by_row, by_row, by_column, p, ldp, c + i * ldc, ldc,       \
             bias ? bias + i : 0, whole, columns);
#define ALL_ROWS(nv, whole) ROWS(MR, nv, whole) ROWS(4, nv, whole) ROWS(2, nv, whole) ROWS(1, nv, whole)
    if (columns == NR) {
        ALL_ROWS(NV, 1)
    } else if (columns > VL) {
        ALL_ROWS(NV, 0)
    } else if (columns == VL) {
        ALL_ROWS(1, 1)
    } else {
        ALL_ROWS(1, 0)
    }
#undef ALL_ROWS
#undef ROWS
}

/* Transpose 8 by 8 numbers. */
INLINE void transpose8(const float *a, long lda, float *out, long ldo) {
    vec8 r[8], t[8];
    const ivec8 evens = {0, 8, 2, 10, 4, 12, 6, 14}, odds = {1, 9, 3, 11, 5, 13, 7, 15};
    const ivec8 lows = {0, 1, 8, 9, 4, 5, 12, 13}, highs = {2, 3, 10, 11, 6, 7, 14, 15};
    const ivec8 first = {0, 1, 2, 3, 8, 9, 10, 11}, second = {4, 5, 6, 7, 12, 13, 14, 15};
    for (int i = 0; i < 8; i++) r[i] = *(const vec8 *)(a + i * lda);
    for (int i = 0; i < 8; i += 2) {
        t[i] = __builtin_shuffle(r[i], r[i + 1], evens);
        t[i + 1] = __builtin_shuffle(r[i], r[i + 1], odds);
    }
    for (int h = 0; h < 8; h += 4)
        for (int i = 0; i < 2; i++) {
            r[h + i] = __builtin_shuffle(t[h + i], t[h + i + 2], lows);
            r[h + i + 2] = __builtin_shuffle(t[h + i], t[h + i + 2], highs);
        }
    for (int i = 0; i < 4; i++) {
        *(vec8 *)(out + i * ldo) = __builtin_shuffle(r[i], r[i + 4], first);
        *(vec8 *)(out + (i + 4) * ldo) = __builtin_shuffle(r[i], r[i + 4], second);
    }
}

/* Lay columns n to n + NR of B out one row after another; `flipped` if B is (columns, depth),
   where depth is a multiple of 8. */
INLINE void pack(int depth, const float *b, long ldb, int flipped, int n, int columns, float *room) {
    if (!flipped) {
        for (int k = 0; k < depth; k++) {
            memcpy(room + k * NR, b + k * ldb + n, columns * 4);
            memset(room + k * NR + columns, 0, (NR - columns) * 4);
        }
        return;
    }
    for (int j = 0; j < NR; j += 8) {
        if (j + 8 <= columns) {
            for (int k = 0; k < depth; k += 8)
                transpose8(b + (n + j) * ldb + k, ldb, room + k * NR + j, NR);
            continue;
        }
        for (int i = j; i < j + 8; i++)
            for (int k = 0; k < depth; k++)
                room[k * NR + i] = i < columns ? b[(n + i) * ldb + k] : 0;
    }
}

/* C (height, width) = A B + bias. room: depth * NR numbers. */
static void multiply(int height, int width, int depth, const float *a, long by_row, long by_column,
                     const float *b, long ldb, int flipped, float *c, const float *bias,
                     float *room) {
    for (int n = 0; n < width; n += NR) {
        int columns = width - n < NR ? width - n : NR;
        if (height <= FEW && !flipped && columns == NR) { /* laying it out would be most of the work */
            panel(height, depth, a, by_row, by_column, b + n, ldb, c + n, width, bias, columns);
            continue;
        }
        pack(depth, b, ldb, flipped, n, columns, room);
        panel(height, depth, a, by_row, by_column, room, NR, c + n, width, bias, columns);
    }
}

/* -- a perceptron ----------------------------------------------------------------------------- */

typedef struct {
    const Shape *shape;
    int rows;                  /* of this batch, padded */
    float *out[MOST_LAYERS + 1];   /* what each layer gives; [0] are the inputs */
    float *delta[MOST_LAYERS + 1]; /* gradients by them */
    float *room, *piece;
} Net;

/* Room for so many numbers; 0 if there is none. */
static float *numbers(long count) { return aligned_alloc(64, (count * 4 + 127) & ~63L); }

static int padded(int rows) { return (rows + LANES - 1) / LANES * LANES; }

static long size_of(const Shape *s) {
    long size = 0;
    for (int l = 0; l < s->layers; l++) size += (long)(s->widths[l] + 1) * s->widths[l + 1];
    return size;
}

/* How many numbers a net needs for a batch of so many rows, a multiple of LANES. */
static long room_of(const Shape *s, long rows) {
    long widest = rows, size = 0;
    for (int l = 0; l <= s->layers; l++) {
        size += 2 * s->widths[l] * rows;
        if (s->widths[l] > widest) widest = s->widths[l];
    }
    return size + widest * NR + (size_of(s) + LANES) / LANES * LANES;
}

/* Lay a net out in given room, of room_of(...) numbers. */
static void lay_net(Net *net, const Shape *shape, int rows, float *at) {
    net->shape = shape, net->rows = rows;
    for (int l = 0; l <= shape->layers; l++) {
        long size = (long)shape->widths[l] * rows;
        net->out[l] = at, net->delta[l] = at + size, at += 2 * size;
    }
    net->piece = at, net->room = at + (size_of(shape) + LANES) / LANES * LANES;
}

/* Layer l of a net, from out[l] to out[l + 1]. */
static void forward_layer(Net *net, int l, const float *weights, const float *bias) {
    const Shape *s = net->shape;
    int inputs = s->widths[l], outputs = s->widths[l + 1];
    float *h = net->out[l + 1];
    multiply(outputs, net->rows, inputs, weights, inputs, 1, net->out[l], net->rows, 0, h, bias,
             net->room);
    if (l + 1 == s->layers) return;
    for (long i = 0; i < (long)outputs * net->rows; i += VL) {
        vec x = load(h + i);
        if (s->is_tanh) store(h + i, vtanh(x));
        else store(h + i, pick(x < 0, all(0), x));
    }
}

static void forward(Net *net, const float *weights) {
    const int32_t *widths = net->shape->widths;
    for (int l = 0; l < net->shape->layers; l++) {
        const float *bias = weights + (long)widths[l] * widths[l + 1];
        forward_layer(net, l, weights, bias);
        weights = bias + widths[l + 1];
    }
}

/* From delta[layers], 0 in rows that are padding: add the gradients of the weights to `gradient`,
   unless that is 0; with `to_inputs` write delta[0] as well. */
static void backward(Net *net, const float *weights, float *gradient, int to_inputs) {
    const Shape *s = net->shape;
    long at = size_of(s);
    for (int l = s->layers - 1; l >= 0; l--) {
        int inputs = s->widths[l], outputs = s->widths[l + 1];
        float *delta = net->delta[l + 1];
        at -= (long)(inputs + 1) * outputs;
        if (gradient) {
            multiply(outputs, inputs, net->rows, delta, net->rows, 1, net->out[l], net->rows, 1,
                     net->piece, 0, net->room);
            float *to = gradient + at;
            for (long i = 0; i < (long)inputs * outputs; i++) to[i] += net->piece[i];
            to += (long)inputs * outputs;
            for (int o = 0; o < outputs; o++) to[o] += total(delta + (long)o * net->rows, net->rows);
        }
        if (!l && !to_inputs) return;
        multiply(inputs, net->rows, outputs, weights + at, 1, inputs, delta, net->rows, 0,
                 net->delta[l], 0, net->room);
        if (!l) return;
        for (long i = 0; i < (long)inputs * net->rows; i += VL) {
            vec h = load(net->out[l] + i), d = load(net->delta[l] + i);
            vec slope = 1.0f - h * h;
            if (!s->is_tanh) slope = pick(h > 0, all(1), all(0));
            store(net->delta[l] + i, d * slope);
        }
    }
}

/* Lay some rows of an array of row-major rows out feature-major; padding is 0. */
static void gather(float *to, int rows, const float *from, int width, const int64_t *order,
                   int count) {
    for (int b = 0; b < count; b++) {
        const float *row = from + (order ? order[b] : b) * width;
        for (int i = 0; i < width; i++) to[(long)i * rows + b] = row[i];
    }
    for (int i = 0; i < width; i++)
        for (int b = count; b < rows; b++) to[(long)i * rows + b] = 0;
}

/* Lay rows out row-major again. */
static void scatter(float *to, const float *from, int rows, int width, int count) {
    for (int b = 0; b < count; b++)
        for (int i = 0; i < width; i++) to[(long)b * width + i] = from[(long)i * rows + b];
}

static void forward_pass(const Pass *p) {
    const Shape *s = &p->shape;
    Net net;
    lay_net(&net, s, padded(p->rows), p->room);
    gather(net.out[0], net.rows, p->inputs, s->widths[0], 0, p->rows);
    forward(&net, p->weights);
    scatter(p->outputs, net.out[s->layers], net.rows, s->widths[s->layers], p->rows);
}

static void backward_pass(const Pass *p) {
    const Shape *s = &p->shape;
    Net net;
    lay_net(&net, s, padded(p->rows), p->room);
    gather(net.delta[s->layers], net.rows, p->delta, s->widths[s->layers], 0, p->rows);
    if (p->gradient) memset(p->gradient, 0, size_of(s) * 4);
    backward(&net, p->weights, p->gradient, p->by_inputs != 0);
    if (p->by_inputs) scatter(p->by_inputs, net.delta[0], net.rows, s->widths[0], p->rows);
}

/* -- Adam -------------------------------------------------------------------------------------- */

/* The step number `number` of Adam, or of AdamW if `decoupled`, on parameters that lie in a row. */
static void adam(const Moved *moved, const Adam *a, int64_t number) {
    float *restrict p = moved->parameters, *restrict m = moved->first, *restrict v = moved->second;
    const float *restrict gradient = moved->gradient;
    float size = (float)(a->learning_rate / (1 - power(a->beta1, number)));
    float by = (float)(1 / root_of(1 - power(a->beta2, number)));
    float rest1 = (float)(1 - a->beta1), rest2 = (float)(1 - a->beta2), beta2 = (float)a->beta2;
    float kept = a->decoupled ? (float)(1 - a->learning_rate * a->decay) : 1.0f;
    float pull = a->decoupled ? 0.0f : (float)a->decay, eps = (float)a->eps;
    for (long i = 0; i < moved->size; i++) {
        float before = p[i] * kept, g = gradient[i] + pull * before;
        m[i] += rest1 * (g - m[i]);
        v[i] = beta2 * v[i] + rest2 * (g * g);
        p[i] = before - size * m[i] / (__builtin_sqrtf(v[i]) * by + eps);
    }
}
