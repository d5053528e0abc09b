/* Acting: what a perceptron gives for some rows, and actions drawn by that. */

enum { ROWS_AT_ONCE = 128 };

/* Of logits, (K, rows), draw a category for each of `count` rows by a number from 0 to 1: the first
   whose sum of probabilities is above it. The first row without finite probabilities, or FINE. */
static int64_t draw(int kinds, int rows, int count, const float *logits, const double *uniforms,
                    float *room, int64_t *actions) {
    for (int j = 0; j < rows; j += VL) {
        int here = count - j < VL ? count - j : VL;
        vec top = load(logits + j), sum = all(0), threshold = all(0);
        for (int k = 1; k < kinds; k++) {
            vec u = load(logits + (long)k * rows + j);
            top = pick(u > top, u, top);
        }
        for (int k = 0; k < kinds; k++) {
            vec u = load(logits + (long)k * rows + j) - top;
            sum += pick(u < -87.0f, all(0), vexp(u));
            store(room + (long)k * VL, sum);
        }
        for (int i = 0; i < here; i++) {
            if (!(sum[i] < 3e38f)) return j + i;
            threshold[i] = (float)uniforms[j + i];
        }
        threshold *= sum;
        ivec chosen = {0};
        for (int k = 0; k + 1 < kinds; k++) chosen -= load(room + (long)k * VL) <= threshold;
        for (int i = 0; i < here; i++) actions[j + i] = chosen[i];
    }
    return FINE;
}

/* inputs (B, D), outputs (B, K); uniforms and actions (B,), or 0 if nothing is drawn. */
static int64_t look(const Look *a, int64_t count, const float *inputs, float *outputs,
                    const double *uniforms, int64_t *actions) {
    const Shape *s = &a->shape;
    int most = padded(count < ROWS_AT_ONCE ? (int)count : ROWS_AT_ONCE), widest = VL;
    int width = s->widths[0], kinds = s->widths[s->layers];
    for (int l = 0; l <= s->layers; l++)
        if (s->widths[l] > widest) widest = s->widths[l];
    long size = (long)widest * most;
    float *memory = numbers(2 * size + (long)widest * NR);
    if (!memory) return NO_MEMORY;
    Net net = {.shape = s, .room = memory + 2 * size};
    for (int l = 0; l <= s->layers; l++) net.out[l] = memory + (l % 2) * size;
    int64_t failed = FINE;
    for (int64_t at = 0; at < count && failed == FINE; at += ROWS_AT_ONCE) {
        int here = count - at < ROWS_AT_ONCE ? (int)(count - at) : ROWS_AT_ONCE;
        net.rows = padded(here);
        gather(net.out[0], net.rows, inputs + at * width, width, 0, here);
        for (int l = 0; l < s->layers; l++) forward_layer(&net, l, a->weights[l], a->biases[l]);
        const float *given = net.out[s->layers];
        scatter(outputs + at * kinds, given, net.rows, kinds, here);
        if (!uniforms) continue;
        int64_t odd = draw(kinds, net.rows, here, given, uniforms + at, net.room, actions + at);
        if (odd != FINE) failed = at + odd;
    }
    free(memory);
    return failed;
}
