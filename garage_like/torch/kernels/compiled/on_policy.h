/* The losses of VPG, PPO and their value function, all gradient steps of an update in one call. */

enum { MOST_ROWS = 256 }; /* at once, so that what a layer gives is near when it is taken up */

typedef struct {
    int count, rows; /* without and with padding */
    const int64_t *order;
    float share;     /* of a row in the mean over its minibatch */
} Batch;

/* Gradient of the loss by log-probabilities, (rows,); 0 in padding. */
INLINE vec by_log_prob(const OnPolicy *a, const Batch *b, int j, vec log_probs) {
    vec advantages = all(0), old = all(0);
    for (int i = 0; i < VL && j + i < b->count; i++) {
        advantages[i] = a->wanted[b->order[j + i]];
        if (a->clip_range >= 0) old[i] = a->old_log_probs[b->order[j + i]];
    }
    vec slope = advantages * -b->share;
    if (a->clip_range < 0) return slope;
    /* min(r A, clip(r) A) moves with r but where r has gone too far already. */
    vec ratio = vexp(log_probs - old);
    ivec counts = ((advantages >= 0) & (ratio <= 1.0f + a->clip_range)) |
                  ((advantages < 0) & (ratio >= 1.0f - a->clip_range));
    ivec is_number = advantages == advantages;
    return pick(counts | ~is_number, slope * ratio, all(0));
}

static void categorical(const OnPolicy *a, const Batch *b, Net *net, float *room) {
    int kinds = a->shape.widths[a->shape.layers], rows = b->rows;
    float *z = net->out[a->shape.layers], *delta = net->delta[a->shape.layers], *p = room;
    const int64_t *actions = a->actions;
    float by_entropy = -a->entropy_coefficient * b->share;
    for (int j = 0; j < rows; j += VL) {
        vec top = load(z + j), sum = all(0), chosen = all(0), minus_entropy = all(0);
        for (int k = 1; k < kinds; k++) {
            vec u = load(z + (long)k * rows + j);
            top = pick(u > top, u, top);
        }
        for (int k = 0; k < kinds; k++) {
            vec u = load(z + (long)k * rows + j) - top, e = vexp(u);
            store(z + (long)k * rows + j, u), store(p + (long)k * rows + j, e);
            sum += e;
        }
        vec log_sum = vlog(sum);
        for (int k = 0; k < kinds; k++) {
            vec log_p = load(z + (long)k * rows + j) - log_sum, q = load(p + (long)k * rows + j) / sum;
            store(z + (long)k * rows + j, log_p), store(p + (long)k * rows + j, q);
            minus_entropy = fma_(q, log_p, minus_entropy);
        }
        int here = b->count - j < VL ? b->count - j : VL;
        for (int i = 0; i < here; i++) chosen[i] = z[actions[b->order[j + i]] * rows + j + i];
        vec slope = by_log_prob(a, b, j, chosen), each = all(0);
        for (int i = 0; i < here; i++) each[i] = -by_entropy; /* dH / dz = -p (log p + H) */
        for (int k = 0; k < kinds; k++) {
            vec q = load(p + (long)k * rows + j), log_p = load(z + (long)k * rows + j);
            vec d = -q * slope;
            if (by_entropy != 0) d += q * (log_p - minus_entropy) * each;
            store(delta + (long)k * rows + j, d);
        }
        for (int i = 0; i < here; i++) delta[actions[b->order[j + i]] * rows + j + i] += slope[i];
    }
}

static void gaussian(const OnPolicy *a, const Batch *b, Net *net, float *room, const float *log_std,
                     float *by_log_std) {
    int kinds = a->shape.widths[a->shape.layers], rows = b->rows;
    float *means = net->out[a->shape.layers], *delta = net->delta[a->shape.layers];
    float *z = room, *slopes = room + (long)kinds * rows, *products = slopes + rows;
    float constant = 0.918938533f * kinds;
    for (int k = 0; k < kinds; k++) constant += clip(all(log_std[k]), all(a->lowest), all(a->highest))[0];
    gather(z, rows, a->actions, kinds, b->order, b->count);
    for (int j = 0; j < rows; j += VL) {
        vec log_probs = all(0);
        for (int k = 0; k < kinds; k++) {
            vec inverse = vexp(-clip(all(log_std[k]), all(a->lowest), all(a->highest)));
            long at = (long)k * rows + j;
            vec deviation = (load(z + at) - load(means + at)) * inverse;
            store(z + at, deviation), store(delta + at, inverse);
            log_probs = fma_(deviation, deviation, log_probs);
        }
        vec slope = by_log_prob(a, b, j, log_probs * -0.5f - constant);
        store(slopes + j, slope);
        for (int k = 0; k < kinds; k++) {
            long at = (long)k * rows + j;
            store(delta + at, load(z + at) * load(delta + at) * slope);
        }
    }
    if (!by_log_std) return;
    /* d log p / d log std = z^2 - 1, dH / d log std = 1 */
    float plain = -a->entropy_coefficient * b->share * b->count - total(slopes, rows);
    for (int k = 0; k < kinds; k++) {
        for (int j = 0; j < rows; j += VL) {
            vec deviation = load(z + (long)k * rows + j);
            store(products + j, deviation * deviation * load(slopes + j));
        }
        int inside = log_std[k] >= a->lowest && log_std[k] <= a->highest;
        by_log_std[k] += inside ? total(products, rows) + plain : 0.0f;
    }
}

static void squares(const OnPolicy *a, const Batch *b, Net *net, float *room, const float *log_std,
                    float *by_log_std) {
    float *values = net->out[a->shape.layers], *delta = net->delta[a->shape.layers];
    float precision = vexp(all(-2.0f * log_std[0]))[0];
    for (int j = 0; j < b->rows; j++) {
        float error = j < b->count ? values[j] - a->wanted[b->order[j]] : 0;
        delta[j] = error * (precision * b->share);
        room[j] = error * error;
    }
    if (by_log_std) by_log_std[0] += b->share * b->count - total(room, b->rows) * b->share * precision;
}

/* 0, or 1 with nothing changed if there is no memory. */
static int on_policy(const OnPolicy *a) {
    const Shape *s = &a->shape;
    int kinds = s->widths[s->layers];
    int64_t most = (a->rows + a->pieces - 1) / a->pieces, number = a->moved.steps;
    int room_rows = padded(most < MOST_ROWS ? (int)most : MOST_ROWS);
    long of_net = room_of(s, room_rows);
    float *memory = numbers(of_net + (long)(kinds + 2) * room_rows), *room = memory + of_net;
    float *gradient = a->moved.gradient;
    float *weights = a->moved.parameters + a->network;
    const float *log_std = a->log_std < 0 ? a->fixed_log_std : a->moved.parameters + a->log_std;
    float *by_log_std = a->log_std < 0 ? 0 : gradient + a->log_std;
    Net net;
    if (!memory) return 1;
    lay_net(&net, s, room_rows, memory);
    const int64_t *order = a->order;
    for (int pass = 0; pass < a->passes; pass++) {
        for (int q = 0; q < a->pieces; q++) {
            int64_t left = a->rows / a->pieces + (q < a->rows % a->pieces);
            Batch b = {0, 0, order, 1.0f / (float)left};
            memset(gradient, 0, a->moved.size * 4);
            for (; left; left -= b.count, b.order += b.count) {
                b.count = left < MOST_ROWS ? (int)left : MOST_ROWS;
                b.rows = net.rows = padded(b.count);
                gather(net.out[0], b.rows, a->observations, s->widths[0], b.order, b.count);
                forward(&net, weights);
                if (a->head == CATEGORICAL) categorical(a, &b, &net, room);
                else if (a->head == GAUSSIAN) gaussian(a, &b, &net, room, log_std, by_log_std);
                else squares(a, &b, &net, room, log_std, by_log_std);
                backward(&net, weights, gradient + a->network, 0);
            }
            order = b.order;
            adam(&a->moved, &a->adam, ++number);
        }
    }
    free(memory);
    return 0;
}
